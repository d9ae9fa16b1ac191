//! Section 2: attempts for each first try, by policy and by how much fails.

use resilience::{RetryBudget, retry};

use crate::load::{Attempt, Call, amplification, under};
use crate::table::Table;

const FAILING: [f64; 6] = [0.05, 0.1, 0.2, 0.3, 0.5, 1.0];

/// Beside three standard errors of what was counted here: what the published figures, rounded and
/// counted themselves, may be off by.
const PUBLISHED_ERROR: f64 = 0.005;

/// No capacity was published for the bucket. It matters only where the bucket is about to run dry,
/// at `p = 0.1`, and 5 is the one that gives 1.092 and 1.093 there.
const BUCKET: u32 = 5;

const FOUR_ATTEMPTS: [f64; 6] = [1.053, 1.111, 1.248, 1.418, 1.874, 4.000];
const THREE_ATTEMPTS: [f64; 6] = [1.053, 1.110, 1.240, 1.392, 1.752, 3.000];
const PER_SUCCESS: [f64; 6] = [1.053, 1.092, 1.087, 1.075, 1.053, 1.000];
const PER_CALL: [f64; 6] = [1.053, 1.093, 1.100, 1.100, 1.100, 1.100];
const QUOTA: [f64; 6] = [1.053, 1.111, 1.240, 1.392, 1.199, 1.000];
const RATIO: [f64; 6] = [1.053, 1.111, 1.247, 1.297, 1.299, 1.300];
const GRPC: [f64; 6] = [1.052, 1.019, 1.000, 1.000, 1.000, 1.000];

/// One after the other with `calls`, which lives through all of them.
fn row(table: &mut Table, name: &str, published: [f64; 6], mut calls: impl FnMut() -> Call) {
    let mut cells = Vec::new();
    // Failures grow, so that a budget that lives through the row never has to recover.
    for (seed, (p, published)) in (0..).zip(FAILING.into_iter().zip(published)) {
        let found = amplification(&mut calls(), p, seed);
        let tolerance = 3.0 * found.standard_error() + PUBLISHED_ERROR;
        table.expect(&format!("{name} at {p}"), found, published, tolerance);
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
    let bucket = || RetryBudget::bucket(BUCKET);
    let quota = || RetryBudget::new().costs(5, 5);
    row(&mut table, "4 attempts", FOUR_ATTEMPTS, || under(4, None));
    row(&mut table, "3 attempts", THREE_ATTEMPTS, || under(3, None));
    row(&mut table, "4 attempts, a bucket, 0.1 per success", PER_SUCCESS, || {
        under(4, Some(bucket().per_success(0.1)))
    });
    row(&mut table, "4 attempts, a bucket, 0.1 per call", PER_CALL, || {
        under(4, Some(bucket().per_call(0.1)))
    });
    row(&mut table, "3 attempts, the quota at a cost of 5", QUOTA, || under(3, Some(quota())));
    row(&mut table, "4 attempts, a ratio of 20 % and 10 a second", RATIO, || {
        under(4, Some(RetryBudget::ratio(0.2)))
    });
    // Its tokens are lost by every failure, of first tries and of calls that give up as well, and half
    // of them must be left for a retry. A budget here is drawn on by retries alone.
    table.row("gRPC's throttle: not built", GRPC.map(|published| format!("({published:.3})")));
    table.finish();
}

static SHARED: RetryBudget = RetryBudget::new().costs(5, 5);

#[retry(attempts = 3, backoff = "fixed", base_delay = "0s", budget = &SHARED)]
fn read(attempt: &mut Attempt<'_>) -> Result<(), ()> {
    attempt()
}

#[retry(attempts = 3, backoff = "fixed", base_delay = "0s", budget = &SHARED)]
fn write(attempt: &mut Attempt<'_>) -> Result<(), ()> {
    attempt()
}

#[retry(attempts = 4, backoff = "fixed", base_delay = "0s", budget = 0.2)]
fn own_ratio(attempt: &mut Attempt<'_>) -> Result<(), ()> {
    attempt()
}

#[retry(attempts = 4, backoff = "fixed", base_delay = "0s")]
fn unlimited(attempt: &mut Attempt<'_>) -> Result<(), ()> {
    attempt()
}

#[test]
fn of_functions() {
    let mut table = heading("functions");
    row(&mut table, "4 attempts", FOUR_ATTEMPTS, || Box::new(unlimited));
    row(&mut table, "two of 3 attempts that share the quota", QUOTA, || {
        let mut turn = false;
        Box::new(move |attempt| {
            turn = !turn;
            if turn { read(attempt) } else { write(attempt) }
        })
    });
    row(&mut table, "4 attempts, budget = 0.2", RATIO, || Box::new(own_ratio));
    table.finish();
}
