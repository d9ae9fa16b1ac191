// Type errors, which the compiler reports after the expansion.

use resilience::{Rejected, circuit_breaker};

mod breaker_of_wrong_type {
    use resilience::circuit_breaker;

    static SHARED: u32 = 5;

    #[circuit_breaker(breaker = &SHARED)]
    //~ error at `&`: `&u32` is not a `resilience::CircuitBreaker<_>`, and no pointer to one
    //~ label: not a policy made by hand
    //~ rustc: help: the trait `resilience_core::expansion::PolicyHandle<resilience::CircuitBreaker<_>>` is not implemented for `&u32`
    //~ note: pass the policy, a reference to a `static`, a `Box` or an `Arc`; settings such as a share or a number are literals, like `budget = 0.2`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_of_wrong_type {
    use resilience::circuit_breaker;

    const LIMIT: usize = 5;

    #[circuit_breaker(failure_threshold = LIMIT)]
    //~ rustc: error[E0308] at `LIMIT`: mismatched types
    //~ rustc: label: expected `u32`, found `usize`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: function defined here
    fn call() -> Result<(), ()> {
        Err(())
    }
}

// The attribute does not see the parameter of the `impl`.
mod generic_of_impl {
    use resilience::circuit_breaker;

    struct Client<const N: u32>;

    impl<const N: u32> Client<N> {
        #[circuit_breaker(failure_threshold = N)]
        //~ rustc: error[E0401] at `N`: can't use generic parameters from outer item
        //~ rustc: label: use of generic parameter from outer item
        //~ rustc: label: const parameter from outer item
        //~ rustc: label: generic parameter used in this inner static item
        //~ rustc: note: nested items are independent from their parent item for everything except for privacy and name resolution
        //~ rustc: note: a `static` is a separate item from the item that contains it
        fn call(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

#[circuit_breaker(on_state_change = |from, to| drop((from, to)))]
//~ rustc: error[E0593] at `|from, to|`: closure is expected to take 1 argument, but it takes 2 arguments
//~ rustc: label: expected closure that takes 1 argument
//~ rustc: label: takes 2 arguments
fn hook_argument() -> Result<(), ()> {
    Err(())
}

// The hook lives as long as the process.
#[circuit_breaker(on_state_change = |_| println!("{id}"))]
//~ error at `|_| println!("{id}")`: `on_state_change` belongs to the policy and runs outside the call, so the hook cannot use `id`; for a hook with values of its own pass a policy, `breaker = …`, made with `on_state_change_with`
fn hook_captures(id: u32) -> Result<(), ()> {
    Err(drop(id))
}

#[circuit_breaker(key = id)]
//~ rustc: error[E0277] at `id`: the trait bound `f64: Hash` is not satisfied
//~ rustc: label: the trait `Hash` is not implemented for `f64`
fn key_without_hash(id: f64) -> Result<(), ()> {
    Err(drop(id))
}

mod on_argument {
    use resilience::circuit_breaker;

    fn is_failure(error: &String) -> bool {
        error.is_empty()
    }

    #[circuit_breaker(on = is_failure)]
    //~ rustc: error[E0308] at `is_failure`: mismatched types
    //~ rustc: label: expected `&String`, found `&()`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: expected reference `&String` found reference `&()`
    //~ rustc: note: function defined here
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod on_ok_argument {
    use resilience::{Rejected, circuit_breaker};

    fn is_busy(error: &Rejected) -> bool {
        error.retry_after().is_some()
    }

    #[circuit_breaker(on_ok = is_busy)]
    //~ rustc: error[E0308] at `is_busy`: mismatched types
    //~ rustc: label: expected `&Rejected`, found `&u16`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: expected reference `&resilience::Rejected` found reference `&u16`
    //~ rustc: note: function defined here
    fn call() -> Result<u16, Rejected> {
        Ok(503)
    }
}

#[circuit_breaker(on_ok = |status| *status)]
//~ error at `|`: a predicate cannot return `u16`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `u16`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
fn on_ok_result() -> Result<u16, Rejected> {
    Ok(503)
}

#[circuit_breaker(on = |_| 5)]
//~ error at `|`: a predicate cannot return `{integer}`
//~ label: needs to return `bool` or `FailureClass`
//~ rustc: help: the trait `resilience_core::classify::PredicateResult` is not implemented for `{integer}`
//~ note: return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`
fn on_result() -> Result<(), ()> {
    Err(())
}

mod window_constant_of_wrong_type {
    use resilience::circuit_breaker;

    const SIZE: usize = 100;

    #[circuit_breaker(failure_rate = 0.5, window = SIZE)]
    //~ rustc: error[E0599] at `SIZE`: no method named `windowed` found for struct `resilience::__private::Window<usize>` in the current scope
    //~ rustc: label: method not found in `resilience::__private::Window<usize>`
    //~ rustc: note: the method was found for - `resilience::__private::Window<Duration>` - `resilience::__private::Window<u32>`
    fn call() -> Result<(), ()> {
        Err(())
    }
}
