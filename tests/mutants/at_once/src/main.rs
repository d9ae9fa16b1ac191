//! Tests all changes of a list of `cargo-mutants` with one build of each test program:
//! `at-once LIST RESULTS [ARGUMENTS OF CARGO TEST]`.
//!
//! Each change has a switch in the compiled code. The variable `MUTANT` of a process selects a
//! change. Each test runs once without a change, and notes the passed switches. A change costs
//! the tests of this switch only: each in a separate process, until a test fails. The results are
//! kept, and a further command runs the surviving changes with further programs.

mod changes;
mod programs;
mod results;
mod switches;
mod tree;

use changes::Change;
use results::Results;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use tree::State;

/// The number of parallel tests.
const WORKERS: usize = 2;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut path = |name: &str| PathBuf::from(arguments.next().expect(name));
    let (list, results) = (path("the list of changes"), path("the file of results"));
    let arguments: Vec<String> = arguments.collect();

    let changes = changes::read(&list);
    let (mut tree, executables) = tree::Tree::build(&changes, &arguments);
    let tests = programs::trace(&executables);
    let results = Mutex::new(Results::read(results));
    let is_open = |change: &&Change| !lock(&results).is_decided(&change.name);
    let open: Vec<&Change> = changes.iter().filter(is_open).collect();
    in_parallel(&open, |change| {
        let verdict = match tree.state(change.number) {
            State::Switched => programs::run(change.number, &tests),
            State::DoesNotCompile => "does not compile".to_owned(),
            State::WithoutSwitch => return,
        };
        lock(&results).record(&change.name, verdict);
    });
    // Changes without a switch need a build each.
    for change in open {
        if matches!(tree.state(change.number), State::WithoutSwitch) {
            let verdict = match tree.build_one(change, &arguments) {
                Some(executables) => programs::run_all(&executables),
                None => "does not compile".to_owned(),
            };
            lock(&results).record(&change.name, verdict);
        }
    }
    lock(&results).print(&changes);
}

fn lock(results: &Mutex<Results>) -> MutexGuard<'_, Results> {
    results.lock().expect("no worker panics")
}

/// Calls the function for each item, in threads, and returns the values in any order.
fn in_parallel<T: Sync, R: Send>(items: &[T], function: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let next = || items.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(next).map(&function).collect::<Vec<R>>()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker panics")).collect()
    })
}
