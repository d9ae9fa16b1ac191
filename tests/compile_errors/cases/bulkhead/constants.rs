// Constants that break a rule. The compiler evaluates the rule after the expansion.

use std::time::Duration;

use resilience::bulkhead;

mod constant_max {
    use resilience::bulkhead;

    const NONE: u32 = 0;

    #[bulkhead(max = NONE)]
    //~ error at `NONE`: `max` must be at least 1, or no call could run
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod constant_queue {
    use resilience::bulkhead;

    const NONE: u32 = 0;

    #[bulkhead(max = 10, queue = NONE, wait = "1s")]
    //~ error at `NONE`: `queue` is zero, so no call could `wait`; raise `queue` or remove `wait`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

#[bulkhead(max = 10, queue = 5, wait = Duration::ZERO)]
//~ error at `Duration`: `wait` is zero, so no call could stay in the `queue`; raise `wait` or remove `queue`
fn constant_wait() -> Result<(), ()> {
    Err(())
}
