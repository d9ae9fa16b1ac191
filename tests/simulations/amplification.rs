//! Attempts per first attempt, by policy and failure rate.

use resilience::{RetryBudget, retry};

use crate::load::{Body, Call, amplification, kept, under, within};
use crate::table::{Sample, Table};

const FAILING: [f64; 6] = [0.05, 0.1, 0.2, 0.3, 0.5, 1.0];

/// The tolerance for the published figures, in addition to three standard errors: the published
/// figures are rounded and counted themselves.
const PUBLISHED_ERROR: f64 = 0.005;

/// The capacity of the bucket is unpublished. The capacity matters only near an empty bucket, at
/// `p = 0.1`; the capacity 5 gives 1.092 and 1.093 there.
const BUCKET: u32 = 5;

const FOUR_ATTEMPTS: [f64; 6] = [1.053, 1.111, 1.248, 1.418, 1.874, 4.000];
const THREE_ATTEMPTS: [f64; 6] = [1.053, 1.110, 1.240, 1.392, 1.752, 3.000];
const PER_SUCCESS: [f64; 6] = [1.053, 1.092, 1.087, 1.075, 1.053, 1.000];
const PER_CALL: [f64; 6] = [1.053, 1.093, 1.100, 1.100, 1.100, 1.100];
const QUOTA: [f64; 6] = [1.053, 1.111, 1.240, 1.392, 1.199, 1.000];
const RATIO: [f64; 6] = [1.053, 1.111, 1.247, 1.297, 1.299, 1.300];
const GRPC: [f64; 6] = [1.052, 1.019, 1.000, 1.000, 1.000, 1.000];

fn tolerance(found: Sample) -> f64 {
    3.0 * found.standard_error() + PUBLISHED_ERROR
}

/// Adds the result of `call` for each failure rate.
fn row(table: &mut Table, name: &str, published: [f64; 6], mut call: impl FnMut() -> Call) {
    let mut cells = Vec::new();
    // Failures grow, so that a budget that survives the row never has to recover.
    for (seed, (p, published)) in (0..).zip(FAILING.into_iter().zip(published)) {
        let found = amplification(&mut call(), p, seed);
        table.expect(&format!("{name} at {p}"), found, published, tolerance(found));
        cells.push(format!("{:.3} ({published:.3})", found.mean));
    }
    table.row(name, cells);
}

fn heading(of: &str) -> Table {
    let mut table = Table::default();
    table.line(format_args!("Attempts for each first try, {of}: found (published)"));
    table.row("failing", FAILING.map(|p| p.to_string()));
    table
}

#[test]
fn of_policies() {
    let mut table = heading("policies");
    row(&mut table, "4 attempts", FOUR_ATTEMPTS, || under(4));
    row(&mut table, "3 attempts", THREE_ATTEMPTS, || under(3));
    row(&mut table, "4 attempts, a bucket, 0.1 per success", PER_SUCCESS, || {
        within(kept(RetryBudget::bucket(BUCKET).per_success(0.1)), 4)
    });
    row(&mut table, "4 attempts, a bucket, 0.1 per call", PER_CALL, || {
        within(kept(RetryBudget::bucket(BUCKET).per_call(0.1)), 4)
    });
    row(&mut table, "3 attempts, the quota at a cost of 5", QUOTA, || {
        within(kept(RetryBudget::new().costs(5, 5)), 3)
    });
    row(&mut table, "4 attempts, a ratio of 20 % and 10 a second", RATIO, || {
        within(kept(RetryBudget::ratio(0.2)), 4)
    });
    // Every failure takes tokens there, of first attempts and of abandoned calls too, and a retry
    // needs half of the tokens. Here only retries take tokens.
    table.row("gRPC's throttle: not built", GRPC.map(|published| format!("({published:.3})")));
    table.finish();
}

static SHARED: RetryBudget = RetryBudget::new().costs(5, 5);

#[retry(attempts = 3, backoff = "fixed", base_delay = "0s", budget = &SHARED)]
fn read(body: &mut Body<'_>) -> Result<(), ()> {
    body()
}

#[retry(attempts = 3, backoff = "fixed", base_delay = "0s", budget = &SHARED)]
fn write(body: &mut Body<'_>) -> Result<(), ()> {
    body()
}

#[retry(attempts = 4, backoff = "fixed", base_delay = "0s", budget = 0.2)]
fn own_ratio(body: &mut Body<'_>) -> Result<(), ()> {
    body()
}

#[retry(attempts = 4, backoff = "fixed", base_delay = "0s")]
fn four_attempts(body: &mut Body<'_>) -> Result<(), ()> {
    body()
}

#[test]
fn of_functions() {
    let mut table = heading("functions");
    row(&mut table, "4 attempts", FOUR_ATTEMPTS, || Box::new(four_attempts));
    row(&mut table, "two of 3 attempts that share the quota", QUOTA, || {
        let mut turn = false;
        Box::new(move |body| {
            turn = !turn;
            if turn { read(body) } else { write(body) }
        })
    });
    row(&mut table, "4 attempts, budget = 0.2", RATIO, || Box::new(own_ratio));
    table.finish();
}

/// Budgets slightly different from the published budgets, where the difference shows.
#[test]
fn different_budgets_are_distinguished() {
    let bucket = RetryBudget::bucket;
    let mut table = Table::default();
    table.line(
        "Attempts for each first try, budgets made wrong: found (published of the right one)",
    );
    for (name, attempts, budget, p, published) in [
        ("the quota without refunds", 3, bucket(500).costs(5, 5).per_success(1.0), 0.3, QUOTA[3]),
        ("the quota at its default cost of 14", 3, RetryBudget::new(), 0.3, QUOTA[3]),
        ("a bucket filled by the call", 4, bucket(BUCKET).per_call(0.1), 0.3, PER_SUCCESS[3]),
        ("a bucket filled by the success", 4, bucket(BUCKET).per_success(0.1), 1.0, PER_CALL[5]),
        ("the ratio without its minimum", 4, bucket(100).per_call(0.2), 0.5, RATIO[4]),
    ] {
        let found = amplification(&mut within(kept(budget), attempts), p, 0);
        table.row(name, [format!("{:.3} ({published:.3})", found.mean)]);
        let differs = !found.is_within(tolerance(found), published);
        table.hold(differs, format_args!("{name}: indistinguishable from the correct budget"));
    }
    table.finish();
}
