//! Random identities of processes, votes and members.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Returns 64 random bits.
pub(crate) fn random_bits() -> u64 {
    // Each `RandomState` has different keys, derived from the randomness of the system.
    RandomState::new().build_hasher().finish()
}
