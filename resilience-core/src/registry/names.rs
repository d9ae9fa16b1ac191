//! Names that several policies share. The operator cannot tell the policies apart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::record::Record;
use super::report::{PolicyKind, PolicyReport};
use crate::log;

/// The first listed policy of a kind and name.
struct Owner {
    record: Weak<Record>,
    /// Whether the process has logged that another policy has the name.
    is_warned: bool,
}

static OWNERS: Mutex<Option<HashMap<(PolicyKind, &'static str), Owner>>> = Mutex::new(None);

/// Two policies of a kind with one name: the earlier and the later.
pub(crate) struct SharedName(Arc<Record>, Arc<Record>);

/// Registers the name of a new record. Returns the two policies if an earlier policy at another
/// place has the name, once for each kind and name.
///
/// Policies made at one place share a name on purpose, such as a breaker for each client. A policy
/// without a name has no name to share.
pub(crate) fn claim(record: &Arc<Record>) -> Option<SharedName> {
    // The layers of a function share the name of the function, and are registered themselves.
    let is_function = record.kind == PolicyKind::Function;
    if is_function || record.kind.default_name() == Some(record.name) {
        return None;
    }
    let mut owners = OWNERS.lock().unwrap_or_else(PoisonError::into_inner);
    let owners = owners.get_or_insert_default();
    let new = || Owner { record: Arc::downgrade(record), is_warned: false };
    let owner = owners.entry((record.kind, record.name)).or_insert_with(new);
    let Some(earlier) = owner.record.upgrade() else {
        owner.record = Arc::downgrade(record);
        return None;
    };
    if owner.is_warned || earlier.place() == record.place() {
        return None;
    }
    owner.is_warned = true;
    Some(SharedName(earlier, Arc::clone(record)))
}

/// Logs a shared name. The log runs code of the user, so no lock is held above.
pub(crate) fn warn(shared: Option<SharedName>) {
    if let Some(SharedName(earlier, later)) = shared {
        log::shared_name(later.name, later.kind, later.place(), earlier.place());
    }
}

/// Marks the reports of policies that share their name.
pub(super) fn mark(reports: &mut [PolicyReport]) {
    let mut places = HashMap::new();
    for report in &*reports {
        let known = places.entry((report.kind, report.name)).or_insert((report.location, false));
        known.1 |= known.0 != report.location;
    }
    for report in reports {
        let is_default = report.kind.default_name() == Some(report.name);
        let shares = places.get(&(report.kind, report.name)).is_some_and(|(_, shares)| *shares);
        report.shares_name = shares && !is_default;
    }
}
