//! Calls of this process that wait for the same key: one of them asks the store, the others wait for it.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::key::{Fingerprint, RecordKey};
use super::store::StoreId;

/// What is waited for: the same key of the same store, about the same thing.
type Subject = (StoreId, RecordKey, Fingerprint);

static TABLE: LazyLock<Mutex<HashMap<Subject, Arc<Room>>>> = LazyLock::new(Mutex::default);

/// Those who wait for one subject.
#[derive(Default)]
struct Room(Mutex<State>);

#[derive(Default)]
struct State {
    /// Somebody asks the store.
    is_led: bool,
    answer: Option<Arc<[u8]>>,
    waiting: Vec<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One call that waits. Leaves on drop; whoever leads then is followed by another.
pub(super) struct Waiter {
    subject: Subject,
    room: Arc<Room>,
    leads: bool,
}

/// What a waiter learns.
pub(super) enum Turn {
    /// It is its turn to ask the store.
    Ask,
    /// Somebody has asked, and it is done.
    Done(Arc<[u8]>),
}

impl Waiter {
    pub(super) fn enter(store: StoreId, key: RecordKey, fingerprint: Fingerprint) -> Self {
        let subject = (store, key, fingerprint);
        let room = Arc::clone(lock(&TABLE).entry(subject).or_default());
        Self { subject, room, leads: false }
    }

    /// Waits for the answer, or for the turn to ask for it.
    pub(super) async fn turn(&mut self) -> Turn {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let mut state = lock(&self.room.0);
        if let Some(answer) = &state.answer {
            return Poll::Ready(Turn::Done(Arc::clone(answer)));
        }
        if self.leads || !state.is_led {
            state.is_led = true;
            self.leads = true;
            return Poll::Ready(Turn::Ask);
        }
        if !state.waiting.iter().any(|other| other.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Tells the others what came of it.
    pub(super) fn tell(&self, answer: &Arc<[u8]>) {
        lock(&self.room.0).answer = Some(Arc::clone(answer));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.leads {
            let mut state = lock(&self.room.0);
            state.is_led = false;
            let waiting = core::mem::take(&mut state.waiting);
            drop(state);
            // All of them: who is first leads, and one that was dropped meanwhile stops nobody.
            waiting.into_iter().for_each(Waker::wake);
        }
        let mut table = lock(&TABLE);
        // The table's own and this one.
        if Arc::strong_count(&self.room) == 2 {
            table.remove(&self.subject);
        }
    }
}
