//! The number of attempts.

use std::cell::Cell;
use std::time::Duration;

use resilience::{Outcome, RetryPolicy, retry, testing};

use crate::count;

const FIVE: u32 = 5;
/// A literal is a compile error: the attribute would do nothing.
const ONE: u32 = 1;

#[test]
fn attempts_counts_all_calls() {
    #[retry]
    fn by_default(calls: &Cell<u32>) -> Result<(), u32> {
        Err(count(calls))
    }
    #[retry(attempts = ONE)]
    fn one(calls: &Cell<u32>) -> Result<(), u32> {
        Err(count(calls))
    }
    #[retry(attempts = 5)]
    fn five(calls: &Cell<u32>) -> Result<(), u32> {
        Err(count(calls))
    }
    #[retry(attempts = FIVE + 1)]
    fn constant(calls: &Cell<u32>) -> Result<(), u32> {
        Err(count(calls))
    }
    #[retry(attempts = N)]
    fn generic<const N: u32>(calls: &Cell<u32>) -> Result<(), u32> {
        Err(count(calls))
    }
    let _guard = testing::no_waits();
    for (function, expected) in [
        (by_default as fn(&Cell<u32>) -> Result<(), u32>, 3),
        (one, 1),
        (five, 5),
        (constant, 6),
        (generic::<2>, 2),
    ] {
        let calls = Cell::new(0);
        // The last error is returned unchanged.
        assert_eq!(function(&calls), Err(expected));
        assert_eq!(calls.get(), expected);
    }
}

