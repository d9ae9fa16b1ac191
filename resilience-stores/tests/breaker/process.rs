//! A process that calls a function with a shared breaker, and is asked what became of it.

use std::io::{BufRead, BufReader, Lines, Write, stdin, stdout};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use resilience::stores::breaker::BreakerSync;
use resilience::{CircuitState, circuit_breaker};
use tokio::runtime::Builder;

use crate::store::{postgres, redis};

/// For how long a breaker of these processes is open.
pub(crate) const RESET: Duration = Duration::from_secs(2);

#[circuit_breaker(shared = "payments", failure_threshold = 3, reset_timeout = RESET, name = "charge")]
fn charge(works: bool, called: &mut bool) -> Option<()> {
    *called = true;
    works.then_some(())
}

/// Whether it was let through.
fn charged(works: bool) -> bool {
    let mut called = false;
    charge(works, &mut called);
    called
}

/// What a call has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) mean: Duration,
    pub(crate) longest: Duration,
    /// Whether all were let through.
    pub(crate) went_through: bool,
}

const URL: &str = "RESILIENCE_TEST_BOARD";
const INTERVAL: &str = "RESILIENCE_TEST_INTERVAL";
const QUORUM: &str = "RESILIENCE_TEST_QUORUM";

/// The other process: this test, by itself.
#[test]
fn child() {
    let Ok(url) = env::var(URL) else { return };
    let interval = Duration::from_millis(env::var(INTERVAL).unwrap().parse().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _entered = runtime.enter();
    let quorum: u32 = env::var(QUORUM).unwrap().parse().unwrap();
    if url.starts_with("redis") {
        runtime.spawn(BreakerSync::new(redis(&url)).interval(interval).quorum(quorum).run());
    } else {
        runtime.spawn(BreakerSync::new(postgres(&url)).interval(interval).quorum(quorum).run());
    }
    for word in stdin().lines() {
        let word = word.unwrap();
        let answer = match word.as_str() {
            "trip" => done(&word, || !charged(false)),
            "refused" => done(&word, || !charged(true)),
            "accepted" => done(&word, || charged(true)),
            "closed" => done(&word, || {
                let breaker = circuit_breaker("charge");
                breaker.is_some_and(|breaker| breaker.state() == CircuitState::Closed)
            }),
            "measure" => measured(),
            word => unreachable!("{word}"),
        };
        writeln!(stdout(), "answer {answer}").unwrap();
    }
}

/// When it was first seen to be so, in nanoseconds of the machine's clock.
fn done(word: &str, mut is_so: impl FnMut() -> bool) -> String {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "still not {word}");
        thread::sleep(Duration::from_millis(1));
    }
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().to_string()
}

fn measured() -> String {
    const CALLS: u32 = 200;
    let (mut sum, mut longest, mut all) = (Duration::ZERO, Duration::ZERO, true);
    for _ in 0..CALLS {
        let start = Instant::now();
        all &= charged(true);
        let took = start.elapsed();
        sum += took;
        longest = longest.max(took);
        // For long enough to meet several rounds.
        thread::sleep(Duration::from_millis(2));
    }
    format!("{} {} {all}", (sum / CALLS).as_nanos(), longest.as_nanos())
}

pub(crate) struct Process {
    process: Child,
    words: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Has called the function once.
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
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut process = Self { process, words, answers };
        process.ask("accepted");
        process
    }

    /// Has it begin with something.
    pub(crate) fn tell(&mut self, word: &str) {
        writeln!(self.words.as_mut().unwrap(), "{word}").unwrap();
    }

    /// When what it was told to wait for has come.
    pub(crate) fn heard(&mut self) -> Duration {
        Duration::from_nanos(self.answer().parse().unwrap())
    }

    pub(crate) fn ask(&mut self, word: &str) -> Duration {
        self.tell(word);
        self.heard()
    }

    /// What calls take while it works.
    pub(crate) fn measure(&mut self) -> Cost {
        self.tell("measure");
        let answer = self.answer();
        let [mean, longest, all] = *answer.split(' ').collect::<Vec<_>>() else {
            unreachable!("{answer}")
        };
        let nanos = |text: &str| Duration::from_nanos(text.parse().unwrap());
        Cost { mean: nanos(mean), longest: nanos(longest), went_through: all == "true" }
    }

    fn answer(&mut self) -> String {
        for line in &mut self.answers {
            if let Some((_, answer)) = line.unwrap().split_once("answer ") {
                return answer.to_owned();
            }
        }
        unreachable!("the process has ended")
    }

    /// Ends it without a word.
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
