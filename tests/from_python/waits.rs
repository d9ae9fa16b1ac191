//! The table of delays.

use std::time::Duration;

use resilience::{retry, testing};

use crate::{Calls, Down, PAGE, bare};

/// The random draws behind the numbers of the page.
const DRAWS: [f64; 6] = [0.0, 0.5, 0.75, 0.25, 0.5, 0.5];

/// The delay of a Python library before retry `n` for the draw `u`, and the delays of the
/// attribute.
struct Pair {
    ours: &'static str,
    formula: fn(n: i32, u: f64) -> f64,
    waits: Vec<f64>,
}

macro_rules! pair {
    ($formula:expr, #[$($attribute:tt)*]) => {{
        #[$($attribute)*]
        fn call(calls: &mut Calls) -> Result<(), Down> {
            calls.begin();
            Err(Down)
        }
        let _draws = testing::draws(DRAWS);
        let mut calls = Calls::new();
        assert_eq!(call(&mut calls), Err(Down));
        Pair { ours: stringify!(#[$($attribute)*]), formula: $formula, waits: calls.waits() }
    }};
}

/// Returns `multiplier * base^(n-1)`, at most `max`: `wait_exponential`, `backoff.expo`,
/// `2**attempt` from 0.
fn expo(multiplier: f64, base: f64, max: f64, n: i32) -> f64 {
    (multiplier * base.powi(n - 1)).min(max)
}

fn fibonacci(n: i32) -> f64 {
    (1..n).fold((1.0, 1.0), |(a, b), _| (b, a + b)).0
}

/// Returns the pairs in the order of the page.
fn pairs() -> Vec<Pair> {
    vec![
        // tenacity
        pair!(|_, _| 2.0, #[retry(attempts = 4, backoff = "fixed", base_delay = "2s")]),
        pair!(
            |n, _| expo(1.0, 2.0, 10.0, n),
            #[retry(attempts = 7, base_delay = "1s", max_delay = "10s", jitter = "none")]
        ),
        pair!(
            |n, _| expo(0.5, 3.0, 10.0, n),
            #[retry(attempts = 7, base_delay = "500ms", factor = 3, max_delay = "10s", jitter = "none")]
        ),
        pair!(
            |n, _| expo(1.0, 2.0, 10.0, n).max(4.0),
            #[retry(attempts = 7, backoff = ["4s", "4s", "4s", "8s", "10s"], jitter = "none")]
        ),
        pair!(
            |n, u| u * expo(1.0, 2.0, 8.0, n),
            #[retry(attempts = 7, base_delay = "1s", max_delay = "8s")]
        ),
        pair!(
            |n, u| expo(1.0, 2.0, 8.0, n) + u,
            #[retry(attempts = 7, base_delay = "1s", max_delay = "9s", jitter = "1s")]
        ),
        pair!(
            |n, u| (expo(1.0, 2.0, f64::MAX, n) + u).min(8.0),
            #[retry(attempts = 7, base_delay = "1s", max_delay = "8s", jitter = "1s")]
        ),
        pair!(
            |_, u| 1.0 + u * 2.0,
            #[retry(attempts = 5, backoff = "fixed", base_delay = "1s", jitter = "2s")]
        ),
        pair!(
            |n, _| [1.0, 5.0, 10.0][usize::try_from(n - 1).unwrap_or(0).min(2)],
            #[retry(attempts = 5, backoff = ["1s", "5s", "10s"], jitter = "none")]
        ),
        pair!(
            |n, _| 1.0 + 2.0 * f64::from(n - 1),
            #[retry(attempts = 5, backoff = |n: u32| Duration::from_secs(2 * u64::from(n) - 1), jitter = "none")]
        ),
        // retrying
        pair!(|_, _| 2.0, #[retry(attempts = 4, backoff = "fixed", base_delay = "2s")]),
        pair!(
            |n, _| (2.0_f64.powi(n)).min(10.0),
            #[retry(attempts = 6, base_delay = "2s", max_delay = "10s", jitter = "none")]
        ),
        pair!(
            |n, u| (2.0_f64.powi(n)).min(10.0) + u,
            #[retry(attempts = 6, base_delay = "2s", max_delay = "11s", jitter = "1s")]
        ),
        pair!(
            |_, u| 1.0 + u * 2.0,
            #[retry(attempts = 5, backoff = "fixed", base_delay = "1s", jitter = "2s")]
        ),
        pair!(
            |n, _| 0.5 + 0.5 * f64::from(n - 1),
            #[retry(attempts = 5, backoff = "linear", base_delay = "500ms", jitter = "none")]
        ),
        // backoff
        pair!(
            |n, u| u * expo(1.0, 2.0, f64::MAX, n),
            #[retry(attempts = 7, base_delay = "1s", max_delay = "1h")]
        ),
        pair!(
            |n, _| expo(1.0, 2.0, 8.0, n),
            #[retry(attempts = 7, base_delay = "1s", max_delay = "8s", jitter = "none")]
        ),
        pair!(
            |n, u| expo(1.0, 2.0, 8.0, n) + u,
            #[retry(attempts = 7, base_delay = "1s", max_delay = "9s", jitter = "1s")]
        ),
        pair!(
            |_, u| u * 2.0,
            #[retry(attempts = 4, backoff = "fixed", base_delay = "2s", jitter = "full")]
        ),
        pair!(
            |n, _| fibonacci(n).min(5.0),
            #[retry(attempts = 7, backoff = "fibonacci", base_delay = "1s", max_delay = "5s", jitter = "none")]
        ),
        // stamina
        pair!(
            |n, u| (expo(0.1, 2.0, f64::MAX, n) + u).min(5.0),
            #[retry(attempts = 8, max_delay = "5s", jitter = "1s")]
        ),
        // by hand
        pair!(
            |n, u| (expo(1.0, 2.0, f64::MAX, n) * (1.0 + u / 2.0)).min(10.0),
            #[retry(attempts = 7, base_delay = "1s", max_delay = "10s", jitter = 0.5)]
        ),
        pair!(
            |n, u| expo(1.0, 2.0, 10.0, n) * (1.0 + u / 2.0),
            #[retry(attempts = 7, backoff = ["1s", "2s", "4s", "8s", "10s"], max_delay = "15s", jitter = 0.5)]
        ),
    ]
}

#[test]
fn the_page_shows_the_delays_of_both() {
    let (_, table) = PAGE.split_once("# Waits").expect("the section on delays");
    let (table, _) = table.split_once("\n# ").expect("a section after it");
    let rows: Vec<_> = table.lines().filter(|line| line.contains("`#[retry(")).collect();
    let pairs = pairs();
    assert_eq!(rows.len(), pairs.len());
    for (row, pair) in rows.into_iter().zip(pairs) {
        let row = row.replace("\\|", "¦"); // a bar in a cell
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, _, ours, there, here, _] = cells[..] else { panic!("{row}") };
        let ours = ours.trim_matches('`').replace('¦', "|");
        assert_eq!(bare(&ours), bare(pair.ours));

        let draws = DRAWS.iter().chain([&DRAWS[5]]).take(pair.waits.len());
        let by_formula = (1..).zip(draws).map(|(n, u)| (pair.formula)(n, *u)).collect();
        assert_same(&by_formula, &numbers(there), &row);
        let here = if here == "the same" { there } else { here };
        assert_same(&pair.waits, &numbers(here), &row);
    }
}

/// Python cuts delays after jitter, so delays at the ceiling differ in three rows.
#[test]
fn three_rows_show_a_difference() {
    let rows = PAGE.lines().filter(|line| line.contains("`#[retry(") && line.starts_with("| "));
    assert_eq!(rows.filter(|line| !line.ends_with("| the same |")).count(), 3);
}

fn numbers(cell: &str) -> Vec<f64> {
    cell.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

/// Compares to the microsecond: the formulas are in floating point.
fn assert_same(found: &Vec<f64>, expected: &Vec<f64>, row: &str) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
    let is_same = found.len() == expected.len() && found.iter().zip(expected).all(near);
    assert!(is_same, "{found:?} is not {expected:?}: {row}");
}
