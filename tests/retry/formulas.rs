//! The arithmetic, for any input.

use std::time::Duration;

use proptest::prelude::*;
use resilience::{FailureClass, Jitter, RetryPolicy, retry, testing};

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        Just(Duration::from_nanos(1)),
        (0..100_000_u64).prop_map(Duration::from_micros),
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
    ]
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
        0.0..4.0,
        any::<f64>(),
    ]
}

fn jitters() -> impl Strategy<Value = Jitter> {
    prop_oneof![
        Just(Jitter::None),
        Just(Jitter::Full),
        Just(Jitter::Equal),
        Just(Jitter::Decorrelated),
        numbers().prop_map(Jitter::Ratio),
        durations().prop_map(Jitter::UpTo),
    ]
}

const DELAYS: &[Duration] = &[Duration::ZERO, Duration::from_secs(1), Duration::MAX];

fn policies() -> impl Strategy<Value = RetryPolicy> {
    let growths = prop_oneof![
        Just(RetryPolicy::new().exponential()),
        Just(RetryPolicy::new().fixed()),
        Just(RetryPolicy::new().linear()),
        Just(RetryPolicy::new().fibonacci()),
        Just(RetryPolicy::new().list(DELAYS)),
        Just(RetryPolicy::new().list(&[])),
    ];
    (growths, durations(), numbers(), jitters()).prop_map(|(policy, base, factor, jitter)| {
        policy.base_delay(base).factor(factor).jitter(jitter)
    })
}

fn retries() -> impl Strategy<Value = u32> {
    prop_oneof![0..100_u32, Just(u32::MAX), any::<u32>()]
}

proptest! {
    #[test]
    fn the_ceiling_holds_and_nothing_panics(
        policy in policies(),
        max in durations(),
        retry in retries(),
        previous in proptest::option::of(durations()),
        seed in any::<u64>(),
    ) {
        let _seed = testing::seed(seed);
        let _unlimited = policy.delay(retry, previous);
        prop_assert!(policy.max_delay(max).delay(retry, previous) <= max);
    }

    #[test]
    fn without_jitter_delays_never_shrink(policy in policies(), retry in 1..1000_u32) {
        let policy = policy.jitter(Jitter::None);
        let list_is_empty_or_grows = policy.delay(retry, None) <= policy.delay(retry + 1, None);
        prop_assert!(list_is_empty_or_grows);
    }

    #[test]
    fn jitter_stays_in_its_interval(base in 1..u64::MAX / 8, seed in any::<u64>()) {
        let base = Duration::from_nanos(base);
        let policy = RetryPolicy::new().fixed().base_delay(base).max_delay(Duration::MAX);
        let _seed = testing::seed(seed);
        prop_assert!(policy.jitter(Jitter::Full).delay(1, None) <= base);
        let equal = policy.jitter(Jitter::Equal).delay(1, None);
        prop_assert!(base / 2 <= equal && equal <= base);
        let ratio = policy.jitter(Jitter::Ratio(0.5)).delay(1, None);
        prop_assert!(base <= ratio && ratio <= base.mul_f64(1.5));
        let wide = policy.jitter(Jitter::UpTo(base)).delay(1, None);
        prop_assert!(base <= wide && wide <= base * 2);
        let decorrelated = policy.jitter(Jitter::Decorrelated).delay(2, Some(base));
        prop_assert!(base <= decorrelated && decorrelated <= base * 3);
    }

    #[test]
    fn a_call_under_any_policy_ends(
        policy in policies(),
        attempts in 0..20_u32,
        deadline in proptest::option::of(durations()),
        after in proptest::option::of(durations()),
        max_after in durations(),
    ) {
        let mut policy = policy.attempts(attempts).max_retry_after(max_after);
        if let Some(deadline) = deadline {
            policy = policy.deadline(deadline);
        }
        let clock = testing::clock();
        let mut calls = 0;
        let mut last = Duration::ZERO;
        let result: Result<(), FailureClass> = policy.on(|class: &FailureClass| *class).run(|| {
            calls += 1;
            last = clock.elapsed();
            Err(FailureClass::throttled(after))
        });
        prop_assert_eq!(result, Err(FailureClass::throttled(after)));
        prop_assert!(calls >= 1 && calls <= attempts.max(1));
        prop_assert!(calls == 1 || deadline.is_none_or(|deadline| last < deadline));
    }
}

#[test]
fn a_million_draws_stay_below_the_ceiling() {
    const MAX: Duration = Duration::from_secs(60);
    let kinds = [
        Jitter::Full,
        Jitter::Equal,
        Jitter::Decorrelated,
        Jitter::Ratio(1.0),
        Jitter::UpTo(Duration::from_secs(30)),
    ];
    let _seed = testing::seed(1);
    for jitter in kinds {
        let policy = RetryPolicy::new().jitter(jitter).max_delay(MAX);
        let (mut previous, mut shortest, mut longest) = (None, MAX, Duration::ZERO);
        for draw in 0..200_000_u32 {
            // From the first retries to the largest number.
            let retry = if draw % 2 == 0 { draw / 2 } else { u32::MAX - draw };
            let delay = policy.delay(retry, previous);
            assert!(delay <= MAX, "{jitter:?} waits {delay:?} before retry {retry}");
            shortest = shortest.min(delay);
            longest = longest.max(delay);
            previous = Some(delay);
        }
        assert!(longest > shortest + MAX / 4, "{jitter:?} is still spread at the ceiling");
    }
}

#[test]
fn means() {
    // Over many draws the variants have the means of their formulas, within a hundredth.
    let mean = |jitter| {
        let policy = RetryPolicy::new().fixed().base_delay(Duration::from_secs(1)).jitter(jitter);
        (0..100_000)
            .map(|_| policy.delay(1, Some(Duration::from_secs(1))).as_secs_f64())
            .sum::<f64>()
            / 1e5
    };
    let _seed = testing::seed(3);
    for (jitter, expected) in [
        (Jitter::None, 1.0),
        (Jitter::Full, 0.5),
        (Jitter::Equal, 0.75),
        (Jitter::Decorrelated, 2.0),
        (Jitter::Ratio(0.5), 1.25),
        (Jitter::UpTo(Duration::from_secs(3)), 2.5),
    ] {
        let mean = mean(jitter);
        assert!((mean - expected).abs() < 0.01, "{jitter:?}: {mean}");
    }
}

#[test]
fn attempts_may_be_the_largest_number() {
    #[retry(attempts = 4_294_967_295)]
    fn ends(calls: &mut u32) -> Result<u32, ()> {
        *calls += 1;
        if *calls < 1000 { Err(()) } else { Ok(*calls) }
    }
    let _guard = testing::no_waits();
    assert_eq!(ends(&mut 0), Ok(1000));
}
