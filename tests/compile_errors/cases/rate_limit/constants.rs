// Constants that break a rule. The compiler evaluates the rule after the expansion.

use std::time::Duration;

use resilience::rate_limit;

mod constant_burst {
    use resilience::rate_limit;

    const NONE: u32 = 0;

    #[rate_limit(rate = 10, burst = NONE)]
    //~ error at `NONE`: `burst` must be at least 1: a call counts towards its own burst
    fn call() -> Result<(), ()> {
        Err(())
    }
}

#[rate_limit(rate = 10, per = Duration::ZERO)]
//~ error at `Duration`: `per` is zero, but a rate needs a period, like `"1s"`
fn constant_per() -> Result<(), ()> {
    Err(())
}

mod constant_rate {
    use resilience::rate_limit;

    const NONE: u32 = 0;

    #[rate_limit(rate = NONE)]
    //~ error at `NONE`: `rate` must be at least 1, or no call could run
    fn call() -> Result<(), ()> {
        Err(())
    }
}
