//! The starts of running calls in atomic words, so that a call in time needs no lock.
//!
//! A call claims a slot for its start and its generation, and gives the slot back at its end.
//! Under the lock a search counts the calls beyond the limit, and sets the end of the quiet time,
//! in which no running call can exceed the limit. A search is due only after the quiet time.

use core::array;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::time::Duration;

use super::word::GENERATION_SHIFT;
use crate::clock::{Timestamp, nanos};
use crate::sync::AtomicU64;

/// Further calls are kept under the lock.
const SLOTS: usize = if cfg!(resilience_loom) { 2 } else { 16 };

#[derive(Debug)]
pub(super) struct Slots {
    /// The limit by the settings of the code, in nanoseconds.
    limit: u64,
    /// The end of the quiet time, in the clock's nanoseconds. Changes under the lock.
    quiet_until: AtomicU64,
    slots: [Slot; SLOTS],
}

#[derive(Debug)]
struct Slot {
    /// `FREE`, `CLAIMED` before the start is stored, or the generation of the call in the high half
    /// with `RUNNING` or `OVERDUE`.
    owner: AtomicU64,
    /// The start of the call, in the clock's nanoseconds.
    started: AtomicU64,
}

const FREE: u64 = 0;
const CLAIMED: u64 = 1;
const RUNNING: u64 = 2;
/// Running, and counted as a call beyond the limit.
const OVERDUE: u64 = 3;

const fn owner(generation: u32, state: u64) -> u64 {
    (generation as u64) << GENERATION_SHIFT | state
}

/// The place of a measured call: the number of a slot from 1 on, or one of the other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u8);

impl Place {
    /// In the list under the lock.
    pub(super) const LIST: Self = Self(0);
    /// Given back.
    pub(super) const NONE: Self = Self(u8::MAX);

    /// Returns the place in the low byte of a guard's word.
    #[expect(clippy::cast_possible_truncation, reason = "only the low byte is wanted")]
    pub(super) const fn from_word(seen: u64) -> Self {
        Self(seen as u8)
    }

    pub(super) const fn word(self) -> u64 {
        self.0 as u64
    }
}

impl Slots {
    pub(super) fn new(limit: Duration) -> Self {
        let slot = |_| Slot { owner: AtomicU64::new(FREE), started: AtomicU64::new(0) };
        Self { limit: nanos(limit), quiet_until: AtomicU64::new(0), slots: array::from_fn(slot) }
    }

    /// Starts a call without the lock, unless a search is due or no slot is free.
    #[inline]
    pub(super) fn start(&self, generation: u32, now: Timestamp) -> Option<Place> {
        let place = self.claim(generation, now)?;
        // Also false if a search at a later time has not seen the claim.
        let rest = self.quiet_until.load(Acquire).wrapping_sub(now.word());
        if rest <= self.limit {
            return Some(place);
        }
        self.give_back(generation, place);
        None
    }

    /// Claims the first free slot from a place by the clock on, so that threads seldom meet.
    #[inline]
    pub(super) fn claim(&self, generation: u32, now: Timestamp) -> Option<Place> {
        match self.claim_at(now.word(), generation, now) {
            None => self.claim_next(generation, now),
            place => place,
        }
    }

