//! Hedged calls: the table of `bhope/hedge`, and the fan-out of "The Tail at Scale".

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use resilience::{RetryBudget, hedge, testing};
use tokio::time::{Instant, sleep};

use crate::random::Random;
use crate::table::Table;
use crate::virtual_time::run;

/// Virtual time passes ten times slower, because the timer of tokio has whole milliseconds.
const SCALE: f64 = 10.0;

const CALLS: usize = 50_000;

/// The latency of the service in milliseconds: lognormal with mean 5 and deviation 2, and ten times
/// as long for 5 % of the calls.
fn latency(random: &mut Random) -> f64 {
    let variance = (1.0_f64 + (2.0 / 5.0_f64).powi(2)).ln();
    let latency = (5.0_f64.ln() - variance / 2.0 + variance.sqrt() * random.normal()).exp();
    if random.chance(0.05) { latency * 10.0 } else { latency }
}

struct Service {
    random: RefCell<Random>,
    calls: Cell<usize>,
}

impl Service {
    async fn answer(&self) -> Option<()> {
        self.calls.set(self.calls.get() + 1);
        let millis = latency(&mut self.random.borrow_mut());
        sleep(Duration::from_secs_f64(millis * SCALE / 1000.0)).await;
        Some(())
    }
}

#[hedge(after = "100ms", idempotent, budget = 1.0)]
async fn after_10_ms(service: &Service) -> Option<()> {
    service.answer().await
}

#[hedge(after = "500ms", idempotent, budget = 1.0)]
async fn after_50_ms(service: &Service) -> Option<()> {
    service.answer().await
}

/// A token for every tenth call. The published bucket ran dry now and then.
static TENTH: RetryBudget = RetryBudget::bucket(DEPTH).per_call(0.1);

/// The capacity with which the share of hedges is the published share.
const DEPTH: u32 = 7;

#[hedge(after = "p90", warm_up = "100ms", idempotent, budget = &TENTH)]
async fn learned(service: &Service) -> Option<()> {
    service.answer().await
}

/// Returns the percentiles 50, 90, 95, 99 and 99.9.
fn percentiles(mut times: Vec<f64>) -> [f64; 5] {
    times.sort_unstable_by(f64::total_cmp);
    [500, 900, 950, 990, 999].map(|thousandths| times[times.len() * thousandths / 1000])
}

/// Few calls have a latency near the 95th percentile, between the fast and the slow calls, so this
/// row has more calls.
fn without_hedging() -> [f64; 6] {
    let mut random = Random::new(7);
    row(percentiles((0..40 * CALLS).map(|_| latency(&mut random)).collect()), 0.0)
}

/// Returns a row of the table: the percentiles and the added load.
fn row(percentiles: [f64; 5], added: f64) -> [f64; 6] {
    let [p50, p90, p95, p99, p999] = percentiles;
    [p50, p90, p95, p99, p999, added]
}

/// Returns the percentiles in milliseconds, and the added load in percent.
fn measure(call: &impl AsyncFn(&Service) -> Option<()>) -> [f64; 6] {
    let _state = testing::fresh_state();
    run(7, async || {
        let service = Service { random: RefCell::new(Random::new(7)), calls: Cell::new(0) };
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let start = Instant::now();
            assert_eq!(call(&service).await, Some(()));
            times.push(start.elapsed().as_secs_f64() * 1000.0 / SCALE);
        }
        let added = (service.calls.get() - CALLS) as f64 * 100.0 / CALLS as f64;
        row(percentiles(times), added)
    })
}

