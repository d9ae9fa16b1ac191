//! The learned delay.

use resilience::{hedge, testing};

use crate::{Log, sleep};

#[hedge(after = "p90", warm_up = "70ms", idempotent, budget = 1.0)]
async fn learns(log: &Log, takes: u64) -> Option<usize> {
    let (attempt, _running) = log.start();
    sleep(if attempt == 0 { takes } else { 1 }).await;
    Some(attempt)
}

/// Returns the start of the hedge of a slow call.
async fn hedged_at() -> u128 {
    let log = Log::new();
    assert_eq!(learns(&log, 10_000).await, Some(1));
    log.starts()[1]
}

#[tokio::test(start_paused = true)]
async fn the_delay_of_the_warm_up_applies_until_twenty_successes() {
    let _state = testing::fresh_state();
    for _ in 0..18 {
        learns(&Log::new(), 20).await;
    }
    assert_eq!(hedged_at().await, 70);
    learns(&Log::new(), 20).await;
    let learned = hedged_at().await;
    assert!((20..=21).contains(&learned), "{learned}");
}

/// A dropped first attempt was slower than the hedge. If only the time of the hedge counted, the
/// learned delay would fall to the 68th percentile: the fixed point of `f * (2 - f) = 0.9`.
#[tokio::test(start_paused = true)]
async fn hedges_do_not_lower_the_learned_delay() {
    let _state = testing::fresh_state();
    let mut hedges = 0;
    for call in 0..20_000 {
        // From 10 ms to 109 ms, evenly.
        let log = Log::new();
        learns(&log, 10 + call * 37 % 100).await;
        hedges += log.starts().len() - 1;
    }
    // The slowest tenth, beside rounding.
    assert!((1600..=2400).contains(&hedges), "{hedges}");
    let learned = hedged_at().await;
    assert!((97..=102).contains(&learned), "{learned}");
}

#[hedge(after = "p50", warm_up = "40ms", idempotent)]
async fn fails(log: &Log, takes: u64) -> Result<(), ()> {
    let _ = log.start();
    sleep(takes).await;
    Err(())
}

#[tokio::test(start_paused = true)]
async fn failures_teach_nothing() {
    let _state = testing::fresh_state();
    for _ in 0..100 {
        assert_eq!(fails(&Log::new(), 5).await, Err(()));
    }
    let log = Log::new();
    assert_eq!(fails(&log, 1000).await, Err(()));
    assert_eq!(log.starts(), [0, 40]);
}

#[hedge(after = "p90", warm_up = "70ms", idempotent, budget = 1.0)]
async fn steady(log: &Log, takes: u64) -> Option<()> {
    let _ = log.start();
    sleep(takes).await;
    Some(())
}

/// After a burst the quantile is not computed for 256 further calls, unless the window is old.
#[tokio::test(start_paused = true)]
async fn few_calls_after_a_burst_change_the_delay() {
    let _state = testing::fresh_state();
    for _ in 0..520 {
        steady(&Log::new(), 20).await;
    }
    for _ in 0..100 {
        sleep(2_000).await;
        steady(&Log::new(), 400).await;
    }
    let log = Log::new();
    steady(&log, 10_000).await;
    let learned = log.starts()[1];
    assert!((392..=408).contains(&learned), "{learned}");
}

/// The latency of a call that lost against its hedge is not known. The delay grows by an eighth.
#[tokio::test(start_paused = true)]
async fn a_delay_that_is_too_short_for_most_calls_grows_step_by_step() {
    let _state = testing::fresh_state();
    for _ in 0..20 {
        learns(&Log::new(), 20).await;
    }
    for _ in 0..32 {
        learns(&Log::new(), 1000).await;
    }
    let learned = hedged_at().await;
    assert!((23..=25).contains(&learned), "{learned}");
}

/// The quantile of the first 256 calls is computed often, and then after each 256 calls, while the
/// window is young.
#[tokio::test(start_paused = true)]
async fn the_delay_follows_changed_latencies() {
    let _state = testing::fresh_state();
    let delay = |learned: u64, calls: &'static [(u32, u64)]| async move {
        for (count, takes) in calls {
            for _ in 0..*count {
                steady(&Log::new(), *takes).await;
            }
        }
        let log = Log::new();
        // The slow call counts as well.
        steady(&log, 100).await;
        let found = u64::try_from(log.starts()[1]).unwrap();
        assert!(found.abs_diff(learned) <= 1, "{found} instead of {learned}");
    };
    delay(5, &[(220, 5), (24, 10)]).await;
    delay(10, &[(11, 10)]).await;
    delay(20, &[(255, 20)]).await;
    delay(20, &[(150, 40)]).await;
    delay(40, &[(105, 40)]).await;
}
