//! Section 2: where the amplification is known exactly, and where the quota begins to drain.

use resilience::RetryBudget;

use crate::load::{amplification, under};
use crate::table::Table;

/// A call with so many retries makes `1 + p + p^2 + …` attempts.
#[test]
fn attempts_alone() {
    let mut table = Table::default();
    table.line("Attempts for each first try, no budget: found (sum of p^k)");
    let failing = [0.05_f64, 0.2, 0.5, 0.8, 1.0];
    table.row("failing", failing.map(|p| p.to_string()));
    for attempts in [2, 3, 4, 6] {
        let name = format!("{attempts} attempts");
        let mut cells = Vec::new();
        for (seed, p) in (u64::from(attempts)..).zip(failing) {
            let exact: f64 = (0..attempts).map(|retry| p.powf(f64::from(retry))).sum();
            let found = amplification(&mut under(attempts, None), p, seed);
            table.expect(&format!("{name} at {p}"), found, exact, 3.0 * found.standard_error());
            cells.push(format!("{:.3} ({exact:.3})", found.mean));
        }
        table.row(&name, cells);
    }
    table.finish();
}

/// A bucket that a success fills by `f` allows `1 + f(1-p)/(1-f(1-p))` attempts as soon as it is dry,
/// above `p = f/(1+f)`, and one that a call fills `1 + f`.
#[test]
fn dry_buckets() {
    let mut table = Table::default();
    table.line("Attempts for each first try, a bucket that is dry: found (closed form)");
    let failing = [0.4, 0.5, 0.7, 1.0];
    table.row("failing", failing.map(|p| p.to_string()));
    for f in [0.05, 0.1, 0.3] {
        let (mut by_success, mut by_call) = (Vec::new(), Vec::new());
        for (seed, p) in (100..).zip(failing) {
            let earned = f * (1.0 - p);
            let bucket = || RetryBudget::bucket(5);
            for (cells, budget, exact) in [
                (&mut by_success, bucket().per_success(f), 1.0 + earned / (1.0 - earned)),
                (&mut by_call, bucket().per_call(f), 1.0 + f),
            ] {
                let found = amplification(&mut under(10, Some(budget)), p, seed);
                // A bucket that begins or ends a batch with a token in hand moves it by that much.
                let tolerance = 3.0 * found.standard_error() + 0.001;
                table.expect(&format!("a bucket of {f} at {p}"), found, exact, tolerance);
                cells.push(format!("{:.3} ({exact:.3})", found.mean));
            }
        }
        table.row(&format!("{f} per success"), by_success);
        table.row(&format!("{f} per call"), by_call);
    }
    table.finish();
}
