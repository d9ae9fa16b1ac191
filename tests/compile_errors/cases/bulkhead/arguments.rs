// Mistakes in the arguments.

use resilience::bulkhead;

#[bulkhead(max = count)]
//~ error at `count`: `max` must be known at compile time; for a value known at run time pass a policy: `bulkhead = …`
fn argument_as_max(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

mod bulkhead_and_key {
    use resilience::{Bulkhead, bulkhead};

    static SHARED: Bulkhead = Bulkhead::new(10);

    #[bulkhead(bulkhead = &SHARED, key = 5, max_keys = 7)]
    //~ error at `key`: `key` and `bulkhead` exclude each other: a policy made by hand has one state for all keys; for a policy per key write `bulkhead = POLICIES.get(key)` with a `Keyed<Bulkhead>`, or remove `bulkhead` and set the numbers of each key with `settings = …`
    //~ error at `max_keys`: `max_keys` and `bulkhead` exclude each other: a policy made by hand has one state for all keys; for a policy per key write `bulkhead = POLICIES.get(key)` with a `Keyed<Bulkhead>`, or remove `bulkhead` and set the numbers of each key with `settings = …`
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod bulkhead_and_settings {
    use resilience::{Bulkhead, bulkhead};

    static SHARED: Bulkhead = Bulkhead::new(10);

    #[bulkhead(bulkhead = &SHARED, max = 5, wait = "1s")]
    //~ error at `max`: `max` and `bulkhead` exclude each other: a policy made by hand has its own settings; remove `max`, or set it on the policy
    //~ error at `wait`: `wait` and `bulkhead` exclude each other: a policy made by hand has its own settings; remove `wait`, or set it on the policy
    fn call() -> Result<(), ()> {
        Err(())
    }
}

#[bulkhead(bulkhead = "payments")]
//~ error at `"payments"`: expected a `Bulkhead`, like `bulkhead = &SHARED` or `bulkhead = self.bulkhead`
fn bulkhead_by_name() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = N)]
//~ error at `N`: `max` cannot depend on a generic parameter: all instances of the function share one `static` state
fn generic_max<const N: u32>() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = 10, max_keys = 100)]
//~ error at `max_keys`: `max_keys` needs a `key`: write `key = …`, or remove it
fn max_keys_alone() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = 10, wait = 100)]
//~ error at `100`: missing unit: write `"100ms"` or `"100s"`
fn missing_unit() -> Result<(), ()> {
    Err(())
}

#[bulkhead(permits = 10, waiting_task_queue = 20, queue_limit = 5, timeout = 100)]
//~ error at `permits`: `#[bulkhead]` has no `permits`; write `max = 10` (concurrent calls)
//~ error at `waiting_task_queue`: `#[bulkhead]` has no `waiting_task_queue`; write `queue = 20` (calls that may wait)
//~ error at `queue_limit`: `#[bulkhead]` has no `queue_limit`; write `queue = 5` (calls that may wait)
//~ error at `timeout`: `#[bulkhead]` has no `timeout`; write `wait = "100ms"` (the longest wait of a call)
fn names_of_others() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max_concurrent_calls = 25, max_wait_duration = "100ms")]
//~ error at `max_concurrent_calls`: `#[bulkhead]` has no `max_concurrent_calls`; write `max = 25` (concurrent calls)
//~ error at `max_wait_duration`: `#[bulkhead]` has no `max_wait_duration`; write `wait = "100ms"` (the longest wait of a call)
fn names_of_resilience4j() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = -1)]
//~ error at `-1`: `max` cannot be negative; write a whole number, like `max = 4`
fn negative_count() -> Result<(), ()> {
    Err(())
}

#[bulkhead]
//~ error at `#[bulkhead]`: `#[bulkhead]` needs the number of concurrent calls: `max = 10`
fn no_max() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = 10, queue = 20, wait = "0s")]
//~ error at `"0s"`: `wait` is zero, so no call could stay in the `queue`; raise `wait` or remove `queue`
fn queue_and_zero_wait() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max: 10)]
//~ error at `:`: expected `=` between a key and its value: `max = …`
fn value_in_colons() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = "10", queue = 1.5, wait = true)]
//~ error at `"10"`: a number has no quotes: write `max = 10`
//~ error at `1.5`: expected a whole number, like `queue = 4`
//~ error at `true`: expected a duration, like `wait = "250ms"`
fn wrong_type() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = 0)]
//~ error at `0`: `max` must be at least 1, or no call could run
fn zero_max() -> Result<(), ()> {
    Err(())
}

#[bulkhead(max = 10, queue = 0, wait = "100ms")]
//~ error at `0`: `queue` is zero, so no call could `wait`; raise `queue` or remove `wait`
fn zero_queue_and_wait() -> Result<(), ()> {
    Err(())
}

#[bulkhead(capacity = 10, shared = POOL)]
//~ error at `capacity`: `#[bulkhead]` has no `capacity`; write `max = 10` for running calls, `queue = 20` for waiting calls
//~ error at `shared`: `#[bulkhead]` has no `shared`; write `bulkhead = &SHARED`
fn names_of_pools() -> Result<(), ()> {
    Err(())
}
