//! Maintenance of a store: remove expired records, redrive interrupted calls, remove single
//! records.
//!
//! No maintenance runs by itself. Run [`purge`] and [`redrive`] periodically, for example every
//! minute, on one machine or on all machines. A step without an answer fails after 30 s.

use core::future::Future;

use crate::call::Step;
use crate::key::RecordKey;
use crate::log;
use crate::store::{Interrupted, Store};
use crate::store_error::StoreResult;
use resilience_rules::idempotent::MAINTENANCE_TIMEOUT;

/// Removes all expired records, `batch` records at a time, so that no step holds a lock for long.
/// Returns the number of removed records.
///
/// # Examples
/// ```
/// use resilience::idempotent::{self, MemoryStore, StoreError};
///
/// async fn clean(store: &MemoryStore) -> Result<(), StoreError> {
///     let purged = idempotent::purge(store, 1000).await?;
///     println!("{purged} expired records removed");
///     Ok(())
/// }
/// ```
///
/// # Errors
/// The [`StoreError`](crate::StoreError) of the failed step. Records removed by earlier steps stay
/// removed.
pub fn purge<S: Store>(store: &S, batch: usize) -> impl Future<Output = StoreResult<usize>> + Send {
    async move {
        let mut purged = 0_usize;
        loop {
            let removed = within_limit(store.purge(batch.max(1))).await?;
            purged = purged.saturating_add(removed);
            if removed < batch.max(1) {
                log::purged(purged);
                return Ok(purged);
            }
        }
    }
}

/// The result of [`redrive`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedriveReport {
    /// The number of calls whose function returned `Ok`.
    pub driven: usize,
    /// The number of calls whose function returned an error. The next `redrive` finds these calls
    /// again.
    pub failed: usize,
}

/// Passes each interrupted call to `drive`, at most `limit` calls, one after another.
///
/// A record holds no arguments. Store the [key](crate::IdempotencyPolicy::key) of the record with
/// the job that makes the call. In `drive`, find the job by the key and call the function again
/// with the same arguments. `on_interrupted` then decides. Several processes may redrive at the
/// same time, because each call claims its key.
///
/// # Examples
/// ```
/// use resilience::idempotent::{self, MemoryStore, RecordKey, StoreError};
///
/// # struct Jobs;
/// # impl Jobs {
/// #     async fn run_again(&self, _: RecordKey) -> Result<(), &'static str> { Ok(()) }
/// # }
/// async fn redrive(store: &MemoryStore, jobs: &Jobs) -> Result<(), StoreError> {
///     let report = idempotent::redrive(store, 100, |call| jobs.run_again(call.key)).await?;
///     println!("{} completed, {} failed", report.driven, report.failed);
///     Ok(())
/// }
/// ```
///
/// # Errors
/// The [`StoreError`](crate::StoreError) if the list of interrupted calls cannot be read.
pub async fn redrive<S, F, E>(
    store: &S,
    limit: usize,
    mut drive: impl FnMut(Interrupted) -> F,
) -> StoreResult<RedriveReport>
where
    S: Store,
    F: Future<Output = Result<(), E>>,
{
    let mut report = RedriveReport::default();
    for call in interrupted(store, limit).await? {
        let (label, key) = (call.label.clone(), call.key);
        let driven = drive(call).await.is_ok();
        if driven {
            report.driven = report.driven.saturating_add(1);
        } else {
            report.failed = report.failed.saturating_add(1);
        }
        log::redriven(&label, key, driven);
    }
    Ok(report)
}

/// Returns a step of maintenance that fails after [`MAINTENANCE_TIMEOUT`].
fn within_limit<T, F: Future<Output = StoreResult<T>>>(step: F) -> Step<F> {
    Step::new(MAINTENANCE_TIMEOUT, step)
}

/// Returns at most `limit` interrupted calls, as a future whose type is `Send`.
fn interrupted<S: Store>(
    store: &S,
    limit: usize,
) -> impl Future<Output = StoreResult<Vec<Interrupted>>> + Send {
    within_limit(store.interrupted(limit))
}

/// Removes a record in any state. Returns whether a record existed.
///
/// The next call with the key runs. Use `forget` for a wrong outcome, or for a claim whose process
/// no longer exists.
///
/// # Examples
/// ```
/// use resilience::idempotent::{self, IdempotencyPolicy, MemoryStore, Scope};
///
/// static CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("payments.charge");
///
/// async fn allow_another_charge(store: &MemoryStore) -> Result<(), Box<dyn std::error::Error>> {
///     let key = CHARGE.key(store, Scope::Of(&"tenant-1"), &"request-12345")?;
///     let existed = idempotent::forget(store, &key).await?;
///     println!("{}", if existed { "removed" } else { "no record" });
///     Ok(())
/// }
/// ```
///
/// # Errors
/// The [`StoreError`](crate::StoreError) of the failed step.
pub fn forget<S: Store>(
    store: &S,
    key: &RecordKey,
) -> impl Future<Output = StoreResult<bool>> + Send {
    async move {
        let existed = within_limit(store.forget(key)).await?;
        if existed {
            log::forgotten(*key);
        }
        Ok(existed)
    }
}
