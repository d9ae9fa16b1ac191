// Values that a key does not accept.

use resilience::circuit_breaker;

#[circuit_breaker(on_cancel = failure)]
//~ error at `failure`: a choice needs quotes: write `on_cancel = "failure"`
fn on_cancel_unquoted() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(on_cancel = "success")]
//~ error at `"success"`: unknown value `"success"` of `on_cancel`; expected one of `"ignore"`, `"failure"`
fn on_cancel_word() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_threshold = count)]
//~ error at `count`: `failure_threshold` must be known at compile time; for a value known at run time pass a policy: `breaker = …`
fn argument_as_count(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

#[circuit_breaker(breaker = "payments")]
//~ error at `"payments"`: expected a `CircuitBreaker`, like `breaker = &SHARED` or `breaker = self.breaker`
fn breaker_by_name() -> Result<(), ()> {
    Err(())
}

mod field_as_time {
    use std::time::Duration;

    use resilience::circuit_breaker;

    struct Client {
        pause: Duration,
    }

    impl Client {
        #[circuit_breaker(reset_timeout = self.pause)]
        //~ error at `self.pause`: `reset_timeout` must be known at compile time; for a value known at run time pass a policy: `breaker = …`
        fn call(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

#[circuit_breaker(failure_threshold = 0.5)]
//~ error at `0.5`: expected a whole number, like `failure_threshold = 4`
fn fraction_as_count() -> Result<(), ()> {
    Err(())
}

// All instances of a function share one table of keys.
#[circuit_breaker(key = id, max_keys = N)]
//~ error at `N`: `max_keys` cannot depend on a generic parameter: all instances of the function share one `static` state
fn generic_max_keys<const N: u32>(id: u32) -> Result<(), ()> {
    Err(drop(id))
}

// All instances of a function share one breaker.
#[circuit_breaker(failure_threshold = N)]
//~ error at `N`: `failure_threshold` cannot depend on a generic parameter: all instances of the function share one `static` state
fn generic_setting<const N: u32>() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(reset_timeout = 30)]
//~ error at `30`: missing unit: write `"30ms"` or `"30s"`
fn missing_unit() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_threshold = -1)]
//~ error at `-1`: `failure_threshold` cannot be negative; write a whole number, like `failure_threshold = 4`
fn negative_count() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = -0.5)]
//~ error at `-0.5`: `failure_rate` must be a share of the calls, above 0 and at most 1
fn negative_share() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(on_ok = 503)]
//~ error at `503`: expected a path or a closure, like `on_ok = is_busy` or `on_ok = |value| …`
fn on_ok_literal() -> Result<u16, ()> {
    Err(())
}

// The hint holds the value as a share.
#[circuit_breaker(failure_rate = 50)]
//~ error at `50`: `failure_rate` must be a share of the calls, above 0 and at most 1; write `failure_rate = 0.5`
fn percent() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = "50%")]
//~ error at `"50%"`: a number has no quotes: write `failure_rate = 0.5`
fn quoted_rate() -> Result<(), ()> {
    Err(())
}

mod shared_values {
    use resilience::{CircuitBreaker, circuit_breaker};

    static PAYMENTS: CircuitBreaker = CircuitBreaker::new();

    #[circuit_breaker(shared = &PAYMENTS)]
    //~ error at `&PAYMENTS`: expected the name of the breaker in all processes, in quotes: `shared = "payments"`; to share a breaker between functions write `breaker = &PAYMENTS`
    fn borrowed() -> Option<()> {
        None
    }

    #[circuit_breaker(shared)]
    //~ error at `shared`: `shared` needs a value: `shared = …`
    fn bare() -> Option<()> {
        None
    }

    #[circuit_breaker(shared = true)]
    //~ error at `true`: expected the name of the breaker in all processes, in quotes: `shared = "payments"`; to share a breaker between functions write `breaker = &PAYMENTS`
    fn boolean() -> Option<()> {
        None
    }

    #[circuit_breaker(shared = "")]
    //~ error at `""`: expected the name of the breaker in all processes, in quotes: `shared = "payments"`; to share a breaker between functions write `breaker = &PAYMENTS`
    fn empty() -> Option<()> {
        None
    }
}

#[circuit_breaker(failure_rate = 0.5, window = 1.5)]
//~ error at `1.5`: expected a number of calls or a time, like `window = 100` or `window = "10s"`
fn window_of_wrong_type() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_rate = 0.5, window = "10")]
//~ error at `"10"`: a number has no quotes: write `window = 10`
fn window_without_unit() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_threshold = "5", failure_rate = "half", on_cancel = true, on = 5, name = payments)]
//~ error at `"5"`: a number has no quotes: write `failure_threshold = 5`
//~ error at `"half"`: expected a number, like `failure_rate = 0.5`
//~ error at `true`: expected one of `"ignore"`, `"failure"`
//~ error at `payments`: expected a text in quotes: `name = "…"`
//~ error at `5`: expected a path or a closure, like `on = is_transient` or `on = |error| …`
fn wrong_type() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure_threshold = 5, window = 10u8)]
//~ error at `10u8`: `window` is a `u32`: write `window = 10`
fn other_integer_of_a_window() -> Result<(), Rejected> {
    Ok(())
}
