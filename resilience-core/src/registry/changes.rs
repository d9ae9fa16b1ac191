//! Subscriptions to the changes of circuit breakers.

use core::future::{Future, poll_fn};
use core::mem;
use core::pin::pin;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicUsize, fence};
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use resilience_rules::health::MAX_CHANGES;

use super::policy::Policy;
use super::{list, pattern};
use crate::clock::{Delay, Timestamp, now};
use crate::settings::is_off;
use crate::{CircuitBreaker, StateChange};

/// The changes that wait for a subscriber.
#[derive(Debug)]
struct Queue {
    pattern: String,
    state: Mutex<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    changes: VecDeque<StateChange>,
    /// The lost changes before the first of `changes`.
    lost: u64,
    waker: Option<Waker>,
    /// Whether a circuit may count as closed without a change: [`touch`].
    is_touched: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a change. A full queue loses the oldest change.
    fn push(&self, change: StateChange) {
        let mut state = self.lock();
        if state.changes.len() >= MAX_CHANGES {
            state.changes.pop_front();
            state.lost = state.lost.saturating_add(1);
        }
        state.changes.push_back(change);
        let waker = state.waker.take();
        drop(state);
        // A waker runs foreign code, so no lock is held here.
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Wakes the calls that wait for closed circuits of this name, or of any name: a breaker was
/// dropped, or policies were switched off.
pub(crate) fn touch(name: Option<&str>) {
    if !has_subscribers() {
        return;
    }
    let queues = queues().clone();
    for queue in queues.iter().filter_map(Weak::upgrade) {
        if name.is_none_or(|name| pattern::matches(&queue.pattern, name)) {
            let mut state = queue.lock();
            state.is_touched = true;
            let waker = state.waker.take();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

static QUEUES: Mutex<Vec<Weak<Queue>>> = Mutex::new(Vec::new());
/// The number of queues, so that a change without subscribers takes no lock.
static SUBSCRIBERS: AtomicUsize = AtomicUsize::new(0);

fn queues() -> MutexGuard<'static, Vec<Weak<Queue>>> {
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a change of a breaker, or of the switch, concerns a subscriber. The caller has
/// made the change, and a subscriber first subscribes and then reads the state. The two fences
/// exclude that both miss each other.
fn has_subscribers() -> bool {
    fence(SeqCst);
    SUBSCRIBERS.load(Relaxed) > 0
}

/// Passes a change to the subscribers. Called in the order of the changes of a breaker.
pub(crate) fn publish(change: &StateChange) {
    if !has_subscribers() {
        return;
    }
    let queues = queues().clone();
    let queues = queues.iter().filter_map(Weak::upgrade);
    for queue in queues.filter(|queue| pattern::matches(&queue.pattern, change.name)) {
        queue.push(change.clone());
    }
}

/// Subscribes to the changes of all circuit breakers whose names match a pattern, from now on: a
/// stream. A `*` in the pattern stands for any text. Covers breakers by hand, and breakers that do
/// not exist yet.
///
/// The items are those of the hooks. The stream holds the last 256 changes. A subscriber that is
/// too slow loses the oldest ones, and [`CircuitChanges::lost`] tells how many.
///
/// ```
/// use resilience::{CircuitBreaker, CircuitState, circuit_changes};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut changes = circuit_changes("changes_example::*");
/// let api = CircuitBreaker::new().name("changes_example::api");
/// api.trip();
/// let change = changes.next().await;
/// assert_eq!((change.name, change.to), ("changes_example::api", CircuitState::Open));
/// # });
/// ```
pub fn circuit_changes(pattern: &str) -> CircuitChanges {
    let queue = Queue { pattern: pattern.to_owned(), state: Mutex::default() };
    let queue = Arc::new(queue);
    let mut queues = queues();
    queues.push(Arc::downgrade(&queue));
    SUBSCRIBERS.store(queues.len(), Relaxed);
    fence(SeqCst);
    CircuitChanges { queue }
}

/// A stream of changes of circuit breakers. Made by [`circuit_changes`]. Never ends.
#[derive(Debug)]
#[must_use = "changes are lost unless they are received"]
pub struct CircuitChanges {
    queue: Arc<Queue>,
}

impl CircuitChanges {
    /// Returns the next change, and waits for the change if necessary. No change is lost if the
    /// future is dropped.
    pub async fn next(&mut self) -> StateChange {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the next change that is already there.
    pub fn try_next(&mut self) -> Option<StateChange> {
        self.queue.lock().changes.pop_front()
    }

    /// Returns the number of changes directly before the next one that the subscription lost since
    /// the last call of this method, because the subscriber was too slow.
    pub fn lost(&mut self) -> u64 {
        mem::take(&mut self.queue.lock().lost)
    }

    /// Polls for the next change: for `futures::stream::poll_fn` and other adapters.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<StateChange> {
        let waker = cx.waker().clone();
        let mut state = self.queue.lock();
        if let Some(change) = state.changes.pop_front() {
            return Poll::Ready(change);
        }
        let old = state.waker.replace(waker);
        drop(state);
        // The destructor of a waker is foreign code, so no lock is held here.
        drop(old);
        Poll::Pending
    }

    /// Waits for any change, at most until `end`, and drops the changes that are there.
    async fn changed(&mut self, end: Option<Timestamp>) {
        let sleep = end.map(|end| Delay::start(end.since(now())).0.wait());
        let mut sleep = pin!(sleep);
        poll_fn(|cx| {
            // The waker is registered before the question, so no touch falls in between.
            let is_changed = self.poll_next(cx).is_ready();
            if mem::take(&mut self.queue.lock().is_touched) || is_changed {
                return Poll::Ready(());
            }
            sleep.as_mut().as_pin_mut().map_or(Poll::Pending, |sleep| sleep.poll(cx).map(drop))
        })
        .await;
        self.queue.lock().changes.clear();
    }
}

impl Drop for CircuitChanges {
    fn drop(&mut self) {
        let mut queues = queues();
        queues.retain(|queue| !core::ptr::eq(queue.as_ptr(), Arc::as_ptr(&self.queue)));
        SUBSCRIBERS.store(queues.len(), Relaxed);
    }
}

/// Waits until no circuit of this name is open: until each breaker of the name is closed or
/// disabled. A `*` in the name stands for any text. Ready at once if no breaker of the name is
/// listed.
///
/// A circuit closes through calls: without trial calls it stays open. A forced state with a time
/// ends by itself. A breaker that is dropped, or switched off, does not count as open.
///
/// ```
/// use resilience::{CircuitBreaker, circuit_closed, register};
///
/// static API: CircuitBreaker = CircuitBreaker::new().name("closed_example");
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// register(&API);
/// API.force_open();
/// let waiting = tokio::spawn(circuit_closed("closed_example"));
/// API.force_close();
/// waiting.await.unwrap();
/// # });
/// ```
pub fn circuit_closed(name: &str) -> impl Future<Output = ()> + Send + 'static {
    let name = name.to_owned();
    async move {
        let mut changes = circuit_changes(&name);
        loop {
            let open = open(&name);
            if open.is_empty() {
                return;
            }
            changes.changed(open.into_iter().flatten().min()).await;
        }
    }
}

/// Returns the open breakers of a name: the end of a forced state with a time, else `None`.
fn open(name: &str) -> Vec<Option<Timestamp>> {
    let open = |entry: &list::Entry| {
        entry.with(|policy, record| {
            let is_open = pattern::matches(name, record.name) && !record.is_closed(policy);
            is_open.then(|| policy.and_then(Policy::forced_until))
        })?
    };
    list::all().iter().filter_map(open).collect()
}

impl CircuitBreaker {
    /// Waits until the breaker is closed or disabled. Ready at once if the breaker is closed.
    ///
    /// A circuit closes through calls: without trial calls it stays open. A forced state with a
    /// time ends by itself. A breaker that is switched off does not count as open.
    pub async fn closed(&self) {
        let mut changes = circuit_changes(Policy::name(self));
        while !self.state().admits_all() && !is_off(self.kind(), Policy::name(self)) {
            changes.changed(self.forced_until()).await;
        }
    }
}
