//! The durations of calls of annotated functions, and of waits.

use std::time::Duration;

use resilience::{
    Bulkhead, FigureValue, Histogram, PolicyKind, PolicyReport, RateLimiter, Rejected, bulkhead,
    circuit_breaker, coalesce, count_successes, explain, fallback, hedge, idempotent,
    policies_matching, rate_limit, retry, testing, timeout,
};

const MILLI: Duration = Duration::from_millis(1);

/// Returns the distribution with this outcome, or the only one.
fn distribution(report: &PolicyReport, figure: &str, outcome: Option<&str>) -> Histogram {
    let is_it = |it: &&resilience::Figure| {
        it.info.name == figure && it.labels.first().map(|(_, value)| *value) == outcome
    };
    match report.figures.iter().find(is_it).map(|it| &it.value) {
        Some(FigureValue::Histogram(histogram)) => **histogram,
        other => panic!("{figure} {outcome:?}: {other:?}"),
    }
}

/// Returns the number of durations and their sum in milliseconds.
fn durations(name: &str, outcome: &str) -> (u64, u128) {
    let reports = policies_matching(name);
    let function = reports.iter().find(|report| report.kind == PolicyKind::Function);
    let function = function.expect("the function is listed");
    let histogram = distribution(function, "resilience.call.duration", Some(outcome));
    (histogram.count(), histogram.sum().as_millis())
}

#[test]
fn a_call_is_measured_with_all_attempts_and_delays() {
    #[fallback(value = 0, on = |error| *error == "down", name = "durations::sync")]
    #[retry(attempts = 3, base_delay = "100ms", jitter = "none", name = "durations::inner")]
    fn call(
        clock: &testing::Clock,
        answer: Result<u32, &'static str>,
    ) -> Result<u32, &'static str> {
        clock.advance(10 * MILLI);
        answer
    }
    count_successes();
    let clock = testing::clock();
    assert_eq!(call(&clock, Ok(1)), Ok(1));
    assert_eq!(durations("durations::sync", "success"), (1, 10));
    // Three attempts, and the delays of 100 ms and 200 ms. The fallback makes a success of them.
    assert_eq!(call(&clock, Err("down")), Ok(0));
    assert_eq!(durations("durations::sync", "success"), (2, 340));
    assert_eq!(call(&clock, Err("gone")), Err("gone"));
    assert_eq!(durations("durations::sync", "failure"), (1, 330));
    assert!(policies_matching("durations::inner").iter().all(|it| it.kind == PolicyKind::Retry));
    // The function is no layer of an explanation.
    assert_eq!(explain("durations::sync")[0].layers.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_cancelled_and_a_panic_is_a_failure() {
    #[timeout("1s", name = "durations::future")]
    async fn call(millis: u64) -> Result<(), Rejected> {
        assert!(millis > 0, "no time");
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(())
    }
    count_successes();
    assert_eq!(call(20).await, Ok(()));
    assert_eq!(durations("durations::future", "success"), (1, 20));
    assert!(call(5000).await.is_err());
    assert_eq!(durations("durations::future", "failure"), (1, 1000));
    let dropped = tokio::time::timeout(30 * MILLI, call(5000)).await;
    assert!(dropped.is_err());
    assert_eq!(durations("durations::future", "cancelled"), (1, 30));
    assert!(tokio::spawn(call(0)).await.is_err());
    assert_eq!(durations("durations::future", "failure"), (2, 1000));
}

#[test]
fn a_duration_counts_up_to_its_bound_or_in_the_last_bucket() {
    #[retry(attempts = 2, name = "durations::buckets")]
    fn call(clock: &testing::Clock, nanos: u64) -> Result<(), &'static str> {
        clock.advance(Duration::from_nanos(nanos));
        Ok(())
    }
    count_successes();
    let clock = testing::clock();
    for nanos in [1_000_000, 1_000_001, 60_000_000_000, 60_000_000_001] {
        assert_eq!(call(&clock, nanos), Ok(()));
    }
    let reports = policies_matching("durations::buckets");
    let function = reports.iter().find(|report| report.kind == PolicyKind::Function);
    let function = function.expect("the function is listed");
    let histogram = distribution(function, "resilience.call.duration", Some("success"));
    let counts: Vec<_> = histogram.cumulative().map(|(_, count)| count).collect();
    assert_eq!((counts[..3].to_vec(), counts[13..].to_vec()), (vec![1, 2, 2], vec![2, 3, 4]));
    assert_eq!(histogram.sum(), Duration::from_nanos(120_002_000_002));
}

