//! A child process that calls a function with a shared rate limit, and reports each admitted call.

use std::io::{BufRead, BufReader, Write, stdout};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, process};

use resilience::rate_limit;
use resilience::stores::rate_limit::RateLimitSync;
use tokio::runtime::Builder;

use crate::store::{postgres, redis};

pub(crate) const RATE: u32 = 200;
pub(crate) const BURST: u32 = 10;

/// The time between two renewals; a lease lasts for four times as long.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

#[rate_limit(rate = RATE, burst = BURST, shared = "partner-api")]
fn call() -> Option<()> {
    Some(())
}

const URL: &str = "RESILIENCE_TEST_LEASES";
const PAUSE: &str = "RESILIENCE_TEST_PAUSE";

/// Ends a child whose parent does not kill it. No test takes so long.
const HANG: Duration = Duration::from_mins(2);

/// The child process: this test alone, started by a parent, until the parent kills the child.
#[test]
fn child() {
    let Ok(url) = env::var(URL) else { return };
    let pause = Duration::from_micros(env::var(PAUSE).unwrap().parse().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _entered = runtime.enter();
    if url.starts_with("redis") {
        runtime.spawn(RateLimitSync::new(redis(&url)).interval(INTERVAL).run());
    } else {
        runtime.spawn(RateLimitSync::new(postgres(&url)).interval(INTERVAL).run());
    }
    let start = Instant::now();
    while start.elapsed() < HANG {
        if call().is_some() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            if writeln!(stdout(), "call {}", now.as_nanos()).is_err() {
                process::exit(0);
            }
        }
        thread::sleep(pause);
    }
}

/// A process that calls as fast as its pause allows.
pub(crate) struct Process {
    process: Child,
    reader: Option<JoinHandle<()>>,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl Process {
    /// Starts a process. The times of its calls go to `times`.
    pub(crate) fn start(url: &str, pause: Duration, times: &Arc<Mutex<Vec<Duration>>>) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["process::child", "--exact", "--nocapture"])
            .env(URL, url)
            .env(PAUSE, pause.as_micros().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let own: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let (all, mine) = (Arc::clone(times), Arc::clone(&own));
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, time)) = line.split_once("call ") {
                    let time = Duration::from_nanos(time.parse().unwrap());
                    all.lock().unwrap().push(time);
                    mine.lock().unwrap().push(time);
                }
            }
        });
        Self { process, reader: Some(reader), times: own }
    }

    /// Returns the number of calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.times.lock().unwrap().len()
    }
}

impl Drop for Process {
    /// Ends the process without a chance to clean up.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
