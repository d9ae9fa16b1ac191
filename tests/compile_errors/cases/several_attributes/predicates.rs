// A wrong predicate or hook is reported at its place, and not at the return type of the function.

use resilience::{circuit_breaker, fallback, hedge, idempotent, retry};

fn wrong_result(_: &std::io::Error) -> u32 {
    7
}

fn wrong_argument(_: &u32) -> bool {
    true
}

#[retry(on = wrong_result)]
//~ error at `wrong_result`: a predicate cannot return `u32`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u32`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn retry_result() -> std::io::Result<()> {
    Ok(())
}

#[retry(on = |_| 7)]
//~ error at `|`: a predicate cannot return `{integer}`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `{integer}`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn retry_closure_result() -> std::io::Result<()> {
    Ok(())
}

#[retry(on = |a, b| true)]
//~ rustc: error[E0593] at `|`: closure is expected to take 1 argument, but it takes 2 arguments
//~ rustc: label: expected closure that takes 1 argument
//~ rustc: label: takes 2 arguments
async fn retry_two_arguments() -> std::io::Result<()> {
    Ok(())
}

#[retry(on = |_| async { true })]
//~ error at `|`: a predicate cannot return `{async block}`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `{async block}`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn retry_async() -> std::io::Result<()> {
    Ok(())
}

#[retry(on_ok = |_| 7)]
//~ error at `|`: a predicate cannot return `{integer}`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `{integer}`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn retry_result_of_on_ok() -> std::io::Result<()> {
    Ok(())
}

#[retry(on_retry = || ())]
//~ rustc: error[E0593] at `|`: closure is expected to take 1 argument, but it takes 0 arguments
//~ rustc: label: expected closure that takes 1 argument
//~ rustc: label: takes 0 arguments
//~ rustc: help: consider changing the closure to take and ignore the expected argument
async fn retry_hook() -> std::io::Result<()> {
    Ok(())
}

#[retry(on_give_up = |_, _| ())]
//~ rustc: error[E0593] at `|`: closure is expected to take 1 argument, but it takes 2 arguments
//~ rustc: label: expected closure that takes 1 argument
//~ rustc: label: takes 2 arguments
async fn give_up_hook() -> std::io::Result<()> {
    Ok(())
}

#[retry(on = wrong_result)]
//~ error at `wrong_result`: a predicate cannot return `u32`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u32`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
fn blocking_retry_result() -> std::io::Result<()> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 5, on = wrong_result)]
//~ error at `wrong_result`: a predicate cannot return `u32`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u32`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn breaker_result() -> std::io::Result<()> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 5, on_ok = |_| 7)]
//~ error at `|`: a predicate cannot return `{integer}`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `{integer}`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn breaker_result_of_on_ok() -> std::io::Result<()> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 5, on = || true)]
//~ rustc: error[E0593] at `|`: closure is expected to take 1 argument, but it takes 0 arguments
//~ rustc: label: expected closure that takes 1 argument
//~ rustc: label: takes 0 arguments
//~ rustc: help: consider changing the closure to take and ignore the expected argument
fn breaker_no_argument() -> std::io::Result<()> {
    Ok(())
}

#[hedge(after = "50ms", idempotent, on = wrong_result)]
//~ error at `wrong_result`: a predicate cannot return `u32`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u32`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn hedge_result() -> std::io::Result<()> {
    Ok(())
}

#[fallback(value = (), on = wrong_result)]
//~ error at `wrong_result`: a predicate cannot return `u32`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u32`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn fallback_result() -> std::io::Result<()> {
    Ok(())
}

#[fallback(value = (), on_ok = |_| 7)]
//~ error at `|`: a predicate cannot return `{integer}`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `{integer}`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn fallback_result_of_on_ok() -> std::io::Result<()> {
    Ok(())
}

#[fallback(with = async { () })]
//~ error at `async { () }`: a future as the replacement is the result of a function: write `with = |_| async { … }`
async fn fallback_future() -> std::io::Result<()> {
    Ok(())
}

#[fallback(stale = "5s", key = (), on = wrong_result)]
//~ error at `wrong_result`: a predicate cannot return `u32`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u32`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn stale_result() -> std::io::Result<u32> {
    Ok(5)
}

#[idempotent(key = 5, scope = "global", on = wrong_result)]
//~ error at `wrong_result`: a predicate cannot return `u32`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u32`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn idempotent_result() -> std::io::Result<u32> {
    Ok(5)
}

#[idempotent(key = 5, scope = "global", on_interrupted = reconcile(wrong_argument))]
//~ rustc: error[E0308] at `wrong_argument`: mismatched types
//~ rustc: label: expected `&u32`, found `IdempotencyContext`
//~ rustc: label: arguments to this function are incorrect
//~ rustc: note: function defined here
async fn reconcile_argument() -> std::io::Result<u32> {
//~ error at `std`: `bool` is not a future
//~ label: `bool` is not a future
//~ rustc: help: the trait `Future` is not implemented for `bool`
    Ok(5)
}

#[retry(error_sink = |_: &u32| ())]
//~ rustc: error[E0631] at `|`: type mismatch in closure arguments
//~ rustc: label: expected due to this
//~ rustc: label: found signature defined here
//~ rustc: note: expected closure signature `fn(std::io::Error) -> _` found closure signature `fn(&u32) -> _`
async fn error_sink_argument() -> std::io::Result<()> {
    Ok(())
}

#[idempotent(key = 5, scope = "global", keep = with(wrong_argument))]
//~ rustc: error[E0308] at `wrong_argument`: mismatched types
//~ rustc: label: expected `&u32`, found `&Result<u32, Error>`
//~ rustc: label: arguments to this function are incorrect
//~ rustc: note: expected reference `&u32` found reference `&Result<u32, std::io::Error>`
//~ rustc: note: function defined here
//~ rustc: error[E0308] at `wrong_argument`: mismatched types
//~ rustc: label: expected `Disposition`, found `bool`
async fn keep_argument() -> std::io::Result<u32> {
//~ error at `std`: `std::io::Error` cannot be stored and returned to repeated calls
//~ label: needs `serde::Serialize` and `serde::Deserialize`
//~ rustc: help: the trait `idempotent::codec::Storable` is not implemented for `std::io::Error`
//~ note: derive both, `#[derive(serde::Serialize, serde::Deserialize)]`
//~ rustc: note: required for `idempotent::codec::KeepWith<{closure}>` to implement `idempotent::codec::OutcomePolicy<Result<u32, std::io::Error>>`
    Ok(5)
}

#[hedge(after = "50ms", idempotent, on_ok = |_| 7)]
//~ error at `|`: a predicate cannot return `{integer}`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `{integer}`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
async fn hedge_result_of_on_ok() -> std::io::Result<()> {
    Ok(())
}
