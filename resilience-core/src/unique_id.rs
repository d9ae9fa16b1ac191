//! Random identifiers, unique across processes.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

/// Returns 128 random bits from the operating system.
///
/// If the operating system has no randomness, the bits come from the process, the thread and the
/// time.
#[must_use]
pub fn unique_id() -> u128 {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // A forked process inherits the hasher keys of the parent, so the keys alone are not
        // enough.
        let origin = (std::process::id(), SystemTime::now(), std::thread::current().id());
        let words = [RandomState::new().hash_one(origin), RandomState::new().hash_one(origin)];
        return u128::from(words[0]) << 64 | u128::from(words[1]);
    }
    u128::from_ne_bytes(bytes)
}
