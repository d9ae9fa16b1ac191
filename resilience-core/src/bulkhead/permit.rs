//! Permits to run.

use std::sync::Arc;

use super::Bulkhead;

/// A permit to run, returned on drop: at the end of the call, on a panic, or with a dropped
/// future. Created by [`Bulkhead::acquire`], [`Bulkhead::acquire_blocking`] and
/// [`Bulkhead::try_acquire`].
#[derive(Debug)]
#[must_use = "the permit is returned on drop"]
pub struct BulkheadPermit<'b> {
    /// `None` while policies are switched off: the call is not counted.
    bulkhead: Option<&'b Bulkhead>,
}

impl<'b> BulkheadPermit<'b> {
    pub(super) fn of(bulkhead: &'b Bulkhead) -> Self {
        Self { bulkhead: Some(bulkhead) }
    }

    pub(super) fn uncounted() -> Self {
        Self { bulkhead: None }
    }
}

impl Drop for BulkheadPermit<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(bulkhead) = self.bulkhead {
            bulkhead.semaphore.release();
        }
    }
}

/// A permit without a borrow, for a spawned task or a response body that outlives the call.
/// Created by [`Bulkhead::acquire_owned`] and [`Bulkhead::try_acquire_owned`].
#[derive(Debug)]
#[must_use = "the permit is returned on drop"]
pub struct OwnedBulkheadPermit {
    /// `None` while policies are switched off: the call is not counted.
    bulkhead: Option<Arc<Bulkhead>>,
}

impl OwnedBulkheadPermit {
    /// Turns a permit of `bulkhead` into an owned permit.
    pub(super) fn of(bulkhead: &Arc<Bulkhead>, mut permit: BulkheadPermit<'_>) -> Self {
        Self { bulkhead: permit.bulkhead.take().map(|_| Arc::clone(bulkhead)) }
    }
}

impl Drop for OwnedBulkheadPermit {
    fn drop(&mut self) {
        if let Some(bulkhead) = &self.bulkhead {
            bulkhead.semaphore.release();
        }
    }
}
