//! Several fallbacks on one function are a plan, from the bottom up.

use std::cell::RefCell;

use resilience::{FailureClass, fallback};

#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Overloaded(&'static str),
    BadPrompt,
}

impl Failure {
    fn is_overloaded(&self) -> bool {
        matches!(self, Self::Overloaded(_))
    }
}

/// The providers that answer, and the calls in their order.
#[derive(Default)]
struct Providers {
    up: &'static [&'static str],
    calls: RefCell<Vec<&'static str>>,
}

impl Providers {
    fn ask(&self, name: &'static str, prompt: &str) -> Result<String, Failure> {
        self.calls.borrow_mut().push(name);
        match prompt {
            "" => Err(Failure::BadPrompt),
            _ if self.up.contains(&name) => Ok(format!("{name}: {prompt}")),
            _ => Err(Failure::Overloaded(name)),
        }
    }
}

#[fallback(value = "try again later".to_owned(), on = Failure::is_overloaded)]
#[fallback(stale = "10m", key = prompt, on = Failure::is_overloaded)]
#[fallback(with = |_| providers.ask("small", prompt), on = Failure::is_overloaded)]
#[fallback(with = |_| providers.ask("b", prompt), on = Failure::is_overloaded)]
fn answer(providers: &Providers, prompt: &str) -> Result<String, Failure> {
    providers.ask("a", prompt)
}

#[test]
fn the_steps_run_from_the_bottom_up_until_one_succeeds() {
    let run = |up, prompt| {
        let providers = Providers { up, ..Providers::default() };
        let answer = answer(&providers, prompt);
        (answer, providers.calls.into_inner())
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(run(&["a", "b"], "hi"), (ok("a: hi"), vec!["a"]));
    assert_eq!(run(&["b"], "hi"), (ok("b: hi"), vec!["a", "b"]));
    assert_eq!(run(&["small"], "hi"), (ok("small: hi"), vec!["a", "b", "small"]));
    // The last good answer to this prompt, and then the constant.
    assert_eq!(run(&[], "hi"), (ok("small: hi"), vec!["a", "b", "small"]));
    assert_eq!(run(&[], "new"), (ok("try again later"), vec!["a", "b", "small"]));
    // A mistake of the caller ends the plan at once.
    assert_eq!(run(&["b"], ""), (Err(Failure::BadPrompt), vec!["a"]));
}

#[tokio::test]
async fn async_steps_and_classes_work_as_well() {
    async fn ask(name: &str, is_up: bool) -> Result<String, String> {
        tokio::task::yield_now().await;
        if is_up { Ok(name.to_owned()) } else { Err(name.to_owned()) }
    }

    fn class(_: &String) -> FailureClass {
        FailureClass::transient()
    }

    #[fallback(value = "constant".to_owned(), on = class)]
    #[fallback(with = |_| ask("b", up == "b"), on = class)]
    async fn answer(up: &str) -> Result<String, String> {
        ask("a", up == "a").await
    }

    for (up, expected) in [("a", "a"), ("b", "b"), ("", "constant")] {
        assert_eq!(answer(up).await.as_deref(), Ok(expected));
    }
}
