//! The figures of key tables, for operators.

use std::sync::{Mutex, PoisonError};

use core::sync::atomic::Ordering::Relaxed;

use super::{Keyed, KeyedPolicy};
use crate::function_state::resolve;
use crate::registry::Policy as _;

/// The figures of a table of keys. Returned by [`key_tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyTableSnapshot {
    /// The name of the annotated function or policy.
    pub name: &'static str,
    /// `"circuit_breaker"`, `"rate_limit"` or `"bulkhead"`.
    pub policy: &'static str,
    /// The number of keys with a separate state.
    pub keys: u32,
    /// The limit of keys, `max_keys` in the attribute.
    pub max_keys: u32,
    /// The number of calls that shared the overflow state, since the start of the process: the
    /// table was full, and no state could be evicted. If the number grows, raise `max_keys`.
    pub overflow_calls: u64,
    /// How often `max_open` has kept the breaker of a key closed, since the start of the process:
    /// the failed or slow calls that would have opened a breaker.
    pub held_openings: u64,
}

impl<T: KeyedPolicy> Keyed<T> {
    /// Returns the figures of the table, as [`key_tables`] does for the table of an attribute.
    #[must_use]
    pub fn figures(&self) -> KeyTableSnapshot {
        let state = self.state.get();
        let overflow_calls = state.map_or(0, |state| state.overflow_calls.load(Relaxed));
        let held_openings = state.map_or(0, |state| state.table.group().held_openings());
        KeyTableSnapshot {
            name: self.name(),
            policy: self.kind().as_str(),
            keys: self.len(),
            max_keys: self.max.max(1),
            overflow_calls,
            held_openings,
        }
    }
}

/// The figures of a table with any policy.
trait Figures: Sync {
    fn figures(&'static self) -> KeyTableSnapshot;
}

impl<T: KeyedPolicy + 'static> Figures for Keyed<T> {
    fn figures(&'static self) -> KeyTableSnapshot {
        resolve(self).figures()
    }
}

static TABLES: Mutex<Vec<&'static dyn Figures>> = Mutex::new(Vec::new());

/// Lists a table.
pub(super) fn register<T: KeyedPolicy + 'static>(table: &'static Keyed<T>) {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner).push(table);
}

/// Returns the figures of the key tables of all annotated functions with `key`, in the order of
/// their first calls.
///
/// ```
/// use resilience::{Rejected, key_tables, rate_limit};
///
/// #[rate_limit(rate = 5, per = "1m", key = user, max_keys = 2, name = "sign_in")]
/// fn sign_in(user: &str) -> Result<(), Rejected> {
///     Ok(())
/// }
///
/// for user in ["ann", "bob", "carol"] {
///     sign_in(user)?;
/// }
/// let table = key_tables().into_iter().find(|table| table.name == "sign_in").unwrap();
/// assert_eq!((table.keys, table.max_keys), (2, 2));
/// assert_eq!(table.overflow_calls, 1); // carol
/// # Ok::<(), Rejected>(())
/// ```
#[must_use]
pub fn key_tables() -> Vec<KeyTableSnapshot> {
    let tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    tables.into_iter().map(Figures::figures).collect()
}
