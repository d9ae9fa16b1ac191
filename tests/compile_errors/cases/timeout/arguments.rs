// Mistakes in the arguments.

use resilience::timeout;

#[timeout(1.5)]
//~ error at `1.5`: missing unit: write `"1.5ms"` or `"1.5s"`
async fn bare_fraction() -> Result<(), ()> {
    Err(())
}

#[timeout(5)]
//~ error at `5`: missing unit: write `"5ms"` or `"5s"`
async fn bare_number() -> Result<(), ()> {
    Err(())
}

#[timeout()]
//~ error at `#[timeout()]`: `#[timeout]` needs a value: `#[timeout("5s")]`
async fn empty() -> Result<(), ()> {
    Err(())
}

#[timeout("5s", error = "too slow")]
//~ error at `"too slow"`: expected a path or a closure, like `error = from_rejected` or `error = |rejected| …`
async fn error_literal() -> Result<(), ()> {
    Err(())
}

#[timeout("30")]
//~ error at `"30"`: missing unit: write `"30ms"` or `"30s"`
async fn missing_unit_quoted() -> Result<(), ()> {
    Err(())
}

#[timeout]
//~ error at `#[timeout]`: `#[timeout]` needs a value: `#[timeout("5s")]`
async fn no_value() -> Result<(), ()> {
    Err(())
}

#[timeout(duration = "5s")]
//~ error at `duration`: `#[timeout]` has no `duration`; write the time without a key: `#[timeout("5s")]`
async fn other_name() -> Result<(), ()> {
    Err(())
}

#[timeout(name = "fetch", "5s")]
//~ error at `"5s"`: expected a key, like `name = "fetch"`; only the first value is written without a key
async fn second_position() -> Result<(), ()> {
    Err(())
}

#[timeout(seconds = 5)]
//~ error at `seconds`: `#[timeout]` has no `seconds`; write the time without a key: `#[timeout("5s")]`
async fn seconds() -> Result<(), ()> {
    Err(())
}

#[timeout("5s")]
fn sync_fn() -> Result<(), ()> {
//~ error at `fn`: `#[timeout]` needs an `async fn`: a sync body cannot be stopped while it runs; set a timeout on the call inside, or make the function async
    Err(())
}

#[timeout("5s", "10s")]
//~ error at `"10s"`: expected a key, like `name = "fetch"`; only the first value is written without a key
async fn two_times() -> Result<(), ()> {
    Err(())
}

#[timeout("5 seconds")]
//~ error at `"5 seconds"`: unknown unit `seconds`; write `"5s"`
async fn unit_in_words() -> Result<(), ()> {
    Err(())
}

#[timeout(5s)]
//~ error at `5s`: a duration needs quotes: write `"5s"`
async fn unquoted() -> Result<(), ()> {
    Err(())
}

#[timeout("0s")]
//~ error at `"0s"`: a timeout of zero leaves no time to run: write `"5s"`, or remove the attribute
async fn zero() -> Result<(), ()> {
    Err(())
}

#[timeout("5s", on_timeout = note)]
//~ error at `on_timeout`: `#[timeout]` has no `on_timeout`; write `error = |rejected| …` to make the error; a timeout also emits an event
async fn name_of_a_hook() -> Result<(), ()> {
    Err(())
}

#[timeout(-(5))]
//~ rustc: error[E0308] at `-(5)`: mismatched types
//~ rustc: label: expected `Duration`, found integer
//~ rustc: label: arguments to this function are incorrect
//~ rustc: note: function defined here
async fn negative() -> Result<(), ()> {
    Err(())
}
