//! The requests that run under a layer: their number has a limit, and a shutdown waits for them.

use core::future::poll_fn;
use core::task::{Poll, Waker};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use resilience_core::__internal::{Mutex, Timestamp, lock, now};
use resilience_idempotency::RecordKey;

use super::background::timeout;

/// The running requests of a layer and of its clones.
#[derive(Default)]
pub(super) struct Running(Mutex<State>);

#[derive(Default)]
struct State {
    count: u32,
    /// Without a store, two requests with one key may run, and the last is listed.
    requests: HashMap<RecordKey, Progress>,
    /// The tasks that wait for the end of all requests.
    draining: Vec<Waker>,
}

#[derive(Clone, Copy)]
struct Progress {
    started: Timestamp,
    /// The handler has ended, and the store has not accepted the outcome.
    is_unsaved: bool,
}

impl Running {
    pub(super) fn is_full(&self, limit: u32) -> bool {
        lock(&self.0).count >= limit
    }

    /// Starts a request, or returns `None` at the limit.
    pub(super) fn start(self: &Arc<Self>, key: RecordKey, limit: u32) -> Option<RunningRequest> {
        let now = now();
        let mut state = lock(&self.0);
        if state.count >= limit {
            return None;
        }
        state.count = state.count.saturating_add(1);
        state.requests.insert(key, Progress { started: now, is_unsaved: false });
        Some(RunningRequest { running: Arc::clone(self), key })
    }

    /// Returns how long the request with this key has been running in this process.
    pub(super) fn age(&self, key: &RecordKey) -> Option<Duration> {
        let progress = lock(&self.0).requests.get(key).copied()?;
        Some(now().since(progress.started))
    }

    /// Marks the outcome of a request as not saved, if the request is still running.
    pub(super) fn set_unsaved(&self, key: &RecordKey) {
        if let Some(progress) = lock(&self.0).requests.get_mut(key) {
            progress.is_unsaved = true;
        }
    }

    /// Returns whether the handler of a request with this key has ended in this process, and the
    /// outcome is not saved.
    pub(super) fn is_unsaved(&self, key: &RecordKey) -> bool {
        lock(&self.0).requests.get(key).is_some_and(|progress| progress.is_unsaved)
    }

    /// Waits until no request is running, for `limit` at most. Returns the number of requests that
    /// are still running.
    pub(super) async fn drain(&self, limit: Duration) -> usize {
        let idle = poll_fn(|cx| {
            // Cloned before the lock, because `clone` of a waker is foreign code.
            let waker = cx.waker().clone();
            let mut state = lock(&self.0);
            if state.count == 0 {
                return Poll::Ready(());
            }
            if !state.draining.iter().any(|known| known.will_wake(&waker)) {
                state.draining.push(waker);
            }
            Poll::Pending
        });
        match timeout(limit, idle).await {
            Some(()) => 0,
            None => lock(&self.0).count as usize,
        }
    }
}

/// A running request. Drop ends the request.
pub(super) struct RunningRequest {
    running: Arc<Running>,
    key: RecordKey,
}

impl RunningRequest {
    pub(super) fn key(&self) -> RecordKey {
        self.key
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let mut state = lock(&self.running.0);
        state.count = state.count.saturating_sub(1);
        state.requests.remove(&self.key);
        let draining =
            if state.count == 0 { core::mem::take(&mut state.draining) } else { Vec::new() };
        drop(state);
        draining.into_iter().for_each(Waker::wake);
    }
}
