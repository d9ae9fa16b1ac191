//! A child process that calls functions with a shared breaker and answers questions about them.
//!
//! The parent writes one word a line, and the child answers each word with one line.

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use resilience::stores::breaker::BreakerSync;
use resilience::{CircuitState, circuit_breaker};
use tokio::runtime::Builder;

use crate::store::{postgres, redis};

/// The open time of the breaker `charge`.
pub(crate) const RESET: Duration = Duration::from_secs(1);

/// The open time of the breaker `refund`: longer than any test.
const LONG_RESET: Duration = Duration::from_hours(1);

/// Ends a child whose condition never holds. No condition depends on this time.
const HANG: Duration = Duration::from_mins(2);

/// The parent waits for an answer for longer than the child waits for the condition, so that the
/// child can report the condition.
const NO_ANSWER: Duration = Duration::from_mins(3);

#[circuit_breaker(shared = "payments", failure_threshold = 3, reset_timeout = RESET, name = "charge")]
fn charge(works: bool, executed: &mut bool) -> Option<()> {
    *executed = true;
    works.then_some(())
}

#[circuit_breaker(shared = "refunds", failure_threshold = 3, reset_timeout = LONG_RESET, name = "refund")]
fn refund(works: bool, executed: &mut bool) -> Option<()> {
    *executed = true;
    works.then_some(())
}

/// Calls a function and returns whether the breaker executed the body.
fn is_executed(call: fn(bool, &mut bool) -> Option<()>, works: bool) -> bool {
    let mut executed = false;
    call(works, &mut executed);
    executed
}

/// The duration of calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) mean: Duration,
    pub(crate) longest: Duration,
    /// Whether the breaker executed each call.
    pub(crate) all_executed: bool,
}

const URL: &str = "RESILIENCE_TEST_BOARD";
const INTERVAL: &str = "RESILIENCE_TEST_INTERVAL";
const QUORUM: &str = "RESILIENCE_TEST_QUORUM";

/// The child process: this test alone, started by a parent.
#[test]
fn child() {
    let Ok(url) = env::var(URL) else { return };
    let interval = Duration::from_millis(env::var(INTERVAL).unwrap().parse().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let entered = runtime.enter();
    let quorum: u32 = env::var(QUORUM).unwrap().parse().unwrap();
    if url.starts_with("redis") {
        runtime.spawn(BreakerSync::new(redis(&url)).interval(interval).quorum(quorum).run());
    } else {
        runtime.spawn(BreakerSync::new(postgres(&url)).interval(interval).quorum(quorum).run());
    }
    for word in stdin().lines() {
        let word = word.unwrap();
        let first_seen = |condition: &mut dyn FnMut() -> bool| first_seen(&word, condition);
        let answer = match word.as_str() {
            "open" => first_seen(&mut || !is_executed(charge, false)),
            "rejected within the open time" => rejected_within_the_open_time(),
            "executed" => first_seen(&mut || is_executed(charge, true)),
            "closed" => first_seen(&mut is_closed),
            "closed by calls" => first_seen(&mut || is_executed(charge, true) && is_closed()),
            "measure" => measured(),
            "join refunds" => first_seen(&mut || {
                is_executed(refund, true);
                true
            }),
            "open refunds" => first_seen(&mut || !is_executed(refund, false)),
            "refunds rejected" => first_seen(&mut || !is_executed(refund, true)),
            word => unreachable!("{word}"),
        };
        writeln!(stdout(), "answer {answer}").unwrap();
    }
    drop(entered);
    // A task that waits for a server must not keep the process.
    runtime.shutdown_background();
}

fn is_closed() -> bool {
    let breaker = circuit_breaker("charge");
    breaker.is_some_and(|breaker| breaker.state() == CircuitState::Closed)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Waits for a condition and returns the time of the machine's clock, in nanoseconds.
fn first_seen(word: &str, condition: &mut dyn FnMut() -> bool) -> String {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < HANG, "`{word}` does not hold within {HANG:?}");
        thread::sleep(Duration::from_millis(1));
    }
    now().as_nanos().to_string()
}

/// Waits for a rejected call, at most for twice the open time: 0 says that no call was rejected.
fn rejected_within_the_open_time() -> String {
    let start = Instant::now();
    while start.elapsed() < RESET * 2 {
        if !is_executed(charge, true) {
            return now().as_nanos().to_string();
        }
        thread::sleep(Duration::from_millis(1));
    }
    "0".to_owned()
}

fn measured() -> String {
    const CALLS: u32 = 200;
    let (mut sum, mut longest, mut all) = (Duration::ZERO, Duration::ZERO, true);
    for _ in 0..CALLS {
        let start = Instant::now();
        all &= is_executed(charge, true);
        let took = start.elapsed();
        sum += took;
        longest = longest.max(took);
        // The calls last for several rounds of the synchronization.
        thread::sleep(Duration::from_millis(2));
    }
    format!("{} {} {all}", (sum / CALLS).as_nanos(), longest.as_nanos())
}

pub(crate) struct Process {
    process: Child,
    words: Option<ChildStdin>,
    /// The last word, for messages.
    asked: String,
    answers: Receiver<String>,
}

impl Process {
    pub(crate) fn start(url: &str, interval: Duration) -> Self {
        Self::with_quorum(url, interval, 1)
    }

    pub(crate) fn with_quorum(url: &str, interval: Duration, quorum: u32) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["process::child", "--exact", "--nocapture"])
            .env(URL, url)
            .env(INTERVAL, interval.as_millis().to_string())
            .env(QUORUM, quorum.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let words = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, answers) = channel();
        // Ends with the process.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, answer)) = line.split_once("answer ") {
                    let _ = sender.send(answer.to_owned());
                }
            }
        });
        Self { process, words, asked: String::new(), answers }
    }

    /// Starts a process that has called `charge` once, and so has the breaker.
    pub(crate) fn joined(url: &str, interval: Duration) -> Self {
        let mut process = Self::start(url, interval);
        process.ask("executed");
        process
    }

    /// Sends a word.
    pub(crate) fn tell(&mut self, word: &str) {
        word.clone_into(&mut self.asked);
        writeln!(self.words.as_mut().unwrap(), "{word}").unwrap();
    }

    /// Waits for the answer to the last word: the time at which the condition held.
    pub(crate) fn heard(&mut self) -> Duration {
        Duration::from_nanos(self.answer().parse().unwrap())
    }

    pub(crate) fn ask(&mut self, word: &str) -> Duration {
        self.tell(word);
        self.heard()
    }

    /// Measures calls of `charge` while the dependency works.
    pub(crate) fn measure(&mut self) -> Cost {
        self.tell("measure");
        let answer = self.answer();
        let [mean, longest, all] = *answer.split(' ').collect::<Vec<_>>() else {
            unreachable!("{answer}")
        };
        let nanos = |text: &str| Duration::from_nanos(text.parse().unwrap());
        Cost { mean: nanos(mean), longest: nanos(longest), all_executed: all == "true" }
    }

    fn answer(&mut self) -> String {
        self.answers.recv_timeout(NO_ANSWER).unwrap_or_else(|error| match error {
            RecvTimeoutError::Disconnected => panic!("the process ended at `{}`", self.asked),
            RecvTimeoutError::Timeout => {
                let _ = self.process.kill();
                panic!("no answer to `{}` within {NO_ANSWER:?}", self.asked)
            }
        })
    }

    /// Ends the process without a chance to clean up.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.words = None;
        let _ = self.process.wait();
    }
}
