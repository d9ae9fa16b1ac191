//! Effects of requests, counted against the number that a test expects.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::{env, io, process, thread};

/// The effects of one endpoint. A test expects the number that it has read last, and one effect
/// without a reading.
///
/// Any further effect ends the test process with a failure: no
/// test can miss a second effect that comes after its assertions. With `RESILIENCE_EFFECTS` the
/// numbers are appended to the file of this name instead, and `scripts/effects` compares them and
/// prints the total.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    test: String,
    effects: AtomicUsize,
    expected: AtomicUsize,
    is_settled: AtomicBool,
}

/// The expected number before the first reading.
const UNREAD: usize = usize::MAX;

impl Default for Counted {
    fn default() -> Self {
        let test = thread::current().name().unwrap_or("a test without a name").to_owned();
        let [effects, expected] = [0, UNREAD].map(AtomicUsize::new);
        Self { test, effects, expected, is_settled: AtomicBool::new(false) }
    }
}

impl Effects {
    /// Counts an effect. Returns the number of effects.
    pub(crate) fn increment(&self) -> usize {
        self.0.effects.fetch_add(1, SeqCst) + 1
    }

    /// Returns the number of effects, which the test then expects at its end.
    pub(crate) fn count(&self) -> usize {
        let effects = self.0.effects.load(SeqCst);
        self.0.expected.store(effects, SeqCst);
        effects
    }

    /// Compares the effects with the expected number, at the end of the test.
    #[allow(dead_code, reason = "only servers without an end need the function")]
    pub(crate) fn settle(&self) {
        self.0.settle();
    }
}

impl Counted {
    fn settle(&self) {
        // The assertion of a failed test says more.
        if self.is_settled.swap(true, SeqCst) || thread::panicking() {
            return;
        }
        let effects = self.effects.load(SeqCst);
        let expected = match self.expected.load(SeqCst) {
            UNREAD => effects.min(1),
            expected => expected,
        };
        let line = format!("{effects} {expected} {}\n", self.test);
        if let Some(file) = env::var_os("RESILIENCE_EFFECTS") {
            let file = OpenOptions::new().append(true).create(true).open(file);
            file.and_then(|mut file| file.write_all(line.as_bytes())).expect("a writable file");
        } else if effects != expected {
            let words = format!("{}: {effects} effects, and {expected} expected\n", self.test);
            io::stderr().write_all(words.as_bytes()).expect("stderr is open");
            process::exit(1);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.settle();
    }
}