    #[cold]
    #[inline(never)]
    fn claim_next(&self, generation: u32, now: Timestamp) -> Option<Place> {
        (1..SLOTS as u64)
            .find_map(|step| self.claim_at(now.word().wrapping_add(step), generation, now))
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    fn claim_at(&self, number: u64, generation: u32, now: Timestamp) -> Option<Place> {
        let index = number as usize % SLOTS;
        let slot = self.slots.get(index)?;
        slot.claim(generation, now).then_some(Place(index as u8 + 1))
    }

    /// Ends a call within the limit without the lock, unless a search is due.
    #[inline]
    pub(super) fn end(&self, generation: u32, place: Place, now: Timestamp) -> bool {
        now.word() <= self.quiet_until.load(Acquire) && self.give_back(generation, place)
    }

    /// Returns whether the slot was that of a call of this generation within the limit.
    #[inline]
    fn give_back(&self, generation: u32, place: Place) -> bool {
        let running = owner(generation, RUNNING);
        self.slot(place).is_some_and(|slot| {
            slot.owner.compare_exchange(running, FREE, Release, Relaxed).is_ok()
        })
    }

    #[inline]
    fn slot(&self, place: Place) -> Option<&Slot> {
        self.slots.get(usize::from(place.0.wrapping_sub(1)))
    }

    /// Returns whether no running call can exceed the limit at this time.
    pub(super) fn are_quiet(&self, now: Timestamp) -> bool {
        now.word() <= self.quiet_until.load(Relaxed)
    }

    // The functions below are called under the lock.

    /// Ends a call of the current generation. Returns whether the call was counted as overdue.
    pub(super) fn take_back(&self, generation: u32, place: Place) -> bool {
        let taken = self.slot(place).map(|slot| slot.owner.swap(FREE, AcqRel));
        taken == Some(owner(generation, OVERDUE))
    }

    /// Makes a search due.
    pub(super) fn expect_search(&self) {
        self.quiet_until.store(0, Release);
    }

    /// Makes a search due in time for a call with this start.
    pub(super) fn expect_search_for(&self, started: Timestamp, limit: Duration) {
        let until = started.plus(limit).word().min(self.quiet_until.load(Relaxed));
        self.quiet_until.store(until, Release);
    }

    /// Returns the number of running calls beyond the limit. The quiet time then lasts until the
    /// oldest call may exceed the limit. `oldest` is the first start of the calls outside of the
    /// slots; `now` without any.
    pub(super) fn search(
        &self,
        generation: u32,
        now: Timestamp,
        limit: Duration,
        oldest: Timestamp,
    ) -> u32 {
        let is_overdue = |slot: &&Slot| slot.is_overdue(generation, now, limit);
        let overdue = self.slots.iter().filter(is_overdue).map(|_| 1).sum();
        // With an overdue call the search stays due.
        if overdue == 0 {
            // Stored first: a call that claims a slot behind the search sees this time, and takes
            // the lock if its start is earlier.
            self.quiet_until.store(now.plus(limit).word(), Relaxed);
            let oldest = self.slots.iter().filter_map(Slot::start).fold(oldest, Timestamp::min);
            self.quiet_until.store(oldest.plus(limit).word(), Release);
        }
        overdue
    }
}

impl Slot {
    #[inline]
    fn claim(&self, generation: u32, now: Timestamp) -> bool {
        let is_claimed = self.owner.load(Relaxed) == FREE
            && self.owner.compare_exchange(FREE, CLAIMED, AcqRel, Relaxed).is_ok();
        if is_claimed {
            self.started.store(now.word(), Relaxed);
            self.owner.store(owner(generation, RUNNING), Release);
        }
        is_claimed
    }

    /// Returns whether the call exceeds the limit, and keeps the answer. Frees the slot of a call
    /// of another generation: the call no longer counts.
    fn is_overdue(&self, generation: u32, now: Timestamp, limit: Duration) -> bool {
        let seen = self.owner.load(Acquire);
        let next = match seen {
            FREE | CLAIMED => return false,
            _ if seen == owner(generation, OVERDUE) => return true,
            _ if seen != owner(generation, RUNNING) => FREE,
            _ if self.started().plus(limit) < now => owner(generation, OVERDUE),
            _ => return false,
        };
        // Fails if the call has ended in the meantime.
        self.owner.compare_exchange(seen, next, AcqRel, Relaxed).is_ok() && next != FREE
    }

    /// Returns the start of the call; a time before all calls if the start is not stored yet.
    /// Writes to a free slot, so that a later claim sees the writes before.
    fn start(&self) -> Option<Timestamp> {
        match self.owner.compare_exchange(FREE, FREE, AcqRel, Acquire) {
            Ok(_) => None,
            Err(CLAIMED) => Some(Timestamp::from_nanos(0)),
            Err(_) => Some(self.started()),
        }
    }

    fn started(&self) -> Timestamp {
        Timestamp::from_nanos(self.started.load(Relaxed))
    }
}
