//! M. Brooker's model of congestive collapse (`mbrooker/simulator_example`,
//! `simple_collapse_sim`, 2023). The latency of the server grows with the number of concurrent
//! requests: 1 s plus 10 ms per request. Clients give up after 3 s and send each request three
//! times. The load is 40 requests per second, and 80 per second for some seconds.
//!
//! The source publishes the program and no table. The published column is the result of the
//! program, with Python's `random` seeded from 0 to 19: runs with 90 % of successes between 65 s
//! and 77 s.
#![allow(clippy::print_stdout, reason = "the table is the output of the test")]

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::Duration;

use resilience::{Jitter, RetryBudget, RetryPolicy, timeout};
use tokio::time::{Instant, sleep, sleep_until};

use crate::protection::{self, Failed, Protection};
use crate::random::Random;
use crate::virtual_time::{self, exponential};

const SPIKE_START: Duration = Duration::from_secs(20);
const MEASURED: (Duration, Duration) = (Duration::from_secs(65), Duration::from_secs(77));
const CALM: f64 = 40.0;
const SPIKE: f64 = 80.0;
/// The latency of a single request, and the addition for each concurrent request.
const ALONE: Duration = Duration::from_secs(1);
const PER_REQUEST: Duration = Duration::from_millis(10);
const NETWORK: Duration = Duration::from_millis(100);

struct Server {
    /// The ends of the running requests. A request whose client has left runs to its end.
    running: RefCell<BinaryHeap<Reverse<Instant>>>,
    random: RefCell<Random>,
}

impl Server {
    fn network(&self) -> Duration {
        exponential(&mut self.random.borrow_mut(), NETWORK)
    }

    /// Starts a request and returns its end.
    fn start(&self) -> Instant {
        let (now, mut running) = (Instant::now(), self.running.borrow_mut());
        while running.peek().is_some_and(|Reverse(end)| *end <= now) {
            running.pop();
        }
        let concurrency = u32::try_from(running.len() + 1).unwrap_or(u32::MAX);
        let end = now + ALONE + PER_REQUEST * concurrency;
        running.push(Reverse(end));
        end
    }
}

#[timeout("3s")]
async fn request(server: &Server) -> Result<(), Failed> {
    sleep(server.network()).await;
    let end = server.start();
    sleep_until(end + server.network()).await;
    Ok(())
}

/// Returns the answers between 65 s and 77 s per request in this time.
fn goodput(seed: u64, spike: Duration, protection: Protection) -> f64 {
    virtual_time::run(seed, async || {
        let start = Instant::now();
        let random = RefCell::new(Random::new(!seed));
        let server = Rc::new(Server { running: RefCell::default(), random });
        let mut arrivals = Random::new(seed);
        let (answered, asked) = (Rc::new(Cell::new(0_u32)), Cell::new(0_u32));
        let mut next = start;
        let is_measured =
            move |now: Instant| (MEASURED.0..MEASURED.1).contains(&now.duration_since(start));
        while next < start + MEASURED.1 {
            sleep_until(next).await;
            asked.set(asked.get() + u32::from(is_measured(next)));
            let spike = SPIKE_START..SPIKE_START + spike;
            let rate = if spike.contains(&next.duration_since(start)) { SPIKE } else { CALM };
            next += exponential(&mut arrivals, Duration::from_secs(1).div_f64(rate));
            let (server, answered) = (Rc::clone(&server), Rc::clone(&answered));
            tokio::task::spawn_local(async move {
                let result = protection.call(async || request(&server).await).await;
                let counts = result.is_ok() && is_measured(Instant::now());
                answered.set(answered.get() + u32::from(counts));
            });
        }
        f64::from(answered.get()) / f64::from(asked.get())
    })
}

fn at_once() -> Protection {
    Protection::none(RetryPolicy::new().attempts(3).fixed().base_delay(Duration::ZERO))
}

/// 20 s, doubled at each retry, with full jitter.
fn with_backoff() -> Protection {
    let policy = RetryPolicy::new().attempts(3).exponential().jitter(Jitter::Full);
    let base = Duration::from_secs(20);
    Protection::none(policy.base_delay(base).max_delay(2 * base))
}

/// Runs the model and prints a row; returns the number of runs that recover.
fn recovered(
    name: &str,
    runs: u64,
    spike: u64,
    protection: protection::New,
    published: &str,
) -> u64 {
    let length = Duration::from_secs(spike);
    let found = (0..runs).map(|seed| u64::from(goodput(seed, length, protection()) >= 0.9)).sum();
    println!("| {name}, spike of {spike} s | {published} | {found} of {runs} runs recover |");
    found
}

#[test]
fn without_protection_no_run_survives_a_spike_of_ten_seconds() {
    assert_eq!(recovered("no backoff", 10, 10, at_once, "0 of 20"), 0);
    assert_eq!(recovered("backoff with jitter", 10, 10, with_backoff, "0 of 20"), 0);
    // At 6 of 20, the standard deviation of a count is 2.
    let found = recovered("no backoff", 20, 5, at_once, "6 of 20");
    assert!((2..=10).contains(&found), "{found}");
}

#[test]
fn with_a_budget_or_a_breaker_every_run_survives_a_spike_of_ten_seconds() {
    let rows: [(&str, protection::New); 3] = [
        ("bare budget", || at_once().budget(RetryBudget::new())),
        ("budget of 10 %", || at_once().budget(RetryBudget::ratio(0.1))),
        ("breaker", || at_once().breaker()),
    ];
    for (name, protection) in rows {
        assert_eq!(recovered(name, 10, 10, protection, "–"), 10, "{name}");
    }
}
