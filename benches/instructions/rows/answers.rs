//! Coalesced calls and last good values, with hand-written equivalents: maps under a lock.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use resilience::{coalesce, fallback};

use super::breaker::{Failure, Result, call};

type Map<T> = LazyLock<Mutex<HashMap<u32, T>>>;

fn locked<T, R>(map: &Mutex<HashMap<u32, T>>, change: impl FnOnce(&mut HashMap<u32, T>) -> R) -> R {
    change(&mut map.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The outcome of a running call, for the calls that wait.
#[derive(Debug, Default)]
struct Flight {
    outcome: Mutex<Option<Result<u32>>>,
    ended: Condvar,
}

pub(super) mod flights {
    use super::{
        Arc, Failure, Flight, HashMap, LazyLock, Map, Mutex, Result, call, coalesce, locked,
    };

    static RUNNING: Map<Arc<Flight>> = LazyLock::new(|| Mutex::new(HashMap::new()));

    /// Ignores panics and dropped calls.
    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        let own = Arc::new(Flight::default());
        let known = locked(&RUNNING, |running| running.insert(input, Arc::clone(&own)));
        if let Some(known) = known {
            let outcome = known.outcome.lock().map_err(|_| Failure::Rejected)?;
            let waits = |outcome: &mut Option<Result<u32>>| outcome.is_none();
            let outcome = known.ended.wait_while(outcome, waits).map_err(|_| Failure::Rejected)?;
            return outcome.unwrap_or(Err(Failure::Rejected));
        }
        let outcome = call(input);
        locked(&RUNNING, |running| running.remove(&input));
        if let Ok(mut place) = own.outcome.lock() {
            *place = Some(outcome);
        }
        own.ended.notify_all();
        outcome
    }

    #[inline(never)]
    #[coalesce(key = input)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}

pub(super) mod last_good {
    use super::{Duration, HashMap, Instant, LazyLock, Map, Mutex, Result, call, fallback, locked};

    static LAST: Map<(Instant, u32)> = LazyLock::new(|| Mutex::new(HashMap::new()));

    /// Without a limit of keys.
    #[inline(never)]
    pub(crate) fn by_hand(input: u32) -> Result<u32> {
        let start = Instant::now();
        match call(input) {
            Ok(value) => {
                locked(&LAST, |last| last.insert(input, (start, value)));
                Ok(value)
            }
            Err(error) => match locked(&LAST, |last| last.get(&input).copied()) {
                Some((at, value)) if at.elapsed() <= Duration::from_secs(600) => Ok(value),
                _ => Err(error),
            },
        }
    }

    #[inline(never)]
    #[fallback(stale = "10m", key = input)]
    pub(crate) fn annotated(input: u32) -> Result<u32> {
        call(input)
    }
}