#[test]
fn constants_of_a_type() {
    struct Client<const TRIES: u32>;
    impl<const TRIES: u32> Client<TRIES> {
        const MORE: u32 = TRIES + 1;

        #[retry(attempts = Self::MORE)]
        fn associated(calls: &Cell<u32>) -> Option<()> {
            count(calls);
            None
        }

        // A parameter of the `impl` block, invisible to the attribute, is written in braces.
        #[retry(attempts = { TRIES })]
        fn braced(calls: &Cell<u32>) -> Option<()> {
            count(calls);
            None
        }
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!(Client::<4>::associated(&calls), None);
    assert_eq!(calls.replace(0), 5);
    assert_eq!(Client::<4>::braced(&calls), None);
    assert_eq!(calls.get(), 4);
}

#[test]
fn unlimited() {
    #[retry(attempts = "unlimited")]
    fn reconnect(calls: &Cell<u32>) -> Result<u32, ()> {
        if count(calls) < 1000 { Err(()) } else { Ok(calls.get()) }
    }
    let _guard = testing::no_waits();
    assert_eq!(reconnect(&Cell::new(0)), Ok(1000));
}

#[test]
fn a_success_ends_the_call() {
    #[retry(attempts = 10)]
    fn third(calls: &Cell<u32>) -> Result<u32, ()> {
        if count(calls) < 3 { Err(()) } else { Ok(calls.get()) }
    }
    let _guard = testing::no_waits();
    assert_eq!(third(&Cell::new(0)), Ok(3));
}

#[test]
fn question_mark_and_return_end_the_attempt() {
    fn failing(calls: &Cell<u32>) -> Result<u32, String> {
        count(calls);
        Err("down".to_owned())
    }
    #[retry]
    fn question_mark(calls: &Cell<u32>) -> Result<u32, Box<dyn std::error::Error>> {
        let value = failing(calls)?;
        Ok(value)
    }
    #[retry]
    fn in_a_macro(calls: &Cell<u32>) -> Result<Vec<u32>, String> {
        Ok(vec![failing(calls)?])
    }
    #[retry]
    fn by_return(calls: &Cell<u32>) -> Result<u32, String> {
        if calls.get() < 10 {
            return failing(calls);
        }
        Ok(0)
    }
    #[retry]
    async fn asynchronous(calls: &Cell<u32>) -> Result<u32, String> {
        let values = futures::future::ready(vec![failing(calls)?]).await;
        Ok(values.len().try_into().unwrap_or(0))
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert!(question_mark(&calls).is_err());
    assert_eq!(calls.replace(0), 3);
    assert!(in_a_macro(&calls).is_err());
    assert_eq!(calls.replace(0), 3);
    assert!(by_return(&calls).is_err());
    assert_eq!(calls.replace(0), 3);
    assert!(futures::executor::block_on(asynchronous(&calls)).is_err());
    assert_eq!(calls.get(), 3);
}

#[test]
fn option() {
    #[retry(on = |()| true)]
    fn lookup(calls: &Cell<u32>) -> Option<u32> {
        (count(calls) == 3).then_some(7)
    }
    let _guard = testing::no_waits();
    assert_eq!(lookup(&Cell::new(0)), Some(7));
}

#[test]
fn on_ok_retries_values() {
    #[retry(attempts = 4, on_ok = |status: &&str| *status == "pending")]
    fn poll(calls: &Cell<u32>, done: u32) -> Result<&'static str, ()> {
        Ok(if count(calls) < done { "pending" } else { "done" })
    }
    let _guard = testing::no_waits();
    assert_eq!(poll(&Cell::new(0), 3), Ok("done"));
    let calls = Cell::new(0);
    // Attempts used up: the last value is returned, without an error.
    assert_eq!(poll(&calls, 99), Ok("pending"));
    assert_eq!(calls.get(), 4);
}

#[test]
fn a_custom_outcome_type() {
    #[derive(Debug, PartialEq)]
    enum Reply {
        Body(u32),
        Status(u16),
    }
    impl Outcome for Reply {
        type Ok = u32;
        type Err = u16;
        fn as_result(&self) -> Result<&u32, &u16> {
            match self {
                Self::Body(body) => Ok(body),
                Self::Status(status) => Err(status),
            }
        }
        fn into_result(self) -> Result<u32, u16> {
            match self {
                Self::Body(body) => Ok(body),
                Self::Status(status) => Err(status),
            }
        }
        fn from_result(result: Result<u32, u16>) -> Self {
            result.map_or_else(Self::Status, Self::Body)
        }
    }
    #[retry(on = |status| *status >= 500)]
    fn fetch(calls: &Cell<u32>, status: u16) -> Reply {
        if count(calls) < 3 { Reply::Status(status) } else { Reply::Body(calls.get()) }
    }
    let _guard = testing::no_waits();
    assert_eq!(fetch(&Cell::new(0), 503), Reply::Body(3));
    assert_eq!(fetch(&Cell::new(0), 404), Reply::Status(404));
}

#[test]
fn a_given_policy() {
    static SHARED: RetryPolicy = RetryPolicy::new().attempts(4).fixed().base_delay(Duration::ZERO);
    struct Client {
        retry: RetryPolicy,
        calls: u32,
    }
    impl Client {
        #[retry(policy = self.retry)]
        fn with_field(&self, calls: &Cell<u32>) -> Result<(), ()> {
            count(calls);
            Err(())
        }
        // The body borrows `&mut self`, so the policy is copied out.
        #[retry(policy = { self.retry })]
        fn exclusive(&mut self) -> Result<(), ()> {
            self.calls += 1;
            Err(())
        }
        #[retry(policy = &SHARED)]
        async fn shared(&mut self) -> Result<(), ()> {
            self.calls += 1;
            Err(())
        }
    }
    let clock = testing::clock();
    let retry = RetryPolicy::new().attempts(2).fixed().base_delay(Duration::from_secs(1));
    let mut client = Client { retry, calls: 0 };
    let calls = Cell::new(0);
    assert_eq!(client.with_field(&calls), Err(()));
    assert_eq!((calls.get(), clock.elapsed()), (2, Duration::from_secs(1)));
    assert_eq!(client.exclusive(), Err(()));
    assert_eq!(std::mem::take(&mut client.calls), 2);
    assert_eq!(futures::executor::block_on(client.shared()), Err(()));
    assert_eq!(client.calls, 4);
}

#[test]
fn inside_an_outer_loop() {
    #[retry(attempts = 2)]
    fn inner(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        Err(())
    }
    #[retry(attempts = 3)]
    fn outer(calls: &Cell<u32>) -> Result<(), ()> {
        inner(calls)
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!(outer(&calls), Err(()));
    assert_eq!(calls.get(), 6);
}