/// The published p95 with a hedge after 50 ms, 18.9 ms, is no effect of hedging: without hedging the
/// published p95 is 17.1 ms, and a hedge after 50 ms changes no latency below 50 ms.
#[test]
fn the_table_of_bhope_hedge() {
    let mut table = Table::default();
    let header = ["p50", "p90", "p95", "p99", "p99.9", "added %"];
    table.row("published / ours", header.map(String::from));
    let none = Some(0.0);
    let rows = [
        (
            "no hedging",
            without_hedging(),
            [Some(5.0), Some(8.9), Some(17.1), Some(64.3), Some(104.5), none],
        ),
        (
            "after 10 ms",
            measure(&after_10_ms),
            [None, None, Some(13.1), Some(17.4), Some(46.5), Some(7.4)],
        ),
        (
            "after 50 ms",
            measure(&after_50_ms),
            [None, None, None, Some(54.7), Some(60.2), Some(2.1)],
        ),
        (
            "learned p90",
            measure(&learned),
            [None, None, Some(12.3), Some(17.0), Some(59.4), Some(8.9)],
        ),
    ];
    for (name, ours, published) in rows {
        let cells = published.iter().zip(&ours).map(|(published, ours)| match published {
            Some(published) => format!("{published} / {ours:.1}"),
            None => format!("{ours:.1}"),
        });
        table.row(name, cells);
        for ((published, ours), column) in published.iter().zip(&ours).zip(header) {
            let Some(published) = published else { continue };
            let near = (ours - published).abs() <= published * 0.05 + 1e-9;
            table.hold(near, format!("{name}, {column}: {ours:.2}, not {published}"));
        }
    }
    table.finish();
}

/// A draw of the latency above 10 ms, in milliseconds. A table read asks 100 servers. Three published
/// figures determine the tail: 2 % of the calls take more than 10 ms, the 99.9th percentile of a read
/// without hedging is 1800 ms, and with hedging 74 ms.
fn slow(random: &mut Random) -> f64 {
    // The share of the slow calls that exceed 64 ms, and the power of the tail above.
    let above: f64 = 0.18;
    let share = 1.0 - random.uniform();
    let knee = 64.0;
    if share > above {
        10.0 * share.powf(-(knee / 10.0_f64).ln() / -above.ln())
    } else {
        let power = (above * 0.02 / PER_CALL).ln() / (1800.0_f64 / knee).ln();
        knee * (share / above).powf(-1.0 / power)
    }
}

/// The share of the calls above the 99.9th percentile of the slowest of 100: `1 - 0.999^(1/100)`.
const PER_CALL: f64 = 1.000_5e-5;

#[hedge(after = "100ms", idempotent, budget = 1.0)]
async fn one_of_a_hundred(random: &RefCell<Random>, attempts: &Cell<u32>) -> Option<()> {
    let is_hedge = attempts.replace(attempts.get() + 1) > 0;
    let millis = {
        let random = &mut *random.borrow_mut();
        if is_hedge && !random.chance(0.02) { 5.0 } else { slow(random) }
    };
    sleep(Duration::from_secs_f64(millis * SCALE / 1000.0)).await;
    Some(())
}

/// Dean and Barroso, "The Tail at Scale" (2013): hedged reads after 10 ms, 1800 ms become 74 ms with
/// 2 % more requests. Only the slow calls run, which are 2 % of all calls.
#[test]
fn the_tail_at_scale() {
    const SLOW: usize = 100_000;
    let (plain, hedged, added) = run(11, async || {
        let random = RefCell::new(Random::new(11));
        let mut plain: Vec<f64> = (0..SLOW).map(|_| slow(&mut random.borrow_mut())).collect();
        let (mut hedged, mut added) = (Vec::with_capacity(SLOW), 0);
        for _ in 0..SLOW {
            let (start, attempts) = (Instant::now(), Cell::new(0));
            assert_eq!(one_of_a_hundred(&random, &attempts).await, Some(()));
            added += attempts.get() - 1;
            hedged.push(start.elapsed().as_secs_f64() * 1000.0 / SCALE);
        }
        plain.sort_unstable_by(f64::total_cmp);
        hedged.sort_unstable_by(f64::total_cmp);
        // The share of the slow calls beyond the percentile.
        let beyond = (SLOW as f64 * PER_CALL / 0.02) as usize;
        let at = |times: &[f64]| times[SLOW - 1 - beyond];
        (at(&plain), at(&hedged), f64::from(added) * 0.02 / SLOW as f64)
    });
    let mut table = Table::default();
    table.row("99.9th percentile of a read", ["published".into(), "ours".into()]);
    for (name, published, ours, tolerance) in [
        ("no hedging, ms", 1800.0, plain, 0.1),
        ("hedge after 10 ms, ms", 74.0, hedged, 0.1),
        ("added load, %", 2.0, added * 100.0, 0.05),
    ] {
        table.row(name, [published.to_string(), format!("{ours:.1}")]);
        let near = (ours - published).abs() <= published * tolerance;
        table.hold(near, format!("{name}: {ours:.2}, not {published}"));
    }
    table.finish();
}
