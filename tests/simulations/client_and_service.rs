//! N. Mendonça and others, "Model-Based Analysis of Microservice Resiliency Patterns", ICSA 2020:
//! a client needs 100 answers of a service that fails after every tenth request. The mean time to
//! repair follows from the availability. Ten configurations at six availabilities, 60 points, each
//! with two figures: the total time, and the time in which the client holds a connection.
//!
//! The published figures are the coordinates of figures 10 and 11, read from the vector drawing of
//! the paper (`ppgia-unifor/resiliency-patterns`). In the published model fixed delays are Erlang
//! distributions of 100 phases. Here the delays are fixed. One unit of time is a second.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use resilience::{CircuitBreaker, Jitter, RetryPolicy, testing};

use crate::protection::Failed;
use crate::random::Random;
use crate::table::{Sample, Table};
use crate::virtual_time::exponential;

const AVAILABILITY: [f64; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const SEEDS: u64 = 300;
/// The tolerance, in addition to two standard errors. The published curves of configurations that
/// are equal in the paper differ by up to 1.5 %.
const TOLERANCE: f64 = 0.015;
/// The open time of this library keeps growing when a circuit closes and soon opens again. The
/// published breaker starts anew.
const TOLERANCE_OF_GROWTH: f64 = 0.03;

const ANSWERS: u32 = 100;
const BETWEEN_REQUESTS: Duration = Duration::from_secs(1);
const RESPONSE: Duration = Duration::from_secs(5);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
const REQUESTS_BETWEEN_FAILURES: u32 = 10;

struct Service {
    clock: testing::Clock,
    random: RefCell<Random>,
    repair: Duration,
    /// Requests since the last failure.
    requests: Cell<u32>,
    down_until: Cell<Duration>,
    /// The time in which the client holds a connection, or tries to get one.
    contention: Cell<Duration>,
}

impl Service {
    fn new(availability: f64, seed: u64) -> Self {
        let between_failures = RESPONSE * REQUESTS_BETWEEN_FAILURES;
        Self {
            clock: testing::clock(),
            random: RefCell::new(Random::new(seed)),
            repair: between_failures.mul_f64(1.0 / availability - 1.0),
            requests: Cell::new(0),
            down_until: Cell::new(Duration::ZERO),
            contention: Cell::new(Duration::ZERO),
        }
    }

    fn draw(&self, mean: Duration) -> Duration {
        exponential(&mut self.random.borrow_mut(), mean)
    }

    fn hold(&self, time: Duration) {
        self.clock.advance(time);
        self.contention.set(self.contention.get() + time);
    }

    fn request(&self) -> Result<(), Failed> {
        let down = self.down_until.get().saturating_sub(self.clock.elapsed());
        self.hold(down.min(CONNECTION_TIMEOUT));
        if down > CONNECTION_TIMEOUT {
            return Err(Failed);
        }
        self.requests.set(self.requests.get() + 1);
        let response = self.draw(RESPONSE);
        self.hold(response.min(RESPONSE_TIMEOUT));
        if self.requests.get() == REQUESTS_BETWEEN_FAILURES {
            self.requests.set(0);
            self.down_until.set(self.clock.elapsed() + self.draw(self.repair));
        }
        if response > RESPONSE_TIMEOUT { Err(Failed) } else { Ok(()) }
    }
}

#[derive(Clone, Copy)]
enum Pattern {
    None,
    /// The largest mean delay.
    Retry(u64),
    /// The open time.
    Breaker(u64),
    /// The largest open time; the first is 10 s.
    GrowingBreaker(u64),
}

/// Returns the total time and the time with a connection, in seconds.
fn run(pattern: Pattern, availability: f64, seed: u64) -> (f64, f64) {
    let service = Service::new(availability, seed);
    let ten_seconds = Duration::from_secs(10);
    let breaker = CircuitBreaker::new().failure_threshold(2).success_threshold(2).jitter(0.0);
    let breaker = match pattern {
        Pattern::Breaker(open) => breaker.reset_timeout(Duration::from_secs(open)),
        Pattern::GrowingBreaker(most) => {
            breaker.reset_timeout(ten_seconds).max_reset_timeout(Duration::from_secs(most))
        }
        Pattern::None | Pattern::Retry(_) => breaker,
    };
    let most = if let Pattern::Retry(most) = pattern { most } else { 10 };
    // The delays are exponential draws. Their means are the delays of the library.
    let means = RetryPolicy::new()
        .exponential()
        .base_delay(Duration::from_secs(5))
        .max_delay(Duration::from_secs(most))
        .jitter(Jitter::None);
    let retry = RetryPolicy::new()
        .attempts(6)
        .backoff(|retry| service.draw(means.delay(retry, None)))
        .max_delay(Duration::MAX)
        .jitter(Jitter::None);
    let mut answers = 0;
    while answers < ANSWERS {
        service.clock.advance(service.draw(BETWEEN_REQUESTS));
        let result = match pattern {
            Pattern::None => service.request(),
            Pattern::Retry(_) => retry.run(|| service.request()),
            Pattern::Breaker(_) | Pattern::GrowingBreaker(_) => breaker.run(|| service.request()),
        };
        answers += u32::from(result.is_ok());
    }
    (service.clock.elapsed().as_secs_f64(), service.contention.get().as_secs_f64())
}

/// A configuration with the published total times and times with a connection.
type Row = (&'static str, Pattern, [f64; 6], [f64; 6]);

const ROWS: [Row; 10] = [
    (
        "no pattern",
        Pattern::None,
        [1155.8, 975.3, 846.9, 748.3, 671.9, 615.8],
        [865.6, 736.6, 653.3, 589.0, 537.9, 501.6],
    ),
    (
        "retry, delays up to 10",
        Pattern::Retry(10),
        [1297.9, 1123.2, 980.6, 875.1, 779.6, 689.1],
        [625.8, 587.7, 560.2, 535.2, 524.3, 498.0],
    ),
    (
        "retry, delays up to 20",
        Pattern::Retry(20),
        [1383.3, 1182.6, 1032.3, 907.9, 794.5, 695.3],
        [594.5, 567.8, 550.8, 537.1, 520.2, 499.9],
    ),
    (
        "retry, delays up to 40",
        Pattern::Retry(40),
        [1493.3, 1271.6, 1092.0, 945.8, 806.9, 691.0],
        [581.4, 561.3, 549.2, 537.6, 519.9, 498.0],
    ),
    (
        "breaker, open for 10",
        Pattern::Breaker(10),
        [1247.7, 1075.6, 932.4, 829.1, 735.7, 643.2],
        [604.6, 578.5, 556.6, 537.5, 525.3, 498.7],
    ),
    (
        "breaker, open for 20",
        Pattern::Breaker(20),
        [1353.8, 1174.7, 1032.3, 931.0, 811.4, 660.3],
        [574.0, 555.3, 545.0, 534.5, 521.6, 498.7],
    ),
    (
        "breaker, open for 40",
        Pattern::Breaker(40),
        [1581.5, 1388.4, 1257.6, 1129.3, 956.7, 709.3],
        [553.6, 542.9, 537.9, 532.2, 522.2, 499.9],
    ),
    (
        "growing breaker, up to 10",
        Pattern::GrowingBreaker(10),
        [1244.7, 1068.1, 933.2, 830.3, 731.0, 643.1],
        [605.3, 578.1, 556.6, 538.1, 523.5, 500.5],
    ),
    (
        "growing breaker, up to 20",
        Pattern::GrowingBreaker(20),
        [1351.9, 1139.8, 1001.8, 873.7, 762.5, 645.7],
        [579.9, 565.8, 547.3, 537.1, 526.1, 499.8],
    ),
    (
        "growing breaker, up to 40",
        Pattern::GrowingBreaker(40),
        [1456.7, 1226.3, 1060.0, 918.2, 775.5, 647.2],
        [570.0, 558.0, 548.4, 538.4, 521.7, 499.3],
    ),
];

#[test]
fn sixty_points_of_retries_and_breakers_are_as_published() {
    let mut table = Table::default();
    table.line("100 answers of a failing service: found (published)");
    table.row("availability", AVAILABILITY.map(|share| share.to_string()));
    for (name, pattern, totals, contentions) in ROWS {
        let (mut total_cells, mut contention_cells) = (Vec::new(), Vec::new());
        for ((availability, total), contention) in
            AVAILABILITY.into_iter().zip(totals).zip(contentions)
        {
            let runs: Vec<_> = (0..SEEDS).map(|seed| run(pattern, availability, seed)).collect();
            for (cells, what, published, found) in [
                (&mut total_cells, "time", total, Sample::of(runs.iter().map(|run| run.0))),
                (
                    &mut contention_cells,
                    "connection",
                    contention,
                    Sample::of(runs.iter().map(|run| run.1)),
                ),
            ] {
                let share = match pattern {
                    Pattern::GrowingBreaker(_) => TOLERANCE_OF_GROWTH,
                    _ => TOLERANCE,
                };
                let tolerance = share * published + 2.0 * found.standard_error();
                let point = format!("{name}, {what} at {availability}");
                table.expect(&point, found, published, tolerance);
                cells.push(format!("{:.0} ({published:.0})", found.mean));
            }
        }
        table.row(&format!("{name}: total time"), total_cells);
        table.row(&format!("{name}: with a connection"), contention_cells);
    }
    table.finish();
}
