//! B. Beyer and others, "Site Reliability Engineering", 2016, chapter 22, "Bimodal latency". A
//! frontend with 1000 threads serves 1000 requests per second, each in 100 ms. Then 5 % of the
//! requests hang until their deadline of 100 s and need 5000 threads. The published error rate of
//! all requests is 80.4 %: 1000 threads serve 19.6 % of the work. The published remedy is a limit
//! per client or keyspace of 25 % of the threads.
#![allow(clippy::print_stdout, reason = "the table is the output of the test")]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures::future::poll_immediate;
use resilience::{Rejected, bulkhead, circuit_breaker, testing};
use tokio::time::{Instant, sleep, sleep_until};

use crate::random::Random;
use crate::virtual_time;

const RATE: u32 = 1_000;
const DEADLINE: Duration = Duration::from_secs(100);
const USUAL: Duration = Duration::from_millis(100);
/// The threads fill up within the first deadline.
const WARM_UP: Duration = DEADLINE;
const HANGING: f64 = 0.05;

#[derive(Debug)]
enum Failed {
    Deadline,
    Rejected,
}

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

/// A row range of the database.
#[derive(Clone, Copy, Hash, PartialEq)]
enum Range {
    Good(u64),
    Lost,
}

async fn database(range: Range) -> Result<(), Failed> {
    if range == Range::Lost {
        sleep(DEADLINE).await;
        return Err(Failed::Deadline);
    }
    sleep(USUAL).await;
    Ok(())
}

#[bulkhead(max = 1000)]
async fn shared_threads(range: Range) -> Result<(), Failed> {
    database(range).await
}

#[bulkhead(max = 250, key = range)]
async fn a_quarter_per_range(range: Range) -> Result<(), Failed> {
    shared_threads(range).await
}

/// A call that runs for more than a second counts as slow at once.
#[circuit_breaker(key = range, failure_rate = 0.5, slow_call = "1s", reset_timeout = "30s")]
async fn breaker_per_range(range: Range) -> Result<(), Failed> {
    shared_threads(range).await
}

/// Shares of the requests, after the threads have filled up.
#[derive(Default)]
struct Counts {
    requests: Cell<u32>,
    rejected: Cell<u32>,
    good: Cell<u32>,
    good_answered: Cell<u32>,
}

impl Counts {
    fn add(&self, is_lost: bool, result: &Result<(), Failed>) {
        let add = |count: &Cell<u32>, holds: bool| count.set(count.get() + u32::from(holds));
        add(&self.requests, true);
        add(&self.rejected, matches!(result, Err(Failed::Rejected)));
        add(&self.good, !is_lost);
        add(&self.good_answered, !is_lost && result.is_ok());
    }

    /// Prints a row; returns the shares of rejected requests and of answers to other requests.
    fn row(&self, name: &str, published: &str) -> (f64, f64) {
        let share = |part: &Cell<u32>, of: &Cell<u32>| f64::from(part.get()) / f64::from(of.get());
        let rejected = share(&self.rejected, &self.requests);
        let answered = share(&self.good_answered, &self.good);
        let percent = [rejected, answered].map(|share| 100.0 * share);
        println!("| {name} | {published} | {:.1} % | {:.1} % |", percent[0], percent[1]);
        (rejected, answered)
    }
}

/// Counts the requests of `measured`, after the threads have filled up.
fn run(
    measured: Duration,
    call: impl AsyncFn(Range) -> Result<(), Failed> + Copy + 'static,
) -> Rc<Counts> {
    let _fresh = testing::fresh_state();
    virtual_time::run(1, async || {
        let (start, counts) = (Instant::now(), Rc::new(Counts::default()));
        let mut random = Random::new(1);
        let mut next = start;
        while next < start + WARM_UP + measured {
            sleep_until(next).await;
            next += Duration::from_secs(1) / RATE;
            let is_measured = next > start + WARM_UP;
            let is_lost = random.chance(HANGING);
            let range = if is_lost { Range::Lost } else { Range::Good(random.word() % 19) };
            let mut call = Box::pin(async move { call(range).await });
            // A rejected call needs no task.
            if let Some(result) = poll_immediate(&mut call).await {
                if is_measured {
                    counts.add(is_lost, &result);
                }
                continue;
            }
            let counts = Rc::clone(&counts);
            tokio::task::spawn_local(async move {
                let result = call.await;
                if is_measured {
                    counts.add(is_lost, &result);
                }
            });
        }
        sleep(DEADLINE).await;
        counts
    })
}

#[test]
fn hanging_calls_take_all_threads_unless_a_bulkhead_or_a_breaker_limits_them() {
    println!("\n| 5 % of 1000 requests/s hang | published | rejected | others answered |");
    println!("|---|---|---|---|");
    // Calls that hang together end together, so the shares are means over two deadlines.
    let counts = run(2 * DEADLINE, async |range| shared_threads(range).await);
    let (rejected, answered) = counts.row("1000 threads", "80.4 % errors");
    assert!((rejected - 0.804).abs() < 0.015, "{rejected}");
    assert!((answered - 0.196).abs() < 0.015, "{answered}");
    let some_time = DEADLINE / 2;
    let counts = run(some_time, async |range| a_quarter_per_range(range).await);
    let (_, answered) = counts.row("at most 250 threads per range", "fairness");
    assert!(answered > 0.999, "{answered}");
    let counts = run(some_time, async |range| breaker_per_range(range).await);
    let (_, answered) = counts.row("a breaker per range, `slow_call = \"1s\"`", "–");
    assert!(answered > 0.999, "{answered}");
}
