//! L. Huang and others, "Metastable Failures in the Wild", OSDI 2022, section 5.2: a replicated
//! `MongoDB` loses 78 or 80 % of the processor for 9 or 10 s. The client gives up after 3 s and
//! sends each request up to five times, without a delay. Of the four published cases, case b never
//! recovers.
//!
//! The published parameters are the loss, its length, the timeout, the number of attempts and the
//! reduction of the load. The load as a share of the capacity depends on the machines and is
//! unpublished. With a single queue all four outcomes appear together at a share of 0.38.
#![allow(clippy::print_stdout, reason = "the table is the output of the test")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use resilience::{RetryBudget, RetryPolicy, timeout};
use tokio::time::{Instant, sleep, sleep_until};

use crate::protection::{self, Failed, Protection};
use crate::random::Random;
use crate::virtual_time;

/// Requests per second at full speed.
const CAPACITY: u32 = 200;
const LOAD: f64 = 0.38;
const LESS_LOAD: f64 = 0.7 * LOAD;
const BEFORE: Duration = Duration::from_secs(10);
const LENGTH: Duration = Duration::from_secs(60);
/// The goodput is measured at the end.
const MEASURED: Duration = Duration::from_secs(15);
const SEEDS: u64 = 5;

/// The speed of the server is `speed` for `length`, otherwise 1.
#[derive(Clone, Copy)]
struct Loss {
    speed: f64,
    length: Duration,
}

/// A queue without a limit. The server executes every request, also after its caller has left.
struct Server {
    free: Cell<Instant>,
    from: Instant,
    loss: Loss,
}

impl Server {
    /// Returns the end of `work` that starts at `start`, where the work is the time at full speed.
    fn end(&self, start: Instant, work: Duration) -> Instant {
        let (from, to) = (self.from, self.from + self.loss.length);
        let before = from.saturating_duration_since(start).min(work);
        let (start, rest) = (start + before, work.saturating_sub(before));
        if rest.is_zero() || start >= to {
            return start + rest;
        }
        let slow = rest.div_f64(self.loss.speed).min(to - start);
        start + slow + rest.saturating_sub(slow.mul_f64(self.loss.speed))
    }

    /// Enters the queue at the call, not at the first poll.
    fn enqueue(&self, work: Duration) -> Instant {
        let end = self.end(self.free.get().max(Instant::now()), work);
        self.free.set(end);
        end
    }
}

#[timeout("3s")]
async fn insert(server: &Server, work: Duration) -> Result<(), Failed> {
    sleep_until(server.enqueue(work)).await;
    Ok(())
}

/// Returns the share of the last requests that were answered.
fn goodput(seed: u64, load: f64, loss: Loss, protection: Protection) -> f64 {
    virtual_time::run(seed, async || {
        let start = Instant::now();
        let server = Rc::new(Server { free: Cell::new(start), from: start + BEFORE, loss });
        let mut random = Random::new(seed);
        let between = Duration::from_secs(1).div_f64(load * f64::from(CAPACITY));
        let (answered, asked) = (Rc::new(Cell::new(0_u32)), Cell::new(0_u32));
        let mut next = start;
        while next < start + LENGTH {
            sleep_until(next).await;
            next += between;
            let counts = next > start + LENGTH - MEASURED;
            asked.set(asked.get() + u32::from(counts));
            let work = Duration::from_secs(1).mul_f64(0.5 + random.uniform()) / CAPACITY;
            let (server, answered) = (Rc::clone(&server), Rc::clone(&answered));
            tokio::task::spawn_local(async move {
                let result = protection.call(async || insert(&server, work).await).await;
                answered.set(answered.get() + u32::from(counts && result.is_ok()));
            });
        }
        // Five attempts of 3 s end in this time.
        sleep(Duration::from_secs(20)).await;
        f64::from(answered.get()) / f64::from(asked.get())
    })
}

fn five_attempts() -> Protection {
    Protection::none(RetryPolicy::new().attempts(5).fixed().base_delay(Duration::ZERO))
}

/// Returns the number of runs with at least 99 % of answers at the end.
fn recovered(load: f64, loss: Loss, protection: protection::New) -> u64 {
    (0..SEEDS).map(|seed| u64::from(goodput(seed, load, loss, protection()) >= 0.99)).sum()
}

const fn loss(percent: f64, seconds: u64) -> Loss {
    Loss { speed: 1.0 - percent / 100.0, length: Duration::from_secs(seconds) }
}

#[test]
fn four_cases_of_lost_capacity_end_as_published() {
    let rows = [
        ("a) 78 % for 10 s", LOAD, loss(78.0, 10), SEEDS),
        ("b) 80 % for 10 s", LOAD, loss(80.0, 10), 0),
        ("c) 80 % for 9 s", LOAD, loss(80.0, 9), SEEDS),
        ("d) 80 % for 10 s, 30 % less load", LESS_LOAD, loss(80.0, 10), SEEDS),
    ];
    for (name, load, loss, published) in rows {
        let found = recovered(load, loss, five_attempts);
        println!("| {name} | {published} of {SEEDS} | {found} of {SEEDS} runs recover |");
        assert_eq!(found, published, "{name}");
    }
}

#[test]
fn budgets_and_breakers_end_the_case_that_never_recovers() {
    let rows: [(&str, protection::New); 4] = [
        ("bare budget", || five_attempts().budget(RetryBudget::new())),
        ("budget of 10 %", || five_attempts().budget(RetryBudget::ratio(0.1))),
        ("breaker", || five_attempts().breaker()),
        ("budget and breaker", || five_attempts().budget(RetryBudget::new()).breaker()),
    ];
    for (name, protection) in rows {
        let found = recovered(LOAD, loss(80.0, 10), protection);
        println!("| case b, {name} | – | {found} of {SEEDS} runs recover |");
        assert_eq!(found, SEEDS, "{name}");
    }
}
