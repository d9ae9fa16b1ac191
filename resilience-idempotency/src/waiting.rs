//! Calls of this process that wait for the same key: one of them asks the store, the others wait for it.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use crate::key::{Fingerprint, RecordKey};
use crate::store::StoreId;
use resilience_core::__internal::{Mutex, lock};

/// What is waited for: the same key of the same store, about the same thing.
type Subject = (StoreId, RecordKey, Fingerprint);

/// The subjects that are waited for.
pub(super) struct Table(Mutex<HashMap<Subject, Entry>>);

struct Entry {
    room: Arc<Room>,
    waiters: usize,
}

/// Those who wait for one subject.
struct Room(Mutex<State>);

struct State {
    /// Somebody asks the store.
    is_led: bool,
    answer: Option<Arc<[u8]>>,
    /// In the order in which they came.
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

impl Table {
    fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// That of the process.
    pub(super) fn of_process() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(Table::new);
        &TABLE
    }
}

impl Room {
    fn new() -> Arc<Self> {
        let (answer, waiting) = (None, BTreeMap::new());
        Arc::new(Self(Mutex::new(State { is_led: false, answer, waiting, next: 0 })))
    }
}

/// One call that waits. Leaves on drop; whoever leads then is followed by another.
pub(super) struct Waiter {
    table: &'static Table,
    subject: Subject,
    room: Arc<Room>,
    leads: bool,
    /// Under which its waker is kept.
    place: Option<u64>,
}

/// What a waiter learns.
pub(super) enum Turn {
    /// It is its turn to ask the store.
    Ask,
    /// Somebody has asked, and it is done.
    Done(Arc<[u8]>),
}

impl Waiter {
    pub(super) fn enter(
        table: &'static Table,
        store: StoreId,
        key: RecordKey,
        fingerprint: Fingerprint,
    ) -> Self {
        let subject = (store, key, fingerprint);
        let mut subjects = lock(&table.0);
        let new = || Entry { room: Room::new(), waiters: 0 };
        let entry = subjects.entry(subject).or_insert_with(new);
        entry.waiters = entry.waiters.saturating_add(1);
        let room = Arc::clone(&entry.room);
        Self { table, subject, room, leads: false, place: None }
    }

    /// WaitMode for the answer, or for the turn to ask for it.
    pub(super) async fn turn(&mut self) -> Turn {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        // Made before the lock, because the waker is not ours.
        let waker = cx.waker().clone();
        let mut state = lock(&self.room.0);
        if let Some(answer) = &state.answer {
            return Poll::Ready(Turn::Done(Arc::clone(answer)));
        }
        if self.leads || !state.is_led {
            state.is_led = true;
            self.leads = true;
            return Poll::Ready(Turn::Ask);
        }
        let place = *self.place.get_or_insert_with(|| {
            state.next = state.next.wrapping_add(1);
            state.next
        });
        let before = state.waiting.insert(place, waker);
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Tells the others what came of it. Whoever comes later asks for himself.
    pub(super) fn tell(&self, answer: &Arc<[u8]>) {
        lock(&self.room.0).answer = Some(Arc::clone(answer));
        self.leave(|_| 0);
    }

    /// Brings the number of waiters to what `left` makes of it, and with none the subject to an end.
    fn leave(&self, left: impl FnOnce(usize) -> usize) {
        let mut subjects = lock(&self.table.0);
        let entry = subjects.get_mut(&self.subject);
        // There may be another room by now.
        let Some(entry) = entry.filter(|entry| Arc::ptr_eq(&entry.room, &self.room)) else {
            return;
        };
        entry.waiters = left(entry.waiters);
        if entry.waiters == 0 {
            subjects.remove(&self.subject);
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut state = lock(&self.room.0);
        let own = self.place.and_then(|place| state.waiting.remove(&place));
        let waiting = if self.leads {
            state.is_led = false;
            core::mem::take(&mut state.waiting)
        } else {
            BTreeMap::new()
        };
        drop(state);
        drop(own);
        // All of them: who is first leads, and one that was dropped meanwhile stops nobody.
        waiting.into_values().for_each(Waker::wake);
        self.leave(|waiters| waiters.saturating_sub(1));
    }
}

#[cfg(test)]
#[path = "waiting_tests.rs"]
mod tests;
