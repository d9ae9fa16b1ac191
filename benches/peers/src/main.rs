//! Runs the rows under callgrind, or times the rows.
//!
//! - without arguments: prints the rows, one per line, with a tab between name and subject
//! - `<name> <subject> <calls>`: runs the given number of calls
//! - `time <name> <subject> <calls>`: nanoseconds per call, the fastest of several runs
//! - `threads`: the rows that threads share, with the nanoseconds per call

use std::time::{Duration, Instant};

use peers::threads::{SHARED, Shared};
use peers::{Row, rows};

const RUNS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => rows().for_each(|row| println!("{}\t{}", row.name, row.subject)),
        ["threads"] => threads(),
        ["time", name, subject, calls] => {
            let (row, calls) = (find(name, subject), number(calls));
            println!("{:.1}", nanoseconds(calls, || time(row, calls)));
        }
        [name, subject, calls] => {
            let row = find(name, subject);
            // Clocks calibrate at their first use, for a varying time.
            (row.run)(1);
            counted(row, number(calls));
        }
        _ => panic!("see the head of this file for the arguments"),
    }
}

fn find(name: &str, subject: &str) -> &'static Row {
    let mut rows = rows();
    rows.find(|row| row.name == name && row.subject == subject).expect("a row")
}

/// callgrind counts inside of this function only.
#[inline(never)]
fn counted(row: &Row, calls: u64) {
    (row.run)(calls);
}

fn number(calls: &str) -> u64 {
    calls.parse().expect("a number of calls")
}

fn time(row: &Row, calls: u64) -> Duration {
    let start = Instant::now();
    (row.run)(calls);
    start.elapsed()
}

/// Nanoseconds per call, in the fastest run.
fn nanoseconds(calls: u64, run: impl Fn() -> Duration) -> f64 {
    let least = (0..RUNS).map(|_| run()).min().unwrap_or_default();
    least.as_secs_f64() * 1e9 / calls as f64
}

fn threads() {
    let calls = 300_000;
    for rows in SHARED.chunk_by(|row, next| row.name == next.name) {
        for (threads, words) in [(1, "one thread"), (2, "two threads")] {
            for Shared { name, subject, run } in rows {
                let time = nanoseconds(calls, || run(threads, calls));
                println!("{name}, {words}\t{subject}\t{time:.1}");
            }
        }
    }
}
