// Mistakes in the arguments.

use resilience::fallback;

#[fallback(value = 7, with = |_| 7)]
//~ error at `value`: `value` and `with` exclude each other: a value, or a function that makes a value from the error; remove one of them
//~ error at `with`: `value` and `with` exclude each other: a value, or a function that makes a value from the error; remove one of them
fn both() -> Result<u32, ()> {
    Err(())
}

#[fallback(default = 7)]
//~ error at `default`: `#[fallback]` has no `default`; write `value = 7` (the value to return instead)
fn default() -> Result<u32, ()> {
    Err(())
}

#[fallback]
//~ error at `#[fallback]`: `#[fallback]` needs a replacement for the failure: `value = …`, `with = |error| …`, or the last good value: `stale = "10m", key = …`
fn neither() -> Result<u32, ()> {
    Err(())
}

#[fallback(value = 7, log = "trace")]
//~ error at `"trace"`: unknown value `"trace"` of `log`; expected one of `"error"`, `"warn"`, `"info"`, `"debug"`, `"off"`
fn unknown_level() -> Result<u32, ()> {
    Err(())
}

#[fallback(value = 7, on_fallback = true)]
//~ error at `true`: expected a path or a closure, like `on_fallback = notify` or `on_fallback = |event| …`
fn on_fallback_literal() -> Result<u32, ()> {
    Err(())
}

#[fallback(value = 7, on = true)]
//~ error at `true`: expected a path or a closure, like `on = is_transient` or `on = |error| …`
fn on_literal() -> Result<u32, ()> {
    Err(())
}

#[fallback(value = 304, on_ok = 503)]
//~ error at `503`: expected a path or a closure, like `on_ok = is_busy` or `on_ok = |value| …`
fn on_ok_literal() -> Result<u16, ()> {
    Err(())
}

// A value that `on_ok` accepts has no error for `with`.
#[fallback(with = |error| 304, on_ok = |status| *status >= 500)]
//~ error at `on_ok`: `with` is a function of an error, and a success has no error; with `on_ok` write `value = …`
fn on_ok_with() -> Result<u16, ()> {
    Err(())
}

mod other_library {
    use resilience::fallback;

    fn cached(_: ()) -> u32 {
        7
    }

    #[fallback(fallback_method = cached)]
    //~ error at `fallback_method`: `#[fallback]` has no `fallback_method`; write `with = cached` (called with the error)
    fn call() -> Result<u32, ()> {
        Err(())
    }
}

#[fallback(with = 7)]
//~ error at `7`: `with` is a function of the error; write `value = 7`
fn with_literal() -> Result<u32, ()> {
    Err(())
}

#[fallback(value = 7, when = is_down, handle_result = is_empty)]
//~ error at `handle_result`: `#[fallback]` has no `handle_result`; write `on_ok = is_empty` (the values to replace)
//~ error at `when`: `#[fallback]` has no `when`; write `on = is_down` (the errors to replace)
fn names_of_predicates() -> Result<u32, ()> {
    Err(())
}

#[fallback(value = async { Ok(7) })]
//~ error at `async { Ok(7) }`: a future as the replacement is the result of a function: write `with = |_| async { … }`
async fn future_as_a_value() -> Result<u32, ()> {
    Err(())
}
