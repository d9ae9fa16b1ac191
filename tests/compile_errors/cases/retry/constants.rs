// Constants that break a rule. The compiler evaluates the rule after the expansion.

use resilience::{Jitter, retry};

mod base_above_max_constant {
    use resilience::retry;

    const BASE: std::time::Duration = std::time::Duration::from_secs(20);

    #[retry(base_delay = BASE, max_delay = "10s")]
    //~ error at `BASE`: `base_delay` is longer than `max_delay`, so no delay could grow; raise `max_delay` or lower `base_delay`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_attempts {
    use resilience::retry;

    const NONE: u32 = 0;

    #[retry(attempts = NONE)]
    //~ error at `NONE`: `attempts` must be at least 1: the first call counts as an attempt
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_factor {
    use resilience::retry;

    const SHRINK: f64 = 0.5;

    #[retry(factor = SHRINK)]
    //~ error at `SHRINK`: `factor` must be a finite number of at least 1: delays cannot shrink
    fn call() -> Result<(), ()> {
        Err(())
    }
}

#[retry(jitter = Jitter::Ratio(2.0))]
//~ error at `Jitter`: a jitter ratio must be between 0 and 1
fn constant_jitter() -> Result<(), ()> {
    Err(())
}

mod base_above_deadline_constant {
    use std::time::Duration;

    use resilience::retry;

    const DEADLINE: Duration = Duration::from_millis(50);

    #[retry(base_delay = "100ms", deadline = DEADLINE)]
    //~ error at `DEADLINE`: `base_delay` is not shorter than `deadline`, so no retry could start; raise `deadline` or lower `base_delay`
    fn call() -> Result<(), ()> {
        Err(())
    }
}
