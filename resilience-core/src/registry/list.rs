//! The list of all records, in the order of the first events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::policy::{Policy, StaticPolicy};
use super::record::Record;
use super::report::PolicyReport;

/// An entry of the list.
#[derive(Clone)]
pub(crate) struct Entry {
    record: RecordRef,
    policy: Option<PolicyRef>,
}

#[derive(Clone)]
enum RecordRef {
    /// The policy lives as long as the process.
    Forever(Arc<Record>),
    /// The policy may be dropped.
    Owned(Weak<Record>),
}

#[derive(Clone)]
enum PolicyRef {
    Static(&'static dyn StaticPolicy),
    Shared(Weak<dyn Policy>),
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

fn entries() -> MutexGuard<'static, Vec<Entry>> {
    ENTRIES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RecordRef {
    fn is(&self, record: &Arc<Record>) -> bool {
        match self {
            Self::Forever(known) => Arc::ptr_eq(known, record),
            Self::Owned(known) => core::ptr::eq(known.as_ptr(), Arc::as_ptr(record)),
        }
    }

    fn get(&self) -> Option<Arc<Record>> {
        match self {
            Self::Forever(record) => Some(Arc::clone(record)),
            Self::Owned(record) => record.upgrade(),
        }
    }
}

/// Lists a policy that may be dropped, and removes the dropped policies now and then.
pub(crate) fn add(record: &Arc<Record>) {
    record.set_listed();
    let mut entries = entries();
    if entries.len().is_power_of_two() {
        entries.retain(|entry| match &entry.record {
            RecordRef::Forever(_) => true,
            RecordRef::Owned(record) => record.strong_count() > 0,
        });
    }
    entries.push(Entry { record: RecordRef::Owned(Arc::downgrade(record)), policy: None });
}

/// Lists a policy that lives as long as the process.
pub(crate) fn add_forever(record: &Arc<Record>) {
    entries().push(Entry { record: RecordRef::Forever(Arc::clone(record)), policy: None });
}

/// Lists a policy in a `static` that has no entry yet, with access to the policy.
pub(crate) fn add_static(record: &Arc<Record>, policy: &'static dyn StaticPolicy) {
    let record = RecordRef::Forever(Arc::clone(record));
    entries().push(Entry { record, policy: Some(PolicyRef::Static(policy)) });
}

/// Lists a policy in a `static`, with access to the policy.
pub(crate) fn attach(record: &Arc<Record>, policy: &'static dyn StaticPolicy) {
    set_policy(record, RecordRef::Forever(Arc::clone(record)), PolicyRef::Static(policy));
}

/// Lists a policy with an owner, with access to the policy.
pub(crate) fn attach_shared(record: &Arc<Record>, policy: &Arc<dyn Policy>) {
    record.set_listed();
    let known = RecordRef::Owned(Arc::downgrade(record));
    set_policy(record, known, PolicyRef::Shared(Arc::downgrade(policy)));
}

fn set_policy(record: &Arc<Record>, new: RecordRef, policy: PolicyRef) {
    let mut entries = entries();
    let known = entries.iter_mut().find(|entry| entry.record.is(record));
    let entry = Entry { record: new, policy: Some(policy) };
    match known {
        Some(known) => *known = entry,
        None => entries.push(entry),
    }
}

/// Returns the entries. No lock is held while the policies are asked.
pub(crate) fn all() -> Vec<Entry> {
    entries().clone()
}

impl Entry {
    /// Calls `read` with the policy, or the override of this thread, and with the record. Returns
    /// `None` if the policy was dropped.
    pub(crate) fn with<T>(
        &self,
        read: impl FnOnce(Option<&dyn Policy>, &Record) -> T,
    ) -> Option<T> {
        let record = self.record.get()?;
        match &self.policy {
            None => Some(read(None, &record)),
            Some(PolicyRef::Static(policy)) => {
                let policy = policy.resolved();
                Some(read(Some(policy), super::policy::record_of(policy)))
            }
            Some(PolicyRef::Shared(policy)) => match policy.upgrade() {
                Some(policy) => Some(read(Some(&*policy), &record)),
                None => Some(read(None, &record)),
            },
        }
    }

    /// Returns the record; `None` if the policy was dropped.
    pub(crate) fn record(&self) -> Option<Arc<Record>> {
        self.record.get()
    }

    /// Returns the report; `None` if the policy was dropped.
    pub(crate) fn report(&self) -> Option<PolicyReport> {
        self.with(|policy, record| record.report(policy))
    }
}
