//! M. Brooker, "Fixing retries with token buckets and circuit breakers", 2022
//! (`mbrooker/simulator_example`, `retry_sim`). 100 clients send 10 calls per second for 10 s. The
//! adaptive strategy of each client has its own bucket: 5 tokens, 0.1 per call, 1 per retry, and
//! no other limit of attempts.
//!
//! The source publishes plots and the program. The published columns are the results of the
//! program: the mean of five runs of Python with the seeds 0 to 4.

use std::cell::Cell;
use std::time::Duration;

use resilience::{RetryBudget, RetryPolicy, testing};

use crate::load::kept;
use crate::random::Random;
use crate::table::{Sample, Table};

const CLIENTS: u32 = 100;
const CALLS_PER_CLIENT: u32 = 100;
const SEEDS: u64 = 5;
const FAILING: [f64; 6] = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5];
/// Attempts per call, and the share of calls that succeed.
const THREE_RETRIES: [(f64, f64); 6] = [
    (1.0108, 1.0),
    (1.0553, 1.0),
    (1.1100, 0.9999),
    (1.2497, 0.9985),
    (1.4152, 0.9920),
    (1.8751, 0.9377),
];
const ADAPTIVE: [(f64, f64); 6] = [
    (1.0108, 1.0),
    (1.0556, 0.9998),
    (1.1006, 0.9928),
    (1.1345, 0.9064),
    (1.1394, 0.7961),
    (1.1418, 0.5707),
];

fn run(seed: u64, p: f64, policy: impl Fn() -> RetryPolicy) -> (f64, f64) {
    let _clock = testing::clock();
    let mut random = Random::new(seed);
    let (attempts, mut successes) = (Cell::new(0_u32), 0_u32);
    for _ in 0..CLIENTS {
        let policy = policy();
        for _ in 0..CALLS_PER_CLIENT {
            let result = policy.run(|| {
                attempts.set(attempts.get() + 1);
                if random.chance(p) { Err(()) } else { Ok(()) }
            });
            successes += u32::from(result.is_ok());
        }
    }
    let calls = f64::from(CLIENTS * CALLS_PER_CLIENT);
    (f64::from(attempts.get()) / calls, f64::from(successes) / calls)
}

#[test]
fn a_bucket_per_client_bounds_the_load_and_keeps_the_successes_of_the_published_plot() {
    let at_once = || RetryPolicy::new().fixed().base_delay(Duration::ZERO);
    let three = || at_once().attempts(4);
    let adaptive = || at_once().unlimited().budget(kept(RetryBudget::bucket(5).per_call(0.1)));
    let strategies: [(&str, &dyn Fn() -> RetryPolicy, _); 2] =
        [("three retries", &three, THREE_RETRIES), ("adaptive, 10 %", &adaptive, ADAPTIVE)];
    let mut table = Table::default();
    table.line("100 clients: found (published program)");
    table.row("failing", FAILING.map(|p| p.to_string()));
    for (name, policy, published) in strategies {
        let (mut loads, mut shares) = (Vec::new(), Vec::new());
        for (p, (load, share)) in FAILING.into_iter().zip(published) {
            let runs: Vec<_> = (0..SEEDS).map(|seed| run(seed, p, policy)).collect();
            let found_load = Sample::of(runs.iter().map(|run| run.0));
            let found_share = Sample::of(runs.iter().map(|run| run.1));
            table.expect(&format!("{name}, load at {p}"), found_load, load, 0.01 * load);
            table.expect(&format!("{name}, successes at {p}"), found_share, share, 0.01);
            loads.push(format!("{:.3} ({load:.3})", found_load.mean));
            shares.push(format!("{:.3} ({share:.3})", found_share.mean));
        }
        table.row(&format!("{name}: attempts per call"), loads);
        table.row(&format!("{name}: successes"), shares);
    }
    table.finish();
}
