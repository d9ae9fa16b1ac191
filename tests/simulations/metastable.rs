//! Metastable failures: N. Bronson and others, "Metastable Failures in Distributed Systems", at
//! `HotOS` 2021, section 2.1. A database answers 300 queries per second. The application sends 280 per
//! second, and each query is tried twice. After an outage of ten seconds the retries keep the
//! database overloaded, although the cause is gone: 560 queries per second, and no answer in time.
//! The published ways out: less than 150 queries per second, or less than 20 retries per second.
#![allow(clippy::print_stdout, reason = "the table is the output of the test")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use resilience::{CircuitBreaker, Rejected, RetryBudget, RetryPolicy, testing};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::load::kept;

const CAPACITY: u32 = 300;
const TIMEOUT: Duration = Duration::from_secs(1);
const OUTAGE: Duration = Duration::from_secs(10);
/// The outage starts after this time.
const BEFORE: Duration = Duration::from_secs(10);
const LENGTH: Duration = Duration::from_secs(240);
/// The goodput is measured at the end.
const MEASURED: Duration = Duration::from_secs(30);

/// A queue without a limit. A query that is too late is worked off all the same.
struct Database {
    free: Cell<Instant>,
    outage: Instant,
    queries: Cell<u32>,
}

#[derive(Debug)]
struct Failed;

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self
    }
}

impl Database {
    async fn query(&self) -> Result<(), Failed> {
        let now = Instant::now();
        self.queries.set(self.queries.get() + 1);
        let mut start = self.free.get().max(now);
        if start >= self.outage && start < self.outage + OUTAGE {
            start = self.outage + OUTAGE;
        }
        let end = start + Duration::from_secs(1) / CAPACITY;
        self.free.set(end);
        if end - now > TIMEOUT {
            sleep(TIMEOUT).await;
            return Err(Failed);
        }
        sleep_until(end).await;
        Ok(())
    }
}

/// Returns the share of answered calls at the end.
fn goodput(rate: u32, policy: RetryPolicy, breaker: Option<&'static CircuitBreaker>) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let _seed = testing::seed(1);
    LocalSet::new().block_on(&runtime, async {
        let start = Instant::now();
        let database = Rc::new(Database {
            free: Cell::new(start),
            outage: start + BEFORE,
            queries: Cell::new(0),
        });
        let (answered, asked) = (Rc::new(Cell::new(0_u32)), Cell::new(0_u32));
        let mut next = start;
        while next < start + LENGTH {
            sleep_until(next).await;
            next += Duration::from_secs(1) / rate;
            let counts = next > start + LENGTH - MEASURED;
            asked.set(asked.get() + u32::from(counts));
            let (database, answered) = (Rc::clone(&database), Rc::clone(&answered));
            tokio::task::spawn_local(async move {
                let result: Result<(), Failed> = policy
                    .run_async(|| async {
                        match breaker {
                            Some(breaker) => breaker.run_async(database.query()).await,
                            None => database.query().await,
                        }
                    })
                    .await;
                if counts && result.is_ok() {
                    answered.set(answered.get() + 1);
                }
            });
        }
        sleep(2 * TIMEOUT).await;
        f64::from(answered.get()) / f64::from(asked.get())
    })
}

fn twice() -> RetryPolicy {
    RetryPolicy::new().attempts(2).fixed().base_delay(Duration::ZERO)
}

#[test]
fn retries_keep_an_overload_alive_and_budgets_and_breakers_end_it() {
    static BREAKER: CircuitBreaker =
        CircuitBreaker::new().failure_rate(0.5).reset_timeout(Duration::from_secs(5));
    static RECOVERING: CircuitBreaker = CircuitBreaker::new()
        .failure_rate(0.5)
        .reset_timeout(Duration::from_secs(5))
        .recovery(Duration::from_secs(10));
    let rows = [
        ("280/s, two attempts", 280, twice(), None, 0.0),
        ("280/s, one attempt", 280, twice().attempts(1), None, 1.0),
        ("140/s, two attempts", 140, twice(), None, 1.0),
        ("280/s, 10 % of retries", 280, twice().budget(kept(RetryBudget::ratio(0.1))), None, 0.0),
        ("280/s, bare budget", 280, twice().budget(kept(RetryBudget::new())), None, 1.0),
        ("280/s, two attempts, breaker", 280, twice(), Some(&BREAKER), 1.0),
        ("280/s, breaker with recovery", 280, twice(), Some(&RECOVERING), 1.0),
    ];
    println!("\n| 10 s of outage, 300/s of capacity | published | goodput |\n|---|---|---|");
    for (name, rate, policy, breaker, published) in rows {
        let found = goodput(rate, policy, breaker);
        println!("| {name} | {published} | {found:.3} |");
        assert!((found - published).abs() <= 0.03, "{name}: {found}");
    }
}
