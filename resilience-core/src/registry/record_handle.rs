//! The reference of a policy to its record. The last reference retires the counters.

use core::ops::Deref;
use std::sync::Arc;

use super::record::Record;

/// A reference of a policy, or of a policy for one key, to the record. The registry reads records
/// without such a reference: the counters retire before the record is gone, so a reader finds the
/// counters in the record or among the dropped ones.
#[derive(Debug)]
pub struct RecordHandle(Arc<Record>);

impl RecordHandle {
    pub(super) fn new(record: Record) -> Self {
        record.add_owner();
        Self(Arc::new(record))
    }
}

impl Clone for RecordHandle {
    fn clone(&self) -> Self {
        self.0.add_owner();
        Self(Arc::clone(&self.0))
    }
}

impl Drop for RecordHandle {
    fn drop(&mut self) {
        self.0.remove_owner();
    }
}

impl Deref for RecordHandle {
    type Target = Arc<Record>;

    #[inline]
    fn deref(&self) -> &Arc<Record> {
        &self.0
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use core::panic::Location;

    use super::*;
    use crate::figures::table::slot;
    use crate::registry::PolicyKind;
    use crate::registry::retired::retired_counters;

    const NAME: &str = "record_handle::last";

    fn retired() -> usize {
        retired_counters(|| ()).iter().filter(|(name, ..)| *name == NAME).count()
    }

    /// A reading that still holds the record finds the counters among the dropped ones.
    #[test]
    fn the_last_policy_retires_the_counters_of_a_held_record() {
        let record = Record::new(PolicyKind::Bulkhead, NAME, Location::caller(), 0, false);
        record.set_listed();
        let table = RecordHandle::new(record);
        table.count(slot::FAILURE);
        let (key, held) = (table.clone(), Arc::clone(&table));
        drop(table);
        assert!(!held.is_retired() && retired() == 0);
        drop(key);
        assert!(held.is_retired() && retired() == 1);
        drop(held);
        assert_eq!(retired(), 1);
    }
}
