//! The search of a full table for a state that can leave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use resilience::{Bulkhead, CircuitBreaker, Keyed, testing};

use crate::ms;

/// 300 keys are up to 30 keys in a shard, and the search begins in any shard at any key.
#[test]
fn the_only_free_state_is_found_wherever_the_search_begins() {
    const KEYS: usize = 300;
    let clock = testing::clock();
    let table = Keyed::new(300, || Bulkhead::new(1));
    let mut held: Vec<Arc<Bulkhead>> = (0..KEYS).map(|key| table.get(&key)).collect();
    for round in 0..1000 {
        // The end of the rest of the search.
        clock.advance(ms(1000));
        let freed = held.swap_remove(round * 7919 % KEYS);
        drop(freed);
        held.push(table.get(&(KEYS + round)));
        assert_eq!((table.len(), table.figures().overflow_calls), (300, 0), "{round}");
    }
}

#[test]
fn a_table_counts_its_keys() {
    let table = Keyed::new(2, CircuitBreaker::new);
    assert_eq!((table.len(), table.is_empty()), (0, true));
    let _ = table.get("a");
    assert_eq!((table.len(), table.is_empty()), (1, false));
    let _ = table.get("b");
    assert_eq!((table.len(), table.is_empty()), (2, false));
}

/// The limit counts the key before its state exists, so the search finds no state at all.
#[test]
fn a_new_key_beside_a_key_that_is_being_made_shares_the_state() {
    let table = Keyed::new(1, || Bulkhead::new(1));
    let first = table.get_with("first", |policy| {
        assert_eq!((table.len(), table.figures().overflow_calls), (1, 0));
        let _ = table.get("second");
        assert_eq!((table.len(), table.figures().overflow_calls), (1, 1));
        policy
    });
    assert!(Arc::ptr_eq(&first, &table.get("first")));
}

#[test]
fn a_state_that_is_not_made_or_made_twice_leaves_its_room() {
    let table = Keyed::new(1, || Bulkhead::new(1));
    let panics = || table.get_with("first", |_| panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!((table.len(), table.is_empty()), (0, true));
    let table = Keyed::new(2, || Bulkhead::new(1));
    let first = table.get_with("first", |policy| {
        let _ = table.get("first");
        policy
    });
    assert_eq!(table.len(), 1);
    assert!(Arc::ptr_eq(&first, &table.get("first")));
}

/// A search within a second after another is paid by the new keys, so most searches end early.
#[test]
fn searches_one_after_another_are_short() {
    const KEYS: usize = 300;
    for wait in [0, 1] {
        let clock = testing::clock();
        let table = Keyed::new(300, || Bulkhead::new(1));
        let mut held: Vec<_> = (0..KEYS).map(|key| Some(table.get(&key))).collect();
        for _ in 0..10 {
            let _ = table.get("new");
        }
        let overflows = |table: &Keyed<Bulkhead>| table.figures().overflow_calls;
        assert_eq!(overflows(&table), 10);
        for (key, state) in held.iter_mut().enumerate().take(20) {
            clock.advance(ms(wait));
            *state = None;
            let _ = table.get(&(KEYS + key));
            *state = Some(table.get(&key));
        }
        // A short search finds the free state in about one of 75 rounds.
        assert!(overflows(&table) >= 10 + 15, "{}", overflows(&table));
    }
}
