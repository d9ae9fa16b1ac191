//! Exact results for the amplification, and the failure rate at which the quota starts to drain.

use resilience::RetryBudget;

use crate::load::{CALLS, amplification, kept, under, within};
use crate::table::Table;

/// A call with this number of retries makes `1 + p + p^2 + …` attempts.
#[test]
fn attempts_alone() {
    let mut table = Table::default();
    table.line("Attempts for each first try, no budget: found (sum of p^k)");
    let failing = [0.05_f64, 0.2, 0.5, 0.8, 1.0];
    table.row("failing", failing.map(|p| p.to_string()));
    for attempts in [2, 4, 6] {
        let name = format!("{attempts} attempts");
        let mut cells = Vec::new();
        for (seed, p) in (u64::from(attempts)..).zip(failing) {
            let exact: f64 = (0..attempts).map(|retry| p.powf(f64::from(retry))).sum();
            let found = amplification(&mut under(attempts), p, seed);
            table.expect(&format!("{name} at {p}"), found, exact, 3.0 * found.standard_error());
            cells.push(format!("{:.3} ({exact:.3})", found.mean));
        }
        table.row(&name, cells);
    }
    table.finish();
}

/// A bucket refilled by `f` per success allows `1 + f(1-p)/(1-f(1-p))` attempts once empty, above
/// `p = f/(1+f)`. A bucket refilled by `f` per call allows `1 + f`: retries earn nothing.
#[test]
fn dry_buckets() {
    const BUCKET: u32 = 5;
    let mut table = Table::default();
    table.line("Attempts for each first try, a bucket that is dry: found (closed form)");
    let failing = [0.4, 0.5, 0.7, 1.0];
    table.row("failing", failing.map(|p| p.to_string()));
    for f in [0.1, 0.3] {
        let (mut by_success, mut by_call) = (Vec::new(), Vec::new());
        for (seed, p) in (100..).zip(failing) {
            let earned = f * (1.0 - p);
            let bucket = || RetryBudget::bucket(BUCKET);
            for (cells, budget, exact) in [
                (&mut by_success, bucket().per_success(f), 1.0 + earned / (1.0 - earned)),
                (&mut by_call, bucket().per_call(f), 1.0 + f),
            ] {
                let found = amplification(&mut within(kept(budget), 10), p, seed);
                // The initial tokens may have been spent in addition.
                let at_first = f64::from(BUCKET) / f64::from(CALLS);
                let tolerance = 3.0 * found.standard_error() + at_first;
                table.expect(&format!("a bucket of {f} at {p}"), found, exact, tolerance);
                cells.push(format!("{:.3} ({exact:.3})", found.mean));
            }
        }
        table.row(&format!("{f} per success"), by_success);
        table.row(&format!("{f} per call"), by_call);
    }
    table.finish();
}

/// The net earning of a call from the quota, without limits: one token for a success at once; a
/// successful retry is refunded, and a failed retry costs `cost`.
fn earned(p: f64, cost: f64) -> f64 {
    (1.0 - p) - cost * p * p * (1.0 - p) - 2.0 * cost * p.powi(3)
}

/// Published: at `p = 0.321` for a cost of 5. The default cost of the quota is 14, and drains from
/// 0.215 on by the same formula.
#[test]
fn where_the_quota_drains() {
    let mut table = Table::default();
    table.line("The quota of 500 tokens, with 3 attempts; it drains from 0.321 on at a cost of 5");
    table.row("cost, failing", ["earned", "left", "load", "without it"].map(str::to_owned));
    for (cost, from) in [(5.0, 0.321), (14.0, 0.215)] {
        let holds = earned(from - 0.0005, cost) > 0.0 && earned(from + 0.0005, cost) < 0.0;
        table.hold(holds, format_args!("at a cost of {cost} it earns nothing elsewhere"));
    }
    for (cost, p, drains) in
        [(5, 0.306, false), (5, 0.336, true), (14, 0.2, false), (14, 0.23, true)]
    {
        let quota = kept(RetryBudget::new().costs(cost, 5));
        let found = amplification(&mut within(quota, 3), p, 7);
        let tokens = quota.tokens();
        let free = 1.0 + p + p * p;
        let cells = [format!("{:+.3}", earned(p, f64::from(cost))), tokens.to_string()];
        let loads = [found.mean, free].map(|load| format!("{load:.3}"));
        table.row(&format!("{cost}, {p}"), cells.into_iter().chain(loads));
        let limits = !found.is_within(3.0 * found.standard_error(), free);
        table.hold(limits == drains, format_args!("at {p} it limits the load: {limits}"));
        table.hold((tokens < 250) == drains, format_args!("at {p} {tokens} tokens are left"));
    }
    table.finish();
}
