//! The identity of a key that is not stored.

use core::hash::{BuildHasher, Hash};
use std::hash::RandomState;
use std::sync::OnceLock;

/// Two 64-bit hashes of a key, with secret seeds of the process.
///
/// Any `Hash` type works, borrowed keys too. Different keys have equal hashes with a probability of
/// 2⁻¹²⁸, and no caller can look for such keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash([u64; 2]);

impl KeyHash {
    /// Hashes a key.
    pub fn of(key: &(impl Hash + ?Sized)) -> Self {
        static SEEDS: OnceLock<[RandomState; 2]> = OnceLock::new();
        let seeds = SEEDS.get_or_init(|| [RandomState::new(), RandomState::new()]);
        Self(seeds.each_ref().map(|seed| seed.hash_one(key)))
    }

    /// Hashes a key of an annotated function. The name of `instance`, a closure in the function,
    /// contains the generic arguments: calls with different arguments share no key.
    pub fn in_function<I>(_instance: &I, key: &(impl Hash + ?Sized)) -> Self {
        Self::of(&(core::any::type_name::<I>(), key))
    }

    /// Returns the part of a table, from 0 to `parts - 1`.
    pub(crate) fn part(self, parts: usize) -> usize {
        let [first, _] = self.0;
        let parts = u64::try_from(parts.max(1)).unwrap_or(1);
        usize::try_from(first % parts).unwrap_or(0)
    }
}
