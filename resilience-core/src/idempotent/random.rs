//! The number by which a claimant is known.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

/// 128 bits that nobody else draws.
pub(super) fn owner() -> u128 {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // The keys of a hasher are random too, but those of a forked process are the same.
        let here = (std::process::id(), SystemTime::now(), std::thread::current().id());
        let words = [RandomState::new().hash_one(here), RandomState::new().hash_one(here)];
        return u128::from(words[0]) << 64 | u128::from(words[1]);
    }
    u128::from_ne_bytes(bytes)
}
