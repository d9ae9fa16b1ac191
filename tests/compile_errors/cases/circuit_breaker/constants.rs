// Constants that break a rule. The compiler evaluates the rule after the expansion.

mod constant_above_window {
    use resilience::circuit_breaker;

    const MANY: u32 = 11;

    #[circuit_breaker(failure_threshold = MANY, window = 10)]
    //~ error at `MANY`: `failure_threshold` is greater than `window`, so the circuit could never open; raise `window` or lower `failure_threshold`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_half_open {
    use resilience::circuit_breaker;

    const NONE: u32 = 0;

    #[circuit_breaker(half_open_calls = NONE)]
    //~ error at `NONE`: `half_open_calls` is less than `success_threshold`, so the circuit could never close; raise `half_open_calls` or lower `success_threshold`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

// The default of `reset_timeout` is longer.
mod constant_max_reset {
    use std::time::Duration;

    use resilience::circuit_breaker;

    const SHORT: Duration = Duration::from_secs(10);

    #[circuit_breaker(max_reset_timeout = SHORT)]
    //~ error at `SHORT`: `reset_timeout` is longer than `max_reset_timeout`, so the open time could not grow; raise `max_reset_timeout` or lower `reset_timeout`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_probes {
    use resilience::circuit_breaker;

    const WANTED: u32 = 3;

    #[circuit_breaker(success_threshold = WANTED, half_open_calls = 2)]
    //~ error at `WANTED`: `half_open_calls` is less than `success_threshold`, so the circuit could never close; raise `half_open_calls` or lower `success_threshold`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_rate {
    use resilience::circuit_breaker;

    const PERCENT: f64 = 50.0;

    #[circuit_breaker(failure_rate = PERCENT)]
    //~ error at `PERCENT`: `failure_rate` must be a share of the calls, above 0 and at most 1
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_reset {
    use std::time::Duration;

    use resilience::circuit_breaker;

    const LONG: Duration = Duration::from_secs(60);

    #[circuit_breaker(reset_timeout = LONG, max_reset_timeout = "30s")]
    //~ error at `LONG`: `reset_timeout` is longer than `max_reset_timeout`, so the open time could not grow; raise `max_reset_timeout` or lower `reset_timeout`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_threshold {
    use resilience::circuit_breaker;

    const NONE: u32 = 0;

    #[circuit_breaker(failure_threshold = NONE)]
    //~ error at `NONE`: `failure_threshold` must be at least 1, or the circuit would be open from the start
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_window {
    use resilience::circuit_breaker;

    const NONE: u32 = 0;

    #[circuit_breaker(failure_rate = 0.5, window = NONE)]
    //~ error at `NONE`: `window` must be from 1 to 100000 calls; for a longer window write a time, like `"10s"`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_window_time {
    use std::time::Duration;

    use resilience::circuit_breaker;

    const NONE: Duration = Duration::ZERO;

    #[circuit_breaker(failure_rate = 0.5, window = NONE)]
    //~ error at `NONE`: `window` is zero, so no call could be in it; write a longer time, like `"10s"`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_min_calls {
    use resilience::circuit_breaker;

    const MINIMUM: u32 = 200;

    #[circuit_breaker(failure_rate = 0.5, window = 100, min_calls = MINIMUM)]
    //~ error at `MINIMUM`: `min_calls` is greater than `window`, so no rate could ever count; raise `window` or lower `min_calls`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_jitter {
    use resilience::circuit_breaker;

    const PERCENT: f64 = 10.0;

    #[circuit_breaker(jitter = PERCENT)]
    //~ error at `PERCENT`: `jitter` must be a share of the open time, from 0 to 1
    fn call() -> Result<(), ()> {
        Err(())
    }
}