#[test]
fn every_shape_of_function_is_measured() {
    struct Shop(u32);
    impl Shop {
        #[bulkhead(max = 2, name = "durations::method")]
        fn borrow(&mut self) -> Result<&mut u32, Rejected> {
            Ok(&mut self.0)
        }
    }
    #[retry(attempts = 2, name = "durations::option")]
    fn option<T: Clone>(value: &T) -> Option<T> {
        Some(value.clone())
    }
    #[retry(attempts = 2)]
    fn named_by_its_path() -> Result<(), String> {
        Ok(())
    }
    #[bulkhead(max = 1, shadow, name = "durations::value")]
    fn value() -> u32 {
        5
    }
    count_successes();
    let mut shop = Shop(7);
    assert_eq!(value(), 5);
    *shop.borrow().expect("a permit") += 1;
    assert_eq!((shop.0, option(&5), named_by_its_path()), (8, Some(5), Ok(())));
    for name in [
        "durations::method",
        "durations::option",
        "durations::value",
        concat!(module_path!(), "::named_by_its_path"),
    ] {
        assert_eq!(durations(name, "success").0, 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_name_of_the_outermost_attribute_is_the_name_of_the_function() {
    macro_rules! named {
        ($($name:ident: #[$attribute:meta]),* $(,)?) => {
            $(
                #[$attribute]
                async fn $name() -> Result<u32, Rejected> {
                    Ok(7)
                }
            )*
            count_successes();
            $(assert_eq!($name().await, Ok(7));)*
            let is_listed = |name: &str| {
                let reports = policies_matching(&format!("named::{name}"));
                reports.iter().any(|report| report.kind == PolicyKind::Function)
            };
            let missing: Vec<_> = [$(stringify!($name)),*]
                .into_iter()
                .filter(|name| !is_listed(name))
                .collect();
            assert_eq!(missing, [""; 0]);
        };
    }
    named! {
        bulkheaded: #[bulkhead(max = 9, name = "named::bulkheaded")],
        broken: #[circuit_breaker(name = "named::broken")],
        coalesced: #[coalesce(key = 7, name = "named::coalesced")],
        replaced: #[fallback(value = 0, name = "named::replaced")],
        hedged: #[hedge(after = "1s", idempotent, name = "named::hedged")],
        once: #[idempotent(key = 7, scope = "global", fingerprint(), name = "named::once")],
        limited: #[rate_limit(rate = 9, name = "named::limited")],
        retried: #[retry(name = "named::retried")],
        timed: #[timeout("1s", name = "named::timed")],
    }
}

#[test]
fn waits_for_permits_are_distributed() {
    static POOL: Bulkhead = Bulkhead::new(1).wait(Duration::from_secs(2)).name("durations::pool");
    let limiter = RateLimiter::new(1, Duration::from_secs(1))
        .wait(Duration::from_secs(5))
        .name("durations::limiter");
    count_successes();
    let _clock = testing::clock();
    for _ in 0..3 {
        limiter.acquire_blocking().expect("a permit");
    }
    let waits = |name| {
        let reports = policies_matching(name);
        distribution(&reports[0], "resilience.wait.duration", None)
    };
    let waited = waits("durations::limiter");
    assert_eq!((waited.count(), waited.sum()), (2, Duration::from_secs(2)));
    let permit = POOL.try_acquire().expect("a permit");
    assert!(POOL.acquire_blocking().is_err());
    drop(permit);
    let waited = waits("durations::pool");
    assert_eq!((waited.count(), waited.sum()), (1, Duration::from_secs(2)));
    let bucket = waited.cumulative().find(|(_, count)| *count > 0).and_then(|(bound, _)| bound);
    assert_eq!(bucket, Some(Duration::from_millis(2500)));
}
