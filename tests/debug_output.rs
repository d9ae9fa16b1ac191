//! The debug output of policies and of calls: names, sizes and states.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use resilience::context::{Context, Priority};
use resilience::{
    Bulkhead, CircuitBreaker, Coalescer, HedgePolicy, Keyed, PolicyHandle, RateLimiter, RetryPolicy,
};

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn assert_shows(value: &dyn Debug, parts: &[&str]) {
    let text = format!("{value:?}");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in `{text}`");
    }
}

#[test]
fn policies_show_their_names() {
    let name = "debug-output";
    assert_shows(&RetryPolicy::new().name(name), &["RetryPolicy", name]);
    assert_shows(&CircuitBreaker::new().name(name), &["CircuitBreaker", name, "Closed"]);
    assert_shows(&RateLimiter::new(1, SECOND).name(name), &["RateLimiter", name]);
    assert_shows(&Bulkhead::new(1).name(name), &["Bulkhead", name]);
    assert_shows(&Coalescer::new().name(name), &["Coalescer", name, "running: 0", "waiting: 0"]);
    let hedge = HedgePolicy::after(SECOND).named(name);
    assert_shows(&hedge, &["HedgePolicy", name, "1s"]);
    assert_shows(&hedge.on::<(), (), bool>(|(): &()| true), &["Hedged", name]);
}

#[test]
fn tables_show_their_sizes_and_not_their_keys() {
    static TABLE: Keyed<CircuitBreaker> = Keyed::new(7, CircuitBreaker::new);
    assert!(TABLE.is_empty());
    TABLE.get("secret");
    assert!(!TABLE.is_empty());
    assert_shows(&TABLE, &["Keyed", "max: 7", "len: 1"]);
    assert!(!format!("{TABLE:?}").contains("secret"));
}

#[test]
fn calls_in_a_queue_show_whether_they_wait() {
    let limiter = Arc::new(RateLimiter::new(1, SECOND).wait(SECOND).name("debug-limiter"));
    assert_shows(&limiter.acquire(), &["RateLimitAcquire", "debug-limiter", "is_waiting: false"]);
    assert_shows(&Arc::clone(&limiter).try_acquire_owned(1), &["OwnedRateLimitPermit", "cost: 1"]);
    let bulkhead = Bulkhead::new(1).queue(1).wait(SECOND).name("debug-bulkhead");
    assert_shows(&bulkhead.acquire(), &["BulkheadAcquire", "debug-bulkhead", "is_queued: false"]);
}

#[test]
fn a_handle_of_a_policy_is_opaque() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().name("debug-handle");
    assert_eq!(format!("{:?}", PolicyHandle::from(&BREAKER)), "PolicyHandle { .. }");
}

/// The state of a call may hold values of the user, such as a password in an argument.
#[test]
fn futures_show_no_values_of_the_body() {
    let secret = String::from("hunter2");
    let body = async move { drop(secret) };
    let context = Context::new().priority(Priority::Critical);
    let future = context.scope(body);
    assert_shows(&future, &["InContext", "Critical"]);
    assert!(!format!("{future:?}").contains("hunter2"));
    let coalescer = Coalescer::default().named("debug-coalescer");
    let clone: &Coalescer = coalescer.as_ref();
    assert_shows(clone, &["Coalescer", "debug-coalescer"]);
}
