//! Typical mistakes in a backoff, in the model of contention: the tolerances distinguish each
//! mistake from the correct backoff. The mistakes are in the use of the policies, not in the
//! library.

use std::time::Duration;

use crate::backoff::{CALLS, FULL, Published, SEEDS, SPREAD};
use crate::contention::{Runs, Wait, simulate, under};
use crate::table::Table;

const CLIENTS: usize = 100;
const BASE: Duration = Duration::from_millis(5);
const CAP: Duration = Duration::from_secs(2);

/// A mistake in the delays of `of`, and the published mean calls, if any.
struct Mistake {
    name: &'static str,
    of: Published,
    calls: Option<f64>,
    waits: fn(usize) -> Box<Wait>,
}

const MISTAKES: [Mistake; 6] = [
    Mistake {
        name: "full, the exponent from 0",
        of: FULL,
        calls: Some(875.0),
        waits: |clients| under(FULL.policy.base_delay(BASE))(clients),
    },
    Mistake {
        name: "full, every client seeded alike",
        of: FULL,
        calls: Some(1860.0),
        waits: alike,
    },
    Mistake { name: "full, jitter before the cap", of: FULL, calls: None, waits: jitter_first },
    Mistake {
        name: "full, the cap ignored",
        of: FULL,
        calls: None,
        waits: |clients| under(FULL.policy.max_delay(Duration::MAX))(clients),
    },
    Mistake {
        name: "decorrelated, lower bound 0",
        of: SPREAD,
        calls: Some(1342.0),
        waits: from_zero,
    },
    Mistake {
        name: "decorrelated, one state for all operations",
        of: SPREAD,
        calls: None,
        waits: shared,
    },
];

/// The n-th delays of all clients share a draw.
fn alike(_: usize) -> Box<Wait> {
    let mut waits = Vec::new();
    Box::new(move |_, refusal| {
        // The first client at a number draws for all clients; each client reaches the numbers in
        // order.
        let index = refusal as usize - 1;
        if index == waits.len() {
            waits.push(FULL.policy.delay(refusal, None));
        }
        waits[index]
    })
}

/// Spreads a delay before the cap, so that late retries all wait for the cap.
fn jitter_first(_: usize) -> Box<Wait> {
    let policy = FULL.policy.max_delay(Duration::MAX);
    Box::new(move |_, refusal| policy.delay(refusal, None).min(CAP))
}

/// `s <- min(cap, U(0, 3 s))`
fn from_zero(clients: usize) -> Box<Wait> {
    let policy = SPREAD.policy.base_delay(Duration::ZERO);
    let mut previous = vec![BASE; clients];
    Box::new(move |client, refusal| {
        previous[client] = policy.delay(refusal, Some(previous[client]));
        previous[client]
    })
}

/// All operations share the state of the delay.
fn shared(_: usize) -> Box<Wait> {
    let mut previous = None;
    Box::new(move |_, refusal| {
        let delay = SPREAD.policy.delay(refusal, previous);
        previous = Some(delay);
        delay
    })
}

#[test]
fn typical_mistakes_are_distinguished() {
    let mut table = Table::default();
    table.line(format_args!("Mistakes, {CLIENTS} clients, {SEEDS} runs: found (published)"));
    table.row("", ["calls", "without it", "ms", "without it"].map(str::to_owned));
    for Mistake { name, of, calls: published, waits } in MISTAKES {
        let found = simulate(SEEDS, CLIENTS, waits);
        let Runs { calls, millis } = found;
        let of_it = published.map_or(String::new(), |published| format!(" ({published})"));
        table.row(
            name,
            [
                format!("{:.0}{of_it}", calls.mean),
                format!("({})", of.calls.0),
                format!("{:.0}", millis.mean),
                format!("({})", of.millis.0),
            ],
        );
        table.hold(!of.is(found), format_args!("{name}: indistinguishable from {}", of.name));
        if let Some(published) = published {
            table.expect(name, calls, published, CALLS * published);
        }
    }
    table.finish();
}
