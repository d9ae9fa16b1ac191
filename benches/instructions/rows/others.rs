//! Fallback, bulkhead, rate limit and timeout, with hand-written equivalents: a match, an atomic
//! counter, an atomic arrival time, and the timeout of tokio.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Relaxed};
use std::time::Instant;

use resilience::{bulkhead, fallback, rate_limit, timeout};

use super::breaker::{Failure, Result, call};

/// The plain async function, as a block.
macro_rules! plain {
    ($input:expr) => {
        async {
            let value = std::future::ready(call($input)).await?;
            Ok(value ^ $input)
        }
    };
}

pub(super) mod fall_back {
    use super::{Result, call, fallback};

    #[inline(never)]
    #[expect(clippy::unnecessary_wraps, reason = "both sides return the same")]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        match call(input) {
            Ok(value) => Ok(value),
            Err(_) => Ok(7),
        }
    }

    #[inline(never)]
    #[fallback(value = 7)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

pub(super) mod fall_back_async {
    use super::{Result, call, fallback};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        let result: Result<u32> = plain!(input).await;
        match result {
            Ok(value) => Ok(value),
            Err(_) => Ok(7),
        }
    }

    #[fallback(value = 7)]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}

/// The number of running calls.
#[derive(Debug)]
pub(super) struct Places(AtomicU32);

/// A permit, released on drop, because an async call may be dropped at any time.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Places);

impl Places {
    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[inline(always)]
    pub(super) fn enter(&self) -> Option<Place<'_>> {
        let place = (self.0.fetch_add(1, AcqRel), Place(self));
        (place.0 < 10).then_some(place.1)
    }
}

impl Drop for Place<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, AcqRel);
    }
}

macro_rules! placed {
    ($attempt:expr) => {{
        static PLACES: Places = Places::new();
        let Some(place) = PLACES.enter() else {
            return Err(Failure::Rejected);
        };
        let result = $attempt;
        drop(place);
        result
    }};
}

pub(super) mod places {
    use super::{Failure, Places, Result, bulkhead, call};

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        placed!(call(input))
    }

    #[inline(never)]
    #[bulkhead(max = 10)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

pub(super) mod places_async {
    use super::{Failure, Places, Result, bulkhead, call};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        placed!(plain!(input).await)
    }

    #[bulkhead(max = 10)]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}

/// A burst of 1000 and a million calls per second: callgrind is too slow to reach the limit. A
/// timed run rejects most calls, on both sides.
pub(super) mod rate {
    use super::{AtomicU64, Failure, Instant, LazyLock, Relaxed, Result, call, rate_limit};

    const INTERVAL: u64 = 1_000;
    const BURST: u64 = 1_000;

    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

    /// The time of the next arrival at the steady rate.
    static NEXT: AtomicU64 = AtomicU64::new(0);

    #[inline(always)]
    fn is_let_through() -> bool {
        let now = u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let taken = NEXT.fetch_update(Relaxed, Relaxed, |next| {
            let base = next.max(now);
            (base - now <= (BURST - 1) * INTERVAL).then_some(base + INTERVAL)
        });
        taken.is_ok()
    }

    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        if !is_let_through() {
            return Err(Failure::Rejected);
        }
        call(input)
    }

    #[inline(never)]
    #[rate_limit(rate = 1_000_000, burst = 1000)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

macro_rules! timed {
    ($attempt:expr) => {
        match tokio::time::timeout(std::time::Duration::from_secs(5), $attempt).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Rejected),
        }
    };
}

pub(super) mod time {
    use super::{Failure, Result, call, timeout};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        timed!(plain!(input))
    }

    #[timeout("5s")]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}

pub(super) mod hedged {
    use std::pin::pin;
    use std::time::Duration;

    use resilience::hedge;

    use super::{Result, call};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        let mut first = pin!(plain!(input));
        let delay = pin!(tokio::time::sleep(Duration::from_millis(50)));
        tokio::select! {
            biased;
            out = &mut first => return out,
            () = delay => {}
        }
        let second = pin!(plain!(input));
        tokio::select! {
            biased;
            out = first => out,
            out = second => out,
        }
    }

    #[hedge(after = "50ms", idempotent)]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}

pub(super) mod hedged_by_quantile {
    use resilience::hedge;

    pub(crate) use super::hedged::by_hand;
    use super::{Result, call};

    #[hedge(after = "p95", idempotent)]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}
