//! Breakers and hand-written code: an atomic counter, read before the call and updated after a
//! failure.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use std::time::{Duration, Instant};

use resilience::{CircuitBreaker, Rejected, circuit_breaker, retry};

use super::work;

#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    Down(#[allow(dead_code, reason = "only stored")] u32),
    Rejected,
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

pub(super) type Result<T> = std::result::Result<T, Failure>;

#[inline(always)]
pub(super) fn call(input: u32) -> Result<u32> {
    work(input).map_err(Failure::Down)
}

/// A typical hand-written breaker: opens after five failures in a row and, for brevity, never
/// closes again.
#[derive(Debug)]
pub(super) struct Counter(AtomicU32);

impl Counter {
    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        self.0.load(Acquire) >= 5
    }

    #[inline(always)]
    pub(super) fn record<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.0.fetch_add(1, Relaxed);
        } else if self.0.load(Relaxed) != 0 {
            self.0.store(0, Relaxed);
        }
        result
    }
}

macro_rules! counted {
    ($attempt:expr) => {{
        static COUNTER: Counter = Counter::new();
        if COUNTER.is_open() {
            return Err(Failure::Rejected);
        }
        COUNTER.record($attempt)
    }};
}

pub(super) mod sync {
    use super::{Counter, Failure, Result, call, circuit_breaker};

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        counted!(call(input))
    }

    #[inline(never)]
    #[circuit_breaker]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

/// Shared with other processes, at no cost per call.
pub(super) mod shared {
    use super::{Counter, Failure, Result, call, circuit_breaker};

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        counted!(call(input))
    }

    #[inline(never)]
    #[circuit_breaker(shared = "instructions")]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

pub(super) mod inlined {
    use super::{Counter, Failure, Result, call, circuit_breaker};

    #[inline(always)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        counted!(call(input))
    }

    #[inline(always)]
    #[circuit_breaker]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

pub(super) mod asynchronous {
    use super::{Counter, Failure, Result, call, circuit_breaker};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        counted!(
            async {
                let value = std::future::ready(call(input)).await?;
                Ok(value ^ input)
            }
            .await
        )
    }

    #[circuit_breaker]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}

/// A breaker without the attribute.
pub(super) mod called {
    use super::{CircuitBreaker, Result, call};

    static BREAKER: CircuitBreaker = CircuitBreaker::new();

    #[inline(never)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        BREAKER.run(|| call(input))
    }

    pub(crate) async fn annotated_async(input: u32) -> Result<u32> {
        let body = async {
            let value = std::future::ready(call(input)).await?;
            Ok(value ^ input)
        };
        BREAKER.run_async(body).await
    }
}

/// The most recent outcomes in a ring under a lock.
pub(super) mod calls {
    use super::{Failure, Mutex, Result, call, circuit_breaker};

    #[derive(Debug)]
    struct Ring {
        failed: [bool; 100],
        next: usize,
        calls: u32,
        failures: u32,
    }

    static RING: Mutex<Ring> =
        Mutex::new(Ring { failed: [false; 100], next: 0, calls: 0, failures: 0 });

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        let is_open = |ring: &Ring| ring.calls >= 20 && ring.failures * 2 >= ring.calls;
        if is_open(&RING.lock().expect("no panic under the lock")) {
            return Err(Failure::Rejected);
        }
        let result = call(input);
        let mut ring = RING.lock().expect("no panic under the lock");
        let next = ring.next;
        if ring.calls == 100 {
            ring.failures -= u32::from(ring.failed[next]);
        } else {
            ring.calls += 1;
        }
        ring.failed[next] = result.is_err();
        ring.failures += u32::from(result.is_err());
        ring.next = (next + 1) % 100;
        result
    }

    #[inline(never)]
    #[circuit_breaker(failure_rate = 0.5, window = 100)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

/// Two periods under a lock: the current and the previous.
pub(super) mod period {
    use super::{Duration, Failure, Instant, Mutex, Result, call, circuit_breaker};

    #[derive(Debug)]
    struct Periods {
        began: Option<Instant>,
        calls: [u32; 2],
        failures: [u32; 2],
    }

    static PERIODS: Mutex<Periods> =
        Mutex::new(Periods { began: None, calls: [0; 2], failures: [0; 2] });

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        let is_open = |periods: &Periods| {
            let calls: u32 = periods.calls.iter().sum();
            calls >= 20 && periods.failures.iter().sum::<u32>() * 2 >= calls
        };
        if is_open(&PERIODS.lock().expect("no panic under the lock")) {
            return Err(Failure::Rejected);
        }
        let result = call(input);
        let mut periods = PERIODS.lock().expect("no panic under the lock");
        let now = Instant::now();
        let began = *periods.began.get_or_insert(now);
        if now - began >= Duration::from_secs(5) {
            periods.began = Some(now);
            periods.calls = [0, periods.calls[0]];
            periods.failures = [0, periods.failures[0]];
        }
        periods.calls[0] += 1;
        periods.failures[0] += u32::from(result.is_err());
        result
    }

    #[inline(never)]
    #[circuit_breaker(failure_rate = 0.5)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

/// Two readings of the clock; a slow call counts as a failure.
pub(super) mod measured {
    use super::{Counter, Duration, Failure, Instant, Result, call, circuit_breaker};

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        static COUNTER: Counter = Counter::new();
        if COUNTER.is_open() {
            return Err(Failure::Rejected);
        }
        let started = Instant::now();
        let result = call(input);
        let is_slow = started.elapsed() > Duration::from_secs(1);
        let seen = if is_slow { Err(Failure::Rejected) } else { result };
        let _ = COUNTER.record(seen);
        result
    }

    #[inline(never)]
    #[circuit_breaker(slow_call = "1s", window = 100)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

/// Open: the call reads the clock and is rejected.
pub(super) mod open {
    use super::{AtomicU64, Failure, Instant, Relaxed, Result, call, circuit_breaker, work};
    use std::sync::LazyLock;

    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    static UNTIL: AtomicU64 = AtomicU64::new(u64::MAX);

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        let passed = u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if passed < UNTIL.load(Relaxed) {
            return Err(Failure::Rejected);
        }
        call(input)
    }

    #[inline(never)]
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "365d")]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        work(input).map_err(Failure::Down).and(Err(Failure::Down(1)))
    }
}

pub(super) mod both {
    use super::{Counter, Failure, Result, call, circuit_breaker, retry};

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        attempts!(counted!(call(input)), std::thread::sleep)
    }

    #[inline(never)]
    #[retry(attempts = 4)]
    #[circuit_breaker]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

pub(super) mod both_async {
    use super::{Counter, Failure, Result, call, circuit_breaker, retry};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        attempts!(
            counted!(
                async {
                    let value = std::future::ready(call(input)).await?;
                    Ok(value ^ input)
                }
                .await
            ),
            tokio::time::sleep,
            await
        )
    }

    #[retry(attempts = 4)]
    #[circuit_breaker]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}
