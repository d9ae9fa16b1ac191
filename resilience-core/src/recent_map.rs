//! A bounded table of the process.

use std::collections::{BTreeMap, VecDeque};

/// The largest number of entries.
pub(crate) const MAX_ENTRIES: usize = 1000;

/// A table of at most [`MAX_ENTRIES`] keys. A further key replaces the oldest.
pub(crate) struct RecentMap<K, V> {
    values: BTreeMap<K, V>,
    /// The keys in the order of their insertion.
    keys: VecDeque<K>,
}

impl<K: Copy + Ord, V> RecentMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self { values: BTreeMap::new(), keys: VecDeque::new() }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    /// Inserts a value. Returns the replaced value of the key, or of the oldest key.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let replaced = self.values.insert(key, value);
        if replaced.is_some() {
            return replaced;
        }
        self.keys.push_back(key);
        if self.keys.len() <= MAX_ENTRIES {
            return None;
        }
        self.keys.pop_front().and_then(|oldest| self.values.remove(&oldest))
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.values.remove(key)?;
        self.keys.retain(|known| known != key);
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_entries_is_bounded() {
        let mut map = RecentMap::new();
        for key in 0..MAX_ENTRIES {
            assert_eq!(map.insert(key, key), None);
        }
        assert_eq!(map.insert(0, 7), Some(0));
        assert_eq!(map.remove(&1), Some(1));
        assert_eq!(map.insert(MAX_ENTRIES, 0), None);
        // The oldest key is 0, also after a new value.
        assert_eq!(map.insert(MAX_ENTRIES + 1, 0), Some(7));
        assert_eq!((map.get(&0), map.get(&2)), (None, Some(&2)));
        assert_eq!((map.values.len(), map.keys.len()), (MAX_ENTRIES, MAX_ENTRIES));
    }
}
