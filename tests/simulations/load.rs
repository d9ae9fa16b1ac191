//! The load added by retries: one client with 100 first attempts a second, each attempt failing
//! with equal probability, in steady state.

use std::time::Duration;

use resilience::{RetryBudget, RetryPolicy, testing};

use crate::random::Random;
use crate::table::Sample;

/// The result of an attempt.
pub(crate) type Body<'b> = dyn FnMut() -> Result<(), ()> + 'b;

/// A call with retries.
pub(crate) type Call = Box<dyn FnMut(&mut Body<'_>) -> Result<(), ()>>;

const BETWEEN_CALLS: Duration = Duration::from_millis(10);

/// Long enough for every budget here to fill or to drain.
const WARM_UP: u32 = 10_000;
/// Neighboring calls share the tokens of the budget, so the error is estimated from nearly
/// independent batches.
const BATCHES: u32 = 20;
const CALLS_PER_BATCH: u32 = 2_500;
/// The number of counted calls.
pub(crate) const CALLS: u32 = BATCHES * CALLS_PER_BATCH;

/// Returns the attempts per first attempt, for attempts that fail with probability `p`.
pub(crate) fn amplification(call: &mut Call, p: f64, seed: u64) -> Sample {
    let clock = testing::clock();
    let mut random = Random::new(seed);
    let mut batch = |calls: u32| {
        let mut all = 0_u32;
        for _ in 0..calls {
            let before = all;
            // The outcome is irrelevant here.
            let _ = call(&mut || {
                all += 1;
                if random.chance(p) { Err(()) } else { Ok(()) }
            });
            assert!(all > before, "a first try was refused");
            clock.advance(BETWEEN_CALLS);
        }
        f64::from(all) / f64::from(calls)
    };
    batch(WARM_UP);
    let found = Sample::of((0..BATCHES).map(|_| batch(CALLS_PER_BATCH)));
    assert_eq!(clock.elapsed(), BETWEEN_CALLS * (WARM_UP + CALLS), "a budget has delayed a call");
    found
}

/// Returns a call with this number of attempts and no other limit, without delays.
pub(crate) fn under(attempts: u32) -> Call {
    let policy = without_waits(attempts);
    Box::new(move |body| policy.run(body))
}

/// Returns a call that also draws on `budget`.
pub(crate) fn within(budget: &'static RetryBudget, attempts: u32) -> Call {
    let policy = without_waits(attempts).budget(budget);
    Box::new(move |body| policy.run(body))
}

const fn without_waits(attempts: u32) -> RetryPolicy {
    RetryPolicy::new().attempts(attempts).fixed().base_delay(Duration::ZERO)
}

/// A policy needs a `'static` budget.
pub(crate) fn kept(budget: RetryBudget) -> &'static RetryBudget {
    Box::leak(Box::new(budget))
}
