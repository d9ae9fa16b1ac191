//! The load that retries add: one client with 100 first tries a second, each attempt failing with the
//! same probability, in steady state.

use std::time::Duration;

use resilience::{RetryBudget, RetryPolicy, testing};

use crate::random::Random;
use crate::table::Sample;

/// What an attempt does.
pub(crate) type Body<'b> = dyn FnMut() -> Result<(), ()> + 'b;

/// A call with its retries.
pub(crate) type Call = Box<dyn FnMut(&mut Body<'_>) -> Result<(), ()>>;

const BETWEEN_CALLS: Duration = Duration::from_millis(10);

/// Long enough for any budget here to fill or to drain.
const WARM_UP: u32 = 10_000;
/// Neighbouring calls share what is in the budget, so that the error is estimated from batches that
/// hardly do.
const BATCHES: u32 = 20;
const CALLS_PER_BATCH: u32 = 2_500;
/// How many are counted.
pub(crate) const CALLS: u32 = BATCHES * CALLS_PER_BATCH;

/// Attempts for each first try, where attempts fail with probability `p`.
pub(crate) fn amplification(call: &mut Call, p: f64, seed: u64) -> Sample {
    let clock = testing::clock();
    let mut random = Random::new(seed);
    let mut batch = |calls: u32| {
        let mut all = 0_u32;
        for _ in 0..calls {
            let before = all;
            // The outcome itself is nobody's business here.
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

/// A call under so many attempts and no other limit, without waits.
pub(crate) fn under(attempts: u32) -> Call {
    let policy = without_waits(attempts);
    Box::new(move |body| policy.run(body))
}

/// A call that draws on `budget` as well.
pub(crate) fn within(budget: &'static RetryBudget, attempts: u32) -> Call {
    let policy = without_waits(attempts).budget(budget);
    Box::new(move |body| policy.run(body))
}

const fn without_waits(attempts: u32) -> RetryPolicy {
    RetryPolicy::new().attempts(attempts).fixed().base_delay(Duration::ZERO)
}

/// A policy has its budget for as long as the program runs.
pub(crate) fn kept(budget: RetryBudget) -> &'static RetryBudget {
    Box::leak(Box::new(budget))
}
