//! Arguments: borrowed by every attempt, cloned only at the user's request.
#![allow(clippy::needless_pass_by_value, reason = "owned arguments, lent to each attempt")]

use std::rc::Rc;

use resilience::{retry, testing};

#[test]
fn a_clone_for_each_attempt() {
    #[retry(clone(items, log))]
    fn consume(items: Vec<u32>, mut log: Vec<u32>, seen: &mut Vec<usize>) -> Result<(), usize> {
        log.push(0);
        // Each attempt has its own log, and may consume the items.
        let items = items.into_boxed_slice();
        seen.push(items.len() + log.len());
        Err(log.len())
    }
    let _guard = testing::no_waits();
    let mut seen = Vec::new();
    assert_eq!(consume(vec![1, 2], vec![], &mut seen), Err(1));
    assert_eq!(seen, [3, 3, 3]);
}

#[test]
fn nothing_is_cloned_silently() {
    struct Uncloneable(Rc<()>);
    #[retry]
    fn borrow(item: Uncloneable) -> Result<usize, usize> {
        Err(Rc::strong_count(&item.0))
    }
    #[retry]
    async fn lend_async(item: Uncloneable) -> Result<usize, usize> {
        Err(Rc::strong_count(&item.0))
    }
    let _guard = testing::no_waits();
    assert_eq!(borrow(Uncloneable(Rc::default())), Err(1));
    assert_eq!(futures::executor::block_on(lend_async(Uncloneable(Rc::default()))), Err(1));
}

#[derive(Clone)]
struct Job {
    name: String,
    runs: Rc<std::cell::Cell<u32>>,
}

impl Job {
    #[retry(clone(self))]
    fn run(mut self, suffix: &str) -> Result<String, String> {
        // Nested items with their own `self`, closures, and format strings.
        struct Inner(u32);
        impl Inner {
            fn value(&self) -> u32 {
                self.0
            }
        }
        self.runs.set(self.runs.get() + 1);
        self.name.push_str(suffix);
        let show = || format!("{}, {self}", self.name);
        let shown = show();
        let Self { name, .. } = self;
        if Inner(1).value() == 1 { Err(shown) } else { Ok(name) }
    }

    #[retry(clone(self))]
    async fn run_async(self) -> Result<String, String> {
        self.runs.set(self.runs.get() + 1);
        let Self { name, .. } = self;
        Err(name)
    }

    // Owned but not consumed: no clone is needed.
    #[retry]
    fn look(self) -> Result<usize, usize> {
        self.runs.set(self.runs.get() + 1);
        Err(self.name.len())
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("job")
    }
}

#[async_trait::async_trait(?Send)]
trait Boxed {
    async fn consume(self, text: String) -> Result<String, String>;
}

#[async_trait::async_trait(?Send)]
impl Boxed for Job {
    #[retry(clone(self, text))]
    async fn consume(mut self, mut text: String) -> Result<String, String> {
        self.runs.set(self.runs.get() + 1);
        self.name.push('!');
        text.push_str(&self.name);
        let Self { .. } = self;
        Err(text)
    }
}

#[test]
fn owned_self() {
    let _guard = testing::no_waits();
    let job = Job { name: "a".into(), runs: Rc::default() };
    assert_eq!(job.clone().run("b"), Err("ab, job".into()));
    assert_eq!(job.runs.replace(0), 3);
    assert_eq!(futures::executor::block_on(job.clone().run_async()), Err("a".into()));
    assert_eq!(job.runs.replace(0), 3);
    assert_eq!(futures::executor::block_on(job.clone().consume("x".into())), Err("xa!".into()));
    assert_eq!(job.runs.replace(0), 3);
    assert_eq!(job.clone().look(), Err(1));
    assert_eq!(job.runs.get(), 3);
}

#[test]
fn predicates_and_hooks_see_the_arguments() {
    struct Client {
        fatal: u32,
    }
    impl Client {
        #[retry(on = |error| *error != self.fatal, on_retry = |event| seen.push(event.attempt))]
        fn call(&self, seen: &mut Vec<u32>, calls: &std::cell::Cell<u32>) -> Result<(), u32> {
            Err(crate::count(calls))
        }
    }
    let _guard = testing::no_waits();
    let mut seen = Vec::new();
    assert_eq!(Client { fatal: 2 }.call(&mut seen, &std::cell::Cell::default()), Err(2));
    assert_eq!(seen, [1]);
}

#[test]
fn the_body_may_advance_a_reference() {
    #[retry(clone(rest))]
    fn parse(mut rest: &[u8], seen: &mut Vec<usize>) -> Result<(), usize> {
        rest = &rest[1..];
        seen.push(rest.len());
        Err(rest.len())
    }
    let _guard = testing::no_waits();
    let mut seen = vec![];
    assert_eq!(parse(b"abc", &mut seen), Err(2));
    assert_eq!(seen, [2, 2, 2]);
}
