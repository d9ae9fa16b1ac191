//! Permits: their number, and their return.

use std::panic::{AssertUnwindSafe, catch_unwind};

use allocation_counter::measure;
use resilience::{Bulkhead, Rejected, testing};

use crate::{at_once, is_full, ms};

#[test]
fn a_full_bulkhead_rejects_at_once() {
    let bulkhead = Bulkhead::new(2);
    let first = bulkhead.try_acquire().expect("the first");
    let second = bulkhead.acquire_blocking().expect("the second");
    assert_eq!((bulkhead.running(), bulkhead.queued()), (2, 0));
    for rejected in [
        bulkhead.try_acquire().expect_err("full"),
        bulkhead.acquire_blocking().expect_err("full"),
        at_once(bulkhead.acquire()).expect_err("full"),
    ] {
        assert!(is_full(&rejected), "{rejected:?}");
        assert_eq!(rejected.to_string(), "bulkhead: bulkhead full");
    }
    drop(second);
    assert_eq!(bulkhead.running(), 1);
    let second = at_once(bulkhead.acquire()).expect("one came back");
    drop((first, second));
    assert_eq!(bulkhead.running(), 0);
}

#[test]
fn names() {
    let name = |bulkhead: Bulkhead| {
        let _all = bulkhead.try_acquire().expect("the first");
        bulkhead.try_acquire().expect_err("full").name()
    };
    assert_eq!(name(Bulkhead::new(1)), "bulkhead");
    assert_eq!(name(Bulkhead::new(1).at("module::function", 0)), "module::function");
    assert_eq!(name(Bulkhead::new(1).name("reports").at("module::function", 0)), "reports");
}

#[test]
fn a_rejection_becomes_the_outcome() {
    #[derive(Debug, PartialEq)]
    enum ApiError {
        Down,
        Rejected(Rejected),
    }
    impl From<Rejected> for ApiError {
        fn from(rejected: Rejected) -> Self {
            Self::Rejected(rejected)
        }
    }
    let bulkhead = Bulkhead::new(1).name("api");
    let call = || bulkhead.run(|| Err::<(), _>(ApiError::Down));
    let call_async = || at_once(bulkhead.run_async(async { Err::<(), _>(ApiError::Down) }));
    assert_eq!((call(), call_async()), (Err(ApiError::Down), Err(ApiError::Down)));

    let _all = bulkhead.try_acquire().expect("free again");
    let rejected = bulkhead.try_acquire().expect_err("full");
    assert_eq!(call(), Err(ApiError::Rejected(rejected.clone())));
    assert_eq!(call_async(), Err(ApiError::Rejected(rejected)));
    assert_eq!(bulkhead.run(|| Some("never")), None);
    let error = bulkhead.run(|| Ok::<(), Box<dyn std::error::Error + Send + Sync>>(()));
    assert!(is_full(error.expect_err("full").downcast_ref().expect("a rejection")));
}

#[test]
fn a_panic_returns_the_permit() {
    let bulkhead = Bulkhead::new(1);
    let call = || bulkhead.run(|| -> Option<()> { panic!("of the body") });
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    assert_eq!(bulkhead.running(), 0);
    let call = || {
        at_once(bulkhead.run_async(async { if true { panic!("of the body") } else { Some(()) } }))
    };
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    assert_eq!(bulkhead.running(), 0);
    assert_eq!(bulkhead.run(|| Some(7)), Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_returns_the_permit() {
    let bulkhead = Bulkhead::new(1);
    let call = bulkhead.run_async(std::future::pending::<Option<()>>());
    assert!(tokio::time::timeout(ms(5), call).await.is_err());
    assert_eq!(bulkhead.running(), 0);
    // A future that was never polled has no permit.
    drop(bulkhead.acquire());
    assert_eq!(bulkhead.running(), 0);
}

#[test]
fn the_body_runs_under_a_permit() {
    let bulkhead = Bulkhead::new(3);
    assert_eq!(bulkhead.run(|| Some(bulkhead.running())), Some(1));
    assert_eq!(at_once(bulkhead.run_async(async { Some(bulkhead.running()) })), Some(1));
    assert_eq!(bulkhead.running(), 0);
}

#[test]
fn invalid_numbers_are_replaced() {
    let words = |bulkhead: &Bulkhead| bulkhead.validate().map_err(|error| error.to_string());
    let zero = ms(0);
    for good in [
        Bulkhead::new(1),
        Bulkhead::new(1).queue(0),
        Bulkhead::new(1).wait(zero),
        Bulkhead::new(1).queue(0).wait(zero),
        Bulkhead::new(u32::MAX).queue(u32::MAX).wait(ms(1)),
    ] {
        assert_eq!(words(&good), Ok(()), "{good:?}");
    }
    for (bad, named) in [
        (Bulkhead::new(0), "`max`"),
        (Bulkhead::new(1).queue(0).wait(ms(1)), "`queue` is zero"),
        (Bulkhead::new(1).queue(1).wait(zero), "in the `queue`"),
    ] {
        let words = words(&bad).expect_err(named);
        assert!(words.contains(named), "{words}");
        // The bulkhead still works with the nearest valid values: one call at a time, and no
        // queue.
        let permit = bad.acquire_blocking().expect("a permit");
        assert!(bad.acquire_blocking().is_err());
        assert!(at_once(bad.acquire()).is_err());
        drop(permit);
        assert_eq!(bad.running(), 0);
    }
}

#[test]
fn fresh_state() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(7).name("fresh");
    let _all = BULKHEAD.try_acquire().expect("the first");
    {
        let _guard = testing::fresh_state();
        let fresh = resilience::__private::resolve(&BULKHEAD);
        let _permit = fresh.try_acquire().expect("fresh state");
        assert_eq!(fresh.try_acquire().expect_err("full").name(), "fresh");
        assert!(format!("{fresh:?}").contains("queue: Some(7)"), "{fresh:?}");
    }
    assert!(resilience::__private::resolve(&BULKHEAD).try_acquire().is_err());
}

#[test]
fn memory_cost() {
    fn sends<T: Send>(value: T) -> T {
        value
    }
    let bulkhead = Bulkhead::new(1).queue(4).wait(ms(5));
    let counted = measure(|| {
        assert_eq!(bulkhead.run(|| Some(7)), Some(7));
        assert_eq!(at_once(bulkhead.run_async(async { Some(7) })), Some(7));
    });
    assert_eq!(counted.count_total, 0, "no allocation without waiters");
    drop(sends(bulkhead.acquire()));
    drop(sends(bulkhead.try_acquire()));
    let timer = size_of::<tokio::time::Sleep>();
    assert!(size_of_val(&bulkhead.acquire()) <= timer + 40, "{}", size_of_val(&bulkhead.acquire()));
}

#[test]
fn shown() {
    let bulkhead = Bulkhead::new(3).wait(ms(5));
    let _permit = bulkhead.try_acquire();
    assert_eq!(
        format!("{bulkhead:?}"),
        "Bulkhead { name: \"bulkhead\", max: 3, queue: None, wait: Some(5ms), running: 1, queued: 0 }",
    );
    assert_eq!(bulkhead.as_ref().running(), 1);
}
