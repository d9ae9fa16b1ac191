//! The other side of `docs/from-rust.md`: the waits of the libraries that users come from.
//!
//! `cargo run --manifest-path benches/peers/Cargo.toml --bin migrations` compares the third column
//! of each table with the library. `tests/migration_guides` compares the column with the attribute.

use std::time::{Duration, SystemTime};

const PAGE: &str = include_str!("../../../../docs/from-rust.md");

/// The code of the first cell, and the waits in seconds.
type Peer = (&'static str, Vec<f64>);

/// Collects at most ten delays of iterators.
macro_rules! delays {
    ($(|$builder:ident| $delays:expr => { $($code:expr;)* })*) => {
        vec![$($((stringify!($code), {
            let $builder = $code;
            $delays.take(10).map(|delay: Duration| delay.as_secs_f64()).collect()
        })),*),*]
    };
}

fn backon() -> Vec<Peer> {
    use backon::{BackoffBuilder, ConstantBuilder, ExponentialBuilder, FibonacciBuilder};
    delays! {
        |builder| builder.build() => {
            ConstantBuilder::new();
            ConstantBuilder::new().with_delay(Duration::from_millis(500)).with_max_times(2);
            ExponentialBuilder::new();
            ExponentialBuilder::new().with_min_delay(Duration::from_millis(100)).with_factor(3.0).with_max_delay(Duration::from_secs(2)).with_max_times(5);
            ExponentialBuilder::new().with_jitter();
            ExponentialBuilder::new().with_max_times(9).with_total_delay(Some(Duration::from_secs(5)));
            FibonacciBuilder::new().with_max_times(5);
        }
    }
}

fn tokio_retry2() -> Vec<Peer> {
    use tokio_retry2::strategy::{
        ExponentialBackoff, ExponentialFactorBackoff, FibonacciBackoff, FixedInterval, jitter,
        jitter_with_bounds,
    };
    delays! {
        |delays| delays => {
            FixedInterval::from_millis(100).take(3);
            ExponentialBackoff::from_millis(10).take(3);
            ExponentialBackoff::from_millis(2).factor(1000).max_delay(Duration::from_secs(5)).take(4);
            ExponentialBackoff::from_millis(2).factor(500).map(jitter_with_bounds(0.0, 1.0)).take(3);
            ExponentialFactorBackoff::from_millis(500, 2.0).take(3);
            FibonacciBackoff::from_millis(100).take(5);
            FixedInterval::from_millis(1000).map(jitter).take(3);
        }
    }
}

fn reqwest_retry() -> Vec<Peer> {
    use retry_policies::policies::ExponentialBackoff;
    use retry_policies::{Jitter, RetryDecision, RetryPolicy};
    let delay = |policy: &ExponentialBackoff, past| {
        let now = SystemTime::now();
        match policy.should_retry(now, past) {
            RetryDecision::Retry { execute_after } => execute_after.duration_since(now).ok(),
            RetryDecision::DoNotRetry => None,
        }
    };
    delays! {
        |policy| (0..10).map_while(|past| delay(&policy, past)) => {
            ExponentialBackoff::builder().build_with_max_retries(3);
            ExponentialBackoff::builder().jitter(Jitter::None).build_with_max_retries(3);
            ExponentialBackoff::builder().retry_bounds(Duration::from_millis(100), Duration::from_secs(1)).base(3).jitter(Jitter::None).build_with_max_retries(4);
        }
    }
}

fn tower_resilience() -> Vec<Peer> {
    use tower_resilience_retry::{ExponentialBackoff, FixedInterval, IntervalFunction};
    let fixed = delays! {
        |interval| (0..2).map(|attempt| interval.next_interval(attempt)) => {
            FixedInterval::new(Duration::from_secs(1));
        }
    };
    let exponential = delays! {
        |interval| (0..4).map(|attempt| interval.next_interval(attempt)) => {
            ExponentialBackoff::new(Duration::from_secs(1)).max_interval(Duration::from_secs(5));
        }
    };
    [fixed, exponential].concat()
}

fn bare(code: &str) -> String {
    code.split_whitespace().collect()
}

/// Returns whether the waits of a cell, such as `1 2–4`, contain the measured waits.
fn contains(cell: &str, waits: &[f64]) -> bool {
    let ends = cell.split(' ').map(|wait| wait.split_once('–').unwrap_or((wait, wait)));
    let ranges: Vec<_> = ends.map(|(from, to)| (number(from), number(to))).collect();
    let inside = |(wait, (from, to)): (&f64, &(f64, f64))| (from - 0.01..to + 0.01).contains(wait);
    ranges.len() == waits.len() && waits.iter().zip(&ranges).all(inside)
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

fn main() {
    // Random waits are drawn a hundred times.
    for round in 0..100 {
        let mut peers = backon();
        peers.extend(tokio_retry2());
        peers.extend(reqwest_retry());
        peers.extend(tower_resilience());
        let mut compared = 0;
        for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = line.trim_matches(['|', ' ']).split(" | ").collect();
            let [code, attribute, cell] = cells[..] else { continue };
            if !attribute.starts_with("`#[") {
                continue;
            }
            let code = bare(code.trim_matches('`'));
            let peer = peers.iter().find(|(peer, _)| bare(peer) == code);
            let (_, waits) = peer.unwrap_or_else(|| panic!("not run: {code}"));
            assert!(contains(cell, waits), "{code}: {waits:?} and not {cell}");
            if round == 0 {
                println!("{cell:28} {code}");
            }
            compared += 1;
        }
        assert_eq!(compared, peers.len(), "each program is on the page");
    }
}
