//! What somebody has to do from time to time: remove what has expired, see to what was interrupted, and forget what
//! was a mistake.
//!
//! Nothing here runs by itself. A task that purges and drives on every minute, on one machine or on all, is enough.

use core::future::Future;

use crate::key::RecordKey;
use crate::log;
use crate::store::{Interrupted, Store};
use crate::store_error::StoreResult;

/// Removes all records that have expired, `batch` at a time, so that nobody waits long for a lock; how many
/// there were.
///
/// ```
///
/// use resilience::idempotent::{self, MemoryStore, StoreError};
///
/// async fn clean(store: &MemoryStore) -> Result<(), StoreError> {
///     let forgotten = idempotent::purge(store, 1000).await?;
///     println!("{forgotten} records have expired");
///     Ok(())
/// }
/// ```
///
/// # Errors
/// Those of the store. What was removed by then stays removed.
pub async fn purge<S: Store>(store: &S, batch: usize) -> StoreResult<usize> {
    let mut purged = 0_usize;
    loop {
        let removed = store.purge(batch.max(1)).await?;
        purged = purged.saturating_add(removed);
        if removed < batch.max(1) {
            log::purged(purged);
            return Ok(purged);
        }
    }
}

/// What became of the claims that [`redrive`] has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedriveReport {
    /// Those that were driven on.
    pub driven: usize,
    /// Those for which the function returned an error; they are found again the next time.
    pub failed: usize,
}

/// Hands each claim that nobody has ended, and whose lease is over, to `drive`; at most `limit` of them, one
/// after the other.
///
/// A record holds no arguments. So whoever wants to drive a call on keeps, with the job that makes it, the
/// [key](crate::IdempotencyPolicy::key) of its record, finds the job by it, and calls the function again with
/// the same key and arguments: then what `on_interrupted` says happens. Several may do this at the same time,
/// because each call claims its key.
///
/// ```
///
/// use resilience::idempotent::{self, MemoryStore, RecordKey, StoreError};
///
/// # struct Jobs;
/// # impl Jobs {
/// #     async fn again(&self, _: RecordKey) -> Result<(), &'static str> { Ok(()) }
/// # }
/// async fn drive_on(store: &MemoryStore, jobs: &Jobs) -> Result<(), StoreError> {
///     let done = idempotent::redrive(store, 100, |call| jobs.again(call.key)).await?;
///     println!("{} went on, {} did not", done.driven, done.failed);
///     Ok(())
/// }
/// ```
///
/// # Errors
/// Those of the store.
pub async fn redrive<S, F, E>(
    store: &S,
    limit: usize,
    mut drive: impl FnMut(Interrupted) -> F,
) -> StoreResult<RedriveReport>
where
    S: Store,
    F: Future<Output = Result<(), E>>,
{
    let mut done = RedriveReport::default();
    for call in store.interrupted(limit).await? {
        let (label, key) = (call.label.clone(), call.key);
        let driven = drive(call).await.is_ok();
        if driven {
            done.driven = done.driven.saturating_add(1);
        } else {
            done.failed = done.failed.saturating_add(1);
        }
        log::redriven(&label, key, driven);
    }
    Ok(done)
}

/// Removes one record, whatever its state; whether there was one. The next call of its key runs, so this is for an
/// outcome that is known to be wrong, or a claim that nobody holds any more.
///
/// ```
///
/// use resilience::idempotent::{self, IdempotencyPolicy, MemoryStore, Scope};
///
/// static CHARGE: IdempotencyPolicy = IdempotencyPolicy::new("payments.charge");
///
/// async fn undo(store: &MemoryStore) -> Result<(), Box<dyn std::error::Error>> {
///     let key = CHARGE.key(store, Scope::Of(&"tenant-1"), &"request-12345")?;
///     let was_there = idempotent::forget(store, &key).await?;
///     println!("{}", if was_there { "it may be charged again" } else { "nothing is known of it" });
///     Ok(())
/// }
/// ```
///
/// # Errors
/// Those of the store.
pub async fn forget<S: Store>(store: &S, key: &RecordKey) -> StoreResult<bool> {
    let was_there = store.forget(key).await?;
    if was_there {
        log::forgotten(*key);
    }
    Ok(was_there)
}
