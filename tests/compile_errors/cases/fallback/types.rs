// Type errors, which the compiler reports after the expansion.

use resilience::fallback;

#[fallback(with = |_| async { "seven" })]
//~ error at `|`: a fallback for this function cannot be `&str`
//~ label: neither the value of a success nor the return type of the function
//~ rustc: help: the trait `resilience_core::fallback::Recovered<u32, ()>` is not implemented for `&str`
//~ note: return `u32`, or the return type of the function
async fn async_with_of_wrong_type() -> Result<u32, ()> {
    Err(())
}

// The body consumes an owned argument.
#[fallback(value = id.len() as u32)]
//~ rustc: error[E0382] at `id`: borrow of moved value: `id`
//~ rustc: label: value moved into closure here
//~ rustc: label: variable moved due to use in closure
//~ rustc: label: value borrowed here after move
//~ rustc: label: move occurs because `id` has type `String`, which does not implement the `Copy` trait
//~ rustc: help: consider cloning the value if the performance cost is acceptable
fn consumed_argument(id: String) -> Result<u32, ()> {
    drop(id);
    Err(())
}

// A sync function cannot run a future.
#[fallback(with = |_| async { 7 })]
//~ error at `|`: a fallback for this function cannot be `{async block}`
//~ label: neither the value of a success nor the return type of the function
//~ rustc: help: the trait `resilience_core::fallback::Recovered<u32, ()>` is not implemented for `{async block}`
//~ note: return `u32`, or the return type of the function
fn future_on_sync() -> Result<u32, ()> {
    Err(())
}

mod on_argument {
    use resilience::fallback;

    fn is_unavailable(error: &String) -> bool {
        error.is_empty()
    }

    #[fallback(value = 7, on = is_unavailable)]
    //~ rustc: error[E0308] at `is_unavailable`: mismatched types
    //~ rustc: label: expected `&String`, found `&()`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: expected reference `&String` found reference `&()`
    //~ rustc: note: function defined here
    fn call() -> Result<u32, ()> {
        Err(())
    }
}

mod on_ok_argument {
    use resilience::fallback;

    fn is_busy(status: u16) -> bool {
        status >= 500
    }

    #[fallback(value = 304, on_ok = is_busy)]
    //~ rustc: error[E0308] at `is_busy`: mismatched types
    //~ rustc: label: expected `u16`, found `&u16`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: function defined here
    //~ rustc: help: consider using clone here
    fn call() -> Result<u16, ()> {
        Err(())
    }
}

mod path_without_argument {
    use resilience::fallback;

    fn cached() -> u32 {
        7
    }

    #[fallback(with = cached)]
    //~ rustc: error[E0061] at `cached`: this function takes 0 arguments but 1 argument was supplied
    //~ rustc: label: unexpected argument of type `()`
    //~ rustc: note: function defined here
    fn call() -> Result<u32, ()> {
        Err(())
    }
}

#[fallback(value = "seven")]
//~ error at `"seven"`: a fallback for this function cannot be `&str`
//~ label: neither the value of a success nor the return type of the function
//~ rustc: help: the trait `resilience_core::fallback::Recovered<u32, ()>` is not implemented for `&str`
//~ note: return `u32`, or the return type of the function
fn value_of_wrong_type() -> Result<u32, ()> {
    Err(())
}

mod with_argument {
    use resilience::fallback;

    fn cached(id: &str) -> u32 {
        id.len() as u32
    }

    #[fallback(with = cached)]
    //~ rustc: error[E0308] at `cached`: mismatched types
    //~ rustc: label: expected `&str`, found `()`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: function defined here
    fn call() -> Result<u32, ()> {
        Err(())
    }
}

mod with_called {
    use resilience::fallback;

    fn cached() -> u32 {
        7
    }

    #[fallback(with = cached())]
    //~ rustc: error[E0277] at `cached()`: expected a `FnOnce(())` closure, found `u32`
    //~ rustc: label: expected an `FnOnce(())` closure, found `u32`
    //~ rustc: help: the trait `FnOnce(())` is not implemented for `u32`
    fn call() -> Result<u32, ()> {
        Err(())
    }
}

#[fallback(with = || 7)]
//~ rustc: error[E0593] at `|`: closure is expected to take a single 0-tuple as argument, but it takes 0 arguments
//~ rustc: label: expected closure that takes a single 0-tuple as argument
//~ rustc: label: takes 0 arguments
//~ rustc: help: consider changing the closure to take and ignore the expected argument
//~ rustc: help: change the closure to accept a tuple instead of individual arguments
fn with_no_argument() -> Result<u32, ()> {
    Err(())
}

#[fallback(with = |_| Err::<u32, _>("no"))]
//~ error at `|`: a fallback for this function cannot be `Result<u32, &str>`
//~ label: neither the value of a success nor the return type of the function
//~ note: return `u32`, or the return type of the function
//~ rustc: help: the trait `Recovered<_, ()>` is not implemented for `Result<u32, &str>` but trait `Recovered<_, &str>` is implemented for it
//~ help: for that trait implementation, expected `&str`, found `()`
fn with_of_wrong_error() -> Result<u32, ()> {
    Err(())
}

#[fallback(with = |_| "seven")]
//~ error at `|`: a fallback for this function cannot be `&str`
//~ label: neither the value of a success nor the return type of the function
//~ rustc: help: the trait `resilience_core::fallback::Recovered<u32, ()>` is not implemented for `&str`
//~ note: return `u32`, or the return type of the function
fn with_of_wrong_type() -> Result<u32, ()> {
    Err(())
}
