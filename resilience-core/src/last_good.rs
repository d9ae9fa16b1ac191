//! The last good value of each key, for a fallback with `stale`.

use core::any::{Any, TypeId};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::classify::{Effect, FailureClass, FailureKind};
use crate::clock::{Timestamp, now};
use crate::figures::table::slot;
use crate::function_state::{TestReset, resolve};
use crate::key_hash::KeyHash;
use crate::outcome::Outcome;
use crate::registry::Site;
use crate::stale_age;
use crate::switch;
use crate::sync::{Mutex, lock};

/// Values of different types have different keys.
type ValueKey = (KeyHash, TypeId);

type Value = Arc<dyn Any + Send + Sync>;

/// The last good values of a function, at most `max_keys`.
pub struct LastGood {
    max_keys: u32,
    values: Mutex<Values>,
}

struct Values {
    by_key: BTreeMap<ValueKey, Kept>,
    /// The keys in the order of their times. The number separates equal times.
    by_time: BTreeMap<(Timestamp, u64), ValueKey>,
    last_number: u64,
}

struct Kept {
    value: Value,
    /// The start of the call that returned the value, or the time of an older last good value
    /// inside, so the value is at most as old.
    place: (Timestamp, u64),
}

impl LastGood {
    /// Creates an empty table; 0 keys count as 1.
    #[cfg(not(resilience_loom))]
    #[must_use]
    pub const fn new(max_keys: u32) -> Self {
        let values = Values { by_key: BTreeMap::new(), by_time: BTreeMap::new(), last_number: 0 };
        Self { max_keys, values: Mutex::new(values) }
    }

    /// Keeps a value of a call that started at `start`, unless a newer value is there. Removes at
    /// most two values older than `limit`, and the oldest value if the table is full.
    fn keep(&self, key: ValueKey, start: Timestamp, value: Value, limit: Duration) {
        let mut values = lock(&self.values);
        let max = usize::try_from(self.max_keys.max(1)).unwrap_or(usize::MAX);
        let mut removed = [None, None, None];
        if values.by_key.get(&key).is_some_and(|kept| kept.place.0 > start) {
            return;
        }
        values.last_number = values.last_number.wrapping_add(1);
        let place = (start, values.last_number);
        let [old, expired @ ..] = &mut removed;
        *old = values.by_key.insert(key, Kept { value, place });
        if let Some(old) = old {
            values.by_time.remove(&old.place);
        }
        values.by_time.insert(place, key);
        for removed in expired {
            let oldest = values.by_time.first_key_value().map(|(place, key)| (*place, *key));
            let Some((place, key)) = oldest else { break };
            if start.since(place.0) <= limit && values.by_key.len() <= max {
                break;
            }
            values.by_time.remove(&place);
            *removed = values.by_key.remove(&key);
        }
        // Values of the user are dropped without the lock.
        drop(values);
    }

    /// Returns the value of a key and its age, if the age is at most `limit`. Removes an older
    /// value.
    fn get(&self, key: ValueKey, limit: Duration) -> Option<(Value, Duration)> {
        let mut values = lock(&self.values);
        let kept = values.by_key.get(&key)?;
        let (place, age) = (kept.place, now().since(kept.place.0));
        if age <= limit {
            return Some((Arc::clone(&kept.value), age));
        }
        values.by_time.remove(&place);
        let removed = values.by_key.remove(&key);
        drop(values);
        drop(removed);
        None
    }
}

#[cfg(not(resilience_loom))]
impl TestReset for LastGood {
    fn fresh(&self) -> Self {
        Self::new(self.max_keys)
    }
}

impl core::fmt::Debug for LastGood {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let keys = lock(&self.values).by_key.len();
        f.debug_struct("LastGood").field("keys", &keys).finish_non_exhaustive()
    }
}

/// A value that later calls can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept as the last good value",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "derive `Clone` for the value, or share the value: `Result<Arc<T>, E>`"
)]
pub trait KeptValue: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> KeptValue for T {}

/// A call of a function with last good values.
#[derive(Debug)]
pub struct KeepingCall<O: Outcome> {
    values: &'static LastGood,
    key: ValueKey,
    start: Timestamp,
    limit: Duration,
    // The functions of the value. A value that cannot be kept is one compile error, at the start.
    keep: fn(&O::Ok) -> Value,
    take: fn(Value) -> Option<O::Ok>,
}

/// Starts a call. Values older than `limit` are not returned.
#[cfg(not(resilience_loom))]
#[must_use]
pub fn keeping_call<O: Outcome<Ok: KeptValue>>(
    values: &'static LastGood,
    key: KeyHash,
    limit: Duration,
) -> KeepingCall<O> {
    KeepingCall {
        values: resolve(values),
        key: (key, TypeId::of::<O::Ok>()),
        start: now(),
        limit,
        keep: |value| Arc::new(value.clone()),
        // The type of the value is a part of the key.
        take: |value| value.downcast().ok().map(Arc::unwrap_or_clone),
    }
}

impl<O: Outcome> KeepingCall<O> {
    /// Keeps the value of a success, with the age of the oldest last good value inside (`inner`).
    /// For a failure, calls `report` with the failure and the age,
    /// and returns the last good value as `Err`, changed by `aged`.
    /// `Ok` carries the outcome unchanged.
    ///
    /// # Errors
    /// Returns the outcome with the last good value.
    pub fn end<C, D>(
        self,
        (out, inner): (O, Option<Duration>),
        site: &Site,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> D,
        aged: impl FnOnce(O::Ok, Duration) -> O::Ok,
        report: impl FnOnce(&Site, Option<&O::Err>, FailureClass, Option<Duration>) -> Effect,
    ) -> Result<O, O>
    where
        C: Into<FailureClass>,
        D: Into<FailureClass>,
    {
        if !switch::is_enabled() {
            site.count_outcome(&out);
            return Ok(out);
        }
        let Self { values, key, start, limit, keep, take } = self;
        let limit = site.stale_in_use(limit);
        let class = match out.as_result() {
            Ok(value) => {
                let class = on_ok(value).into();
                if class.kind == FailureKind::Permanent {
                    let start = inner.map_or(start, |age| start.minus(age));
                    values.keep(key, start, keep(value), limit);
                    site.count_success();
                    return Ok(out);
                }
                class
            }
            Err(error) => on(error).into(),
        };
        let found = match class.kind {
            FailureKind::Permanent => None,
            _ => values.get(key, limit),
        };
        let found = found.and_then(|(value, age)| Some((take(value)?, age)));
        let Some((value, age)) = found else {
            site.count_outcome(&out);
            return Ok(out);
        };
        site.count(slot::LAST_GOOD);
        report(site, out.as_result().err(), class, Some(age));
        drop(out);
        stale_age::note(age);
        Err(O::from_result(Ok(aged(value, age))))
    }
}

/// Returns the value unchanged.
#[inline]
pub fn unaged<T>(value: T, _: Duration) -> T {
    value
}
