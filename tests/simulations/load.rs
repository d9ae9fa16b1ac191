//! The load that retries add: one client with 100 first tries a second, each attempt failing with the
//! same probability, in steady state.

use std::time::Duration;

use resilience::{RetryBudget, RetryPolicy, testing};

use crate::random::Random;
use crate::table::Sample;

/// One attempt.
pub(crate) type Attempt<'a> = dyn FnMut() -> Result<(), ()> + 'a;

/// A call with its retries.
pub(crate) type Call = Box<dyn FnMut(&mut Attempt<'_>) -> Result<(), ()>>;

const BETWEEN_CALLS: Duration = Duration::from_millis(10);

/// Long enough for any budget here to fill or to drain.
const WARM_UP: u32 = 10_000;
/// Neighbouring calls share what is in the budget, so that the error is estimated from batches that
/// hardly do.
const BATCHES: u32 = 20;
const CALLS_PER_BATCH: u32 = 2_500;

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
    let calls = WARM_UP + BATCHES * CALLS_PER_BATCH;
    assert_eq!(clock.elapsed(), BETWEEN_CALLS * calls, "a budget has delayed a call");
    found
}

/// Calls under so many attempts and a budget, without waits.
pub(crate) fn under(attempts: u32, budget: Option<RetryBudget>) -> Call {
    let mut policy = RetryPolicy::new().attempts(attempts).fixed().base_delay(Duration::ZERO);
    if let Some(budget) = budget {
        // A policy has its budget for as long as the program runs.
        policy = policy.budget(Box::leak(Box::new(budget)));
    }
    Box::new(move |attempt| policy.run(attempt))
}
