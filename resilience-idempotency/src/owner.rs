//! The random number of a claimant.

use std::cell::Cell;

use resilience_core::__internal::{Timestamp, unique_id};

/// Returns a number for one claim, different from the numbers of all claims of all processes.
///
/// Each thread asks the operating system for 128 random bits once, and counts in the upper half of
/// the number. A system call for each claim would cost more than the rest of a replay. A forked
/// process starts with the bits and the count of its parent, and the time of the claim separates
/// both.
pub(super) fn new_owner(now: Timestamp) -> u128 {
    thread_local! {
        static NEXT: Cell<Option<u128>> = const { Cell::new(None) };
    }
    let draw = |next: &Cell<Option<u128>>| {
        let (owner, then) = count(next.get().unwrap_or_else(unique_id), now);
        next.set(Some(then));
        owner
    };
    // The thread-local is unavailable while the thread ends.
    NEXT.try_with(draw).unwrap_or_else(|_| unique_id())
}

/// Returns the owner of this state and time, and the next state.
fn count(state: u128, now: Timestamp) -> (u128, u128) {
    (state.wrapping_add(u128::from(now.word())), state.wrapping_add(1 << 64))
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use resilience_core::__internal::now;

    use super::*;

    #[test]
    fn owners_of_all_threads_are_different() {
        let now = now();
        let draw = move || (0..1000).map(|_| new_owner(now)).collect::<Vec<_>>();
        let threads = [(); 4].map(|()| std::thread::spawn(draw));
        let owners = threads.into_iter().flat_map(|thread| thread.join().expect("no panic"));
        let owners: HashSet<_> = owners.chain(draw()).collect();
        assert_eq!(owners.len(), 5000);
    }

    /// A forked process has the state of its parent.
    #[test]
    fn the_time_separates_equal_states() {
        let (parent, later) = (now(), now().plus(Duration::from_secs(1)));
        let [mut one, mut two] = [unique_id(); 2];
        let mut owners = HashSet::new();
        for _ in 0..1000 {
            for (state, now) in [(&mut one, parent), (&mut two, later)] {
                let (owner, next) = count(*state, now);
                *state = next;
                assert!(owners.insert(owner));
            }
        }
    }
}
