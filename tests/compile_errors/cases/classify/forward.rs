// `forward` with a function, and fields without a class.

use std::time::Duration;

use resilience::Classify;

#[derive(Classify)]
enum Foreign {
    #[forward]
    Http(http::Error),
    //~ error at `http`: `http::Error` has no classification to forward
    //~ label: needs `Classify`, or a function with the class
    //~ rustc: help: the trait `resilience_core::classify::ForwardedClass` is not implemented for `http::Error`
    //~ note: if `http::Error` is a type of your crate, add `#[derive(resilience::Classify)]` to the type
    //~ note: if `http::Error` is the error of another crate, add a function: `#[forward(with = resilience::http::classify)]` for `reqwest`, `hyper`, `tonic` and `std::io`, `#[forward(with = resilience::stores::sqlx::classify)]` for `sqlx`, `#[forward(with = |error| …)]` for any other
    //~ note: if every failure has the same class, write `#[transient]` or `#[permanent]` in place of `#[forward]`
}

#[derive(Classify)]
enum LiteralFunction {
    #[forward(with = "classify")]
    //~ error at `"classify"`: expected a path or a closure, like `with = resilience::http::classify`
    Http(http::Error),
}

#[derive(Classify)]
enum FunctionOfTransient {
    #[transient(with = classify)]
    //~ error at `with`: `#[transient]` has no `with`; write `#[forward(with = classify)]` for a function that returns the class
    Http(http::Error),
}

#[derive(Classify)]
enum EffectOfForward {
    #[forward(effect = "not_sent")]
    //~ error at `effect`: `#[forward]` has no `effect`; remove it
    Http(http::Error),
}

#[derive(Classify)]
enum DelayOfPermanent {
    #[permanent(after = retry_after)]
    //~ error at `after`: `#[permanent]` has no `after`; remove it
    Http { retry_after: Duration },
}

#[derive(Classify)]
enum UnknownDelayField {
    #[forward(source, with = is_transient, after = delay)]
    //~ error at `delay`: unknown field `delay`; expected one of `source`, `retry_after`
    Http { source: http::Error, retry_after: Duration },
}

#[derive(Classify)]
enum DelayOfAnotherType {
    #[forward(source, with = is_transient, after = retry_after)]
    //~ error at `retry_after`: `u64` is not a delay
    //~ label: needs `Duration` or `Option<Duration>`
    //~ rustc: help: the trait `resilience::__private::RetryDelay` is not implemented for `u64`
    Http { source: http::Error, retry_after: u64 },
}

#[derive(Classify)]
enum FunctionOfAnotherType {
    #[forward(with = is_short)]
    //~ rustc: error[E0308] at `is_short`: mismatched types
    //~ rustc: label: expected `&str`, found `&Error`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: expected reference `&str` found reference `&http::Error`
    //~ rustc: note: function defined here
    Http(http::Error),
}

#[derive(Classify)]
enum ResultOfAnotherType {
    #[forward(with = |error| error.to_string())]
    //~ error at `|`: a predicate cannot return `String`
    //~ label: needs to return `bool` or `FailureClass`
    //~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `String`
    //~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
    Http(http::Error),
}

fn is_transient(_: &http::Error) -> bool {
    true
}

fn is_short(_: &str) -> bool {
    true
}

fn main() {}
