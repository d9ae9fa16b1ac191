//! Names made at run time.
//!
//! Events, rejections and policies hold names as `&'static str`, so that a `static` policy and an
//! event cost no allocation. A name made at run time is stored once for the rest of the process.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use resilience_rules::{InvalidPolicy, name as rules};

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Returns the name with a `'static` lifetime. Equal names share the memory, which is never freed.
/// Beyond [`MAX_NAMES`](rules::MAX_NAMES) different names returns [`OTHER`](rules::OTHER), so that
/// names by mistake, such as a name per request, do not fill the memory.
pub(crate) fn intern(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    if names.len() >= rules::MAX_NAMES {
        return rules::OTHER;
    }
    let name: &'static str = Box::leak(Box::from(name));
    names.insert(name);
    name
}

/// Checks the name of a policy, if there is one.
pub(crate) const fn validate(name: Option<&str>) -> Result<(), InvalidPolicy> {
    match name {
        Some(name) => rules::name(name),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_share_a_copy_and_the_number_of_names_is_bounded() {
        let first = intern("tenant-1");
        assert!(core::ptr::eq(first, intern(&String::from("tenant-1"))));
        let names: BTreeSet<_> =
            (0..2 * rules::MAX_NAMES).map(|n| intern(&n.to_string())).collect();
        assert!(names.len() <= rules::MAX_NAMES + 1);
        assert!(names.contains(rules::OTHER));
        assert!(core::ptr::eq(first, intern("tenant-1")));
    }
}
