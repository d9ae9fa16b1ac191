// Type errors, which the compiler reports after the expansion.

use resilience::retry;

mod constant_of_wrong_type {
    use resilience::retry;

    const SECONDS: u64 = 5;

    #[retry(max_delay = SECONDS)]
    //~ rustc: error[E0308] at `SECONDS`: mismatched types
    //~ rustc: label: expected `Duration`, found `u64`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: method defined here
    fn call() -> Result<(), ()> {
        Err(())
    }
}

// The body consumes an owned argument.
#[retry]
fn consumed_argument(text: String) -> Result<(), String> {
//~ rustc: error[E0382] at `> {`: use of moved value: `text`
//~ rustc: label: inside of this loop
//~ rustc: label: value moved into closure here, in previous iteration of loop
//~ rustc: label: use occurs due to use in closure
//~ rustc: label: move occurs because `text` has type `String`, which does not implement the `Copy` trait
//~ rustc: help: consider moving the expression out of the loop so it is only moved once
//~ rustc: help: consider cloning the value if the performance cost is acceptable
    Err(text)
}

mod hook_argument {
    use resilience::retry;

    fn note(attempt: u32) {
        let _ = attempt;
    }

    #[retry(on_retry = note)]
    //~ rustc: error[E0631] at `note`: type mismatch in function arguments
    //~ rustc: label: expected due to this
    //~ rustc: label: found signature defined here
    //~ rustc: note: expected function signature `for<'a, 'b> fn(&'a RetryEvent<'b, ()>) -> _` found function signature `fn(u32) -> _`
    //~ rustc: help: consider wrapping the function in a closure
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod not_a_backoff {
    use resilience::retry;

    struct Delays;

    #[retry(backoff = Delays)]
    //~ rustc: error[E0599] at `Delays`: `Delays` is not a backoff
    //~ rustc: label: needs `Backoff`
    //~ rustc: label: method `resilience_backoff` not found for this struct because it doesn't satisfy `Delays: resilience::Backoff` or `Delays: resilience::__private::BorrowBackoff`
    //~ rustc: note: the following trait bounds were not satisfied: `Delays: resilience::Backoff` which is required by `Delays: resilience::__private::BorrowBackoff`
    //~ rustc: note: write a closure that takes the number of the retry, `|retry| Duration::from_secs(retry.into())`, a list like `["100ms", "1s"]`, or implement `resilience::Backoff` for `Delays`
    //~ rustc: note: the trait `resilience::Backoff` must be implemented
    //~ rustc: help: items from traits can only be used if the trait is implemented and in scope
    //~ rustc: note: the following trait defines an item `resilience_backoff`, perhaps you need to implement it: candidate #1: `resilience::__private::BorrowBackoff`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

// A predicate returns a `bool` or a `FailureClass`.
#[retry(on = |error| error.len())]
//~ error at `|`: a predicate cannot return `usize`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `usize`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
fn not_classified_by_on() -> Result<(), String> {
    Err(String::new())
}

mod predicate_argument {
    use resilience::retry;

    fn is_transient(error: &String) -> bool {
        error.is_empty()
    }

    #[retry(on = is_transient)]
    //~ rustc: error[E0308] at `is_transient`: mismatched types
    //~ rustc: label: expected `&String`, found `&()`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: expected reference `&String` found reference `&()`
    //~ rustc: note: function defined here
    fn call() -> Result<(), ()> {
        Err(())
    }
}

// A type error in the body reads as in a function without the attribute.
#[retry]
async fn type_error() -> Result<String, ()> {
    Ok(5)
    //~ rustc: error[E0308] at `5`: mismatched types
    //~ rustc: label: expected `String`, found integer
    //~ rustc: label: arguments to this enum variant are incorrect
    //~ rustc: help: the type constructed contains `{integer}` due to the type of the argument passed
    //~ rustc: note: tuple variant defined here
    //~ rustc: help: try using a conversion method
}

// The body borrows the owner of the policy exclusively, and the policy is not `Clone`.
mod policy_without_clone {
    use std::time::Duration;

    use resilience::{Backoff, RetryPolicy, retry};

    struct Doubling;

    impl Backoff for Doubling {
        fn delay(&self, retry: u32) -> Duration {
            Duration::from_millis(1 << retry)
        }
    }

    struct Client {
        policy: RetryPolicy<Doubling>,
    }

    impl Client {
        #[retry(policy = self.policy)]
        //~ rustc: error[E0277] at `self`: the trait bound `Doubling: Clone` is not satisfied
        //~ rustc: label: the trait `Clone` is not implemented for `Doubling`
        //~ rustc: note: required for `RetryPolicy<Doubling>` to implement `Clone`
        //~ rustc: help: consider annotating `Doubling` with `#[derive(Clone)]`
        fn call(&mut self) -> Result<(), ()> {
            Err(())
        }
    }
}

mod closure_that_is_no_backoff {
    use resilience::retry;
    use std::time::Duration;

    #[retry(backoff = |_: u64| Duration::from_secs(1))]
    //~ rustc: error[E0631] at `|`: type mismatch in closure arguments
    //~ rustc: label: expected due to this
    //~ rustc: label: found signature defined here
    //~ rustc: note: expected closure signature `fn(u32) -> _` found closure signature `fn(u64) -> _`
    //~ rustc: note: required for `{closure}` to implement `resilience::Backoff`
    //~ rustc: note: required for the cast from `&{closure}` to `&dyn resilience::Backoff`
    fn wrong_argument() -> Result<(), ()> {
        Err(())
    }

    #[retry(backoff = Duration::from_secs(1))]
    //~ rustc: error[E0599] at `Duration`: `Duration` is not a backoff
    //~ rustc: label: needs `Backoff`
    //~ rustc: note: the following trait bounds were not satisfied: `Duration: resilience::Backoff` which is required by `Duration: resilience::__private::BorrowBackoff`
    //~ rustc: note: write a closure that takes the number of the retry, `|retry| Duration::from_secs(retry.into())`, a list like `["100ms", "1s"]`, or implement `resilience::Backoff` for `Duration`
    fn duration() -> Result<(), ()> {
        Err(())
    }
}
