//! Runs a model under the paused clock of tokio.

use std::time::Duration;

use resilience::testing;
use tokio::task::LocalSet;

use crate::random::Random;

/// Runs `model` on one thread. The draws of the library start from `seed`.
pub(crate) fn run<T>(seed: u64, model: impl AsyncFnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let _draws = testing::seed(seed);
    LocalSet::new().block_on(&runtime, model())
}

/// Returns an exponential draw with this mean.
pub(crate) fn exponential(random: &mut Random, mean: Duration) -> Duration {
    mean.mul_f64(-(1.0 - random.uniform()).ln())
}
