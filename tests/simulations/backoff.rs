//! Backoff and jitter under contention.

use std::time::Duration;

use resilience::{Jitter, RetryPolicy};

use crate::contention::{Runs, simulate, under};
use crate::table::{Sample, Table};

/// The tolerance for calls and times, as a share of the published means.
pub(crate) const CALLS: f64 = 0.02;
pub(crate) const MILLIS: f64 = 0.06;

pub(crate) const SEEDS: u64 = 100;

/// `expo(n) = min(2 s, 5 ms * 2^n)`. The first delay has `n = 1`, so the first delay is 10 ms.
pub(crate) const EXPO: RetryPolicy = RetryPolicy::new()
    .exponential()
    .base_delay(Duration::from_millis(10))
    .factor(2.0)
    .max_delay(Duration::from_secs(2));

/// Here the base is not doubled: before the first delay `s` is 5 ms.
pub(crate) const DECORRELATED: RetryPolicy =
    EXPO.base_delay(Duration::from_millis(5)).jitter(Jitter::Decorrelated);

/// The published figures of a kind of delay.
pub(crate) struct Published {
    pub(crate) name: &'static str,
    pub(crate) policy: RetryPolicy,
    /// Mean and deviation of a run with 100 clients.
    pub(crate) calls: (f64, f64),
    pub(crate) millis: (f64, f64),
    /// Calls and milliseconds as read off by the first publication of the model, printed for
    /// comparison.
    first: [&'static str; 2],
    /// Mean calls with 10, 20, 50 and 200 clients.
    at: [f64; 4],
}

impl Published {
    /// Checks runs with 100 clients against the published figures.
    pub(crate) fn is(&self, found: Runs) -> bool {
        let (calls, millis) = (self.calls.0, self.millis.0);
        found.calls.is_within(CALLS * calls, calls)
            && found.millis.is_within(MILLIS * millis, millis)
    }
}

pub(crate) const FULL: Published = Published {
    name: "full",
    policy: EXPO.jitter(Jitter::Full),
    calls: (795.0, 7.0),
    millis: (4930.0, 570.0),
    first: ["795", "4857"],
    at: [39.0, 100.0, 332.0, 1890.0],
};

pub(crate) const SPREAD: Published = Published {
    name: "decorrelated",
    policy: DECORRELATED,
    calls: (1001.0, 28.0),
    millis: (4554.0, 702.0),
    first: ["~1000", "~4520"],
    at: [38.0, 101.0, 374.0, 2610.0],
};

const ROWS: [Published; 5] = [
    Published {
        name: "none",
        policy: RetryPolicy::new().fixed().base_delay(Duration::ZERO),
        calls: (2423.0, 31.0),
        millis: (2028.0, 44.0),
        first: ["2403–2420", "2030"],
        at: [51.0, 152.0, 691.0, 8812.0],
    },
    Published {
        name: "exponential",
        policy: EXPO.jitter(Jitter::None),
        calls: (1856.0, 60.0),
        millis: (63397.0, 3817.0),
        first: ["1849", "62937"],
        at: [51.0, 150.0, 623.0, 5609.0],
    },
    SPREAD,
    Published {
        name: "equal",
        policy: EXPO.jitter(Jitter::Equal),
        calls: (812.0, 8.0),
        millis: (6613.0, 658.0),
        first: ["~810", "6692"],
        at: [43.0, 108.0, 347.0, 1872.0],
    },
    FULL,
];

#[test]
fn one_hundred_clients() {
    let mut table = Table::default();
    table.line(format_args!("100 clients on one row, {SEEDS} runs: found (published) [in 2015]"));
    table.row("", ["calls", "", "", "ms", "", ""].map(str::to_owned));
    for row in ROWS {
        let Runs { calls, millis } = simulate(SEEDS, 100, under(row.policy));
        let found = |sample: Sample| format!("{:.0}±{:.0}", sample.mean, sample.deviation);
        let published = |(mean, deviation)| format!("({mean}±{deviation})");
        let [first_calls, first_millis] = row.first.map(|first| format!("[{first}]"));
        let cells = [
            found(calls),
            published(row.calls),
            first_calls,
            found(millis),
            published(row.millis),
            first_millis,
        ];
        table.row(row.name, cells);
        table.expect(&format!("{} calls", row.name), calls, row.calls.0, CALLS * row.calls.0);
        table.expect(&format!("{} ms", row.name), millis, row.millis.0, MILLIS * row.millis.0);
    }
    table.finish();
}

#[test]
fn fewer_and_more_clients() {
    // Fewer clients scatter more, and run faster.
    let sizes = [(10, 2000), (20, 1000), (50, 200), (200, 40)];
    let mut table = Table::default();
    table.line("Calls by the number of clients: found (published)");
    table.row("clients (runs)", sizes.map(|(clients, seeds)| format!("{clients} ({seeds})")));
    for row in ROWS {
        let mut cells = Vec::new();
        for ((clients, seeds), published) in sizes.into_iter().zip(row.at) {
            let found = simulate(seeds, clients, under(row.policy)).calls;
            cells.push(format!("{:.1} ({published})", found.mean));
            table.expect(
                &format!("{} at {clients}", row.name),
                found,
                published,
                CALLS * published,
            );
        }
        table.row(row.name, cells);
    }
    table.finish();
}
