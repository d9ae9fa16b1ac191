//! Settings that change while calls wait.

use core::task::{Context, Waker};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;

use resilience::{Bulkhead, Keyed, RateLimiter, control, rate_limit, register};

use crate::{alone, second};

/// Spawns calls that wait for `acquire`, and returns the seconds after which each has ended.
async fn ends(
    calls: usize,
    acquire: impl AsyncFn() + Clone + 'static,
    change: impl FnOnce(),
) -> Vec<u64> {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let start = tokio::time::Instant::now();
            let tasks: Vec<_> = (0..calls)
                .map(|_| {
                    let acquire = acquire.clone();
                    tokio::task::spawn_local(async move {
                        acquire().await;
                        start.elapsed().as_secs()
                    })
                })
                .collect();
            tokio::task::yield_now().await;
            change();
            let mut ends = Vec::new();
            for task in tasks {
                ends.push(task.await.unwrap());
            }
            ends
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_of_a_bulkhead_that_is_not_registered_follow_a_raised_limit() {
    let _alone = alone();
    for setting in ["raise", "disable", "shadow"] {
        let name = format!("live::waiting_bulkhead::{setting}");
        let bulkhead = Arc::new(Bulkhead::new(1).queue(99).named(&name));
        let held = Arc::clone(&bulkhead).try_acquire_owned().unwrap();
        let acquire = async move || {
            let _permit = bulkhead.acquire().await.unwrap();
            tokio::time::sleep(10 * second()).await;
        };
        let ends = ends(8, acquire, || {
            let control = control(&name);
            match setting {
                "raise" => control.set("bulkhead.max", "5"),
                "disable" => control.disable(),
                _ => control.shadow(true),
            }
            .unwrap();
        })
        .await;
        drop(held);
        let expected = if setting == "raise" { [10, 10, 10, 10, 20, 20, 20, 20] } else { [10; 8] };
        assert_eq!(ends, expected, "{setting}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_of_a_rate_limiter_follow_a_changed_rate_in_order() {
    let _alone = alone();
    let limiter = |name: &str| {
        let limiter = RateLimiter::new(1, second()).wait(99 * second()).named(name);
        limiter.try_acquire().unwrap();
        Arc::new(limiter)
    };
    let expected: [(&str, [u64; 6]); 5] = [
        ("rate_limit.rate = 2", [0, 1, 1, 2, 2, 3]),
        ("rate_limit.per = 10s", [10, 20, 30, 40, 50, 60]),
        ("rate_limit.burst = 4", [0, 0, 0, 1, 2, 3]),
        ("disable", [0; 6]),
        ("shadow", [0; 6]),
    ];
    for (setting, expected) in expected {
        let name = format!("live::waiting_limiter::{setting}");
        let of_test = limiter(&name);
        let acquire = async move || of_test.acquire().await.unwrap();
        let ends = ends(6, acquire, || {
            let control = control(&name);
            match setting.split_once(" = ") {
                Some((setting, value)) => control.set(setting, value),
                None if setting == "disable" => control.disable(),
                None => control.shadow(true),
            }
            .unwrap();
        })
        .await;
        assert_eq!(ends, expected, "{setting}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_do_not_wait_for_a_mistake_that_was_corrected() {
    #[rate_limit(rate = 1, wait = "unlimited", name = "live::corrected")]
    async fn call() -> Result<(), std::num::ParseIntError> {
        Ok(())
    }
    let _alone = alone();
    call().await.unwrap();
    control("live::corrected").set("rate_limit.per", "1000h").unwrap();
    let ends = ends(
        3,
        async || call().await.unwrap(),
        || {
            control("live::corrected").unset("rate_limit.per").unwrap();
        },
    )
    .await;
    assert_eq!(ends, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_lowered_rate_lets_no_waiting_call_through_early() {
    let _alone = alone();
    let limiter = RateLimiter::new(100, second()).wait(99 * second()).named("live::lowered");
    limiter.try_acquire().unwrap();
    let limiter = Arc::new(limiter);
    let acquire = async move || limiter.acquire().await.unwrap();
    let ends = ends(5, acquire, || {
        control("live::lowered").set("rate_limit.rate", "1").unwrap();
    })
    .await;
    assert_eq!(ends, [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_rate_limiter_admits_calls_that_would_wait() {
    static LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_secs(1))
        .wait(Duration::from_secs(99))
        .name("live::unlimited");
    register(&LIMITER);
    LIMITER.try_acquire().unwrap();
    control("live::unlimited").set("rate_limit.enabled", "false").unwrap();
    let start = tokio::time::Instant::now();
    for _ in 0..3 {
        LIMITER.acquire().await.unwrap();
        LIMITER.try_acquire().unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    control("live::unlimited").set("rate_limit.enabled", "true").unwrap();
    LIMITER.acquire().await.unwrap();
    assert_eq!(start.elapsed(), second());
}

#[tokio::test(start_paused = true)]
async fn a_reset_gives_the_burst_to_the_calls_that_wait() {
    static LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_secs(1))
        .burst(3)
        .wait(Duration::from_secs(99))
        .name("live::reset_waiting");
    let _alone = alone();
    register(&LIMITER);
    LIMITER.try_acquire_many(3).unwrap();
    let ends = ends(
        5,
        async || LIMITER.acquire().await.unwrap(),
        || {
            control("live::reset_waiting").reset().unwrap();
        },
    )
    .await;
    assert_eq!(ends, [0, 0, 0, 1, 2]);
    assert!(LIMITER.try_acquire().is_err());
}

/// Runs a function at each wake-up, as an executor that polls inside.
struct Runs(fn());

impl Wake for Runs {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

#[test]
fn a_wake_up_during_a_report_may_use_the_table() {
    static FIRST: Bulkhead = Bulkhead::new(1).queue(9).name("live::wakes");
    static KEYS: Keyed<Bulkhead> =
        Keyed::new(9, || Bulkhead::new(1).queue(9).name("live::wakes_of_key"));
    let _alone = alone();
    register(&FIRST);
    register(&KEYS);
    let key = KEYS.get("a");
    let (_first_permit, _permit) = (FIRST.try_acquire().unwrap(), key.try_acquire().unwrap());
    // The report reads the policies of the keys before they follow the change.
    let reports = Waker::from(Arc::new(Runs(|| drop(resilience::policies()))));
    let uses = Waker::from(Arc::new(Runs(|| drop(KEYS.get("a")))));
    let (mut first, mut call) = (Box::pin(FIRST.acquire()), Box::pin(key.acquire()));
    assert!(first.as_mut().poll(&mut Context::from_waker(&reports)).is_pending());
    assert!(call.as_mut().poll(&mut Context::from_waker(&uses)).is_pending());
    control("live::wakes*").set("bulkhead.max", "2").unwrap();
    assert!(call.as_mut().poll(&mut Context::from_waker(&uses)).is_ready());
    control("live::wakes*").unset("bulkhead.max").unwrap();
}
