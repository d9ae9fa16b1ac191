//! The running executions, and the calls that wait for their outcomes.
//!
//! A flight is in the table from the first call until the outcome is known or the last call has
//! left. Locks are taken in one order: the part of the table, then the flight. No lock is held
//! while a waker, an outcome or another value of the user runs code.

use core::any::{Any, TypeId};
use core::mem;
use core::task::Waker;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::facts::Shared;
use crate::context::execution_facts;
use crate::context::executions::{self, ExecutionId, InExecutions};
use crate::key_hash::KeyHash;
use crate::rejection_signal::RejectionSignal;
use crate::switch;
use crate::sync::{Mutex, lock};
use crate::waiters::{WaiterId, Waiters};

/// The number of parts of the table. Calls with different keys seldom share a lock.
const PARTS: usize = if cfg!(resilience_loom) { 1 } else { 16 };

/// The key of a flight. Outcomes of different types are different flights.
type FlightKey = (KeyHash, TypeId);

type Part = Mutex<BTreeMap<FlightKey, Arc<Flight>>>;

/// A [`Shared`] outcome, of any type.
pub(super) type SharedOutcome = Arc<dyn Any + Send + Sync>;

/// The running executions of a coalescer.
pub(super) struct Flights([Part; PARTS]);

/// An execution and the calls that wait for the outcome.
struct Flight {
    state: Mutex<State>,
    execution: ExecutionId,
}

struct State {
    phase: Phase,
    /// The waiting calls. A call without a waker has been woken and will ask.
    followers: Waiters<Option<Waker>>,
}

enum Phase {
    /// A call runs the body.
    Led,
    /// The leader was dropped. The next call that asks becomes the leader.
    Free,
    Done(SharedOutcome),
    Panicked,
}

/// The place of a call in a flight. On drop the call leaves, and a leader hands over.
pub(super) struct Member<'f> {
    flights: &'f Flights,
    key: FlightKey,
    role: Role,
}

enum Role {
    New,
    Leader(Arc<Flight>),
    Follower(Arc<Flight>, WaiterId),
    /// The call runs the body alone.
    Alone,
}

/// The next step of a call that need not wait.
pub(super) enum Turn {
    Run,
    Return(SharedOutcome),
    Reject,
}

impl Flights {
    #[cfg(not(resilience_loom))]
    pub(super) const fn new() -> Self {
        Self([const { Mutex::new(BTreeMap::new()) }; PARTS])
    }

    #[cfg(resilience_loom)]
    pub(super) fn new() -> Self {
        Self(core::array::from_fn(|_| Mutex::new(BTreeMap::new())))
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|part| lock(part).len()).sum()
    }

    pub(super) fn waiting(&self) -> usize {
        let of_flight = |flight: &Arc<Flight>| lock(&flight.state).followers.len();
        self.0.iter().map(|part| lock(part).values().map(of_flight).sum::<usize>()).sum()
    }

    fn part(&self, key: FlightKey) -> &Part {
        let [first, ..] = &self.0;
        self.0.get(key.0.part(PARTS)).unwrap_or(first)
    }

    /// Removes a flight. Later calls start a new flight.
    fn remove(&self, key: FlightKey, flight: &Arc<Flight>) {
        let mut part = lock(self.part(key));
        if part.get(&key).is_some_and(|known| Arc::ptr_eq(known, flight)) {
            part.remove(&key);
        }
    }
}

impl Flight {
    fn led() -> Arc<Self> {
        let state = State { phase: Phase::Led, followers: Waiters::new() };
        Arc::new(Self { state: Mutex::new(state), execution: ExecutionId::new() })
    }
}

impl State {
    /// Returns the waker of the first waiting call, unless the call has been woken.
    fn first_waker(&mut self) -> Option<Waker> {
        let (_, waker) = self.followers.first_mut()?;
        waker.take()
    }
}

fn wake(mut followers: Waiters<Option<Waker>>) {
    while let Some((_, waker)) = followers.pop_first() {
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<'f> Member<'f> {
    /// Creates a call with outcomes of type `O`. The call joins at the first turn.
    pub(super) fn new<O: 'static>(flights: &'f Flights, key: KeyHash) -> Self {
        Self { flights, key: (key, TypeId::of::<O>()), role: Role::New }
    }

    /// Creates a call that runs the body alone.
    pub(super) fn alone<O: 'static>(flights: &'f Flights, key: KeyHash) -> Self {
        Self { role: Role::Alone, ..Self::new::<O>(flights, key) }
    }

    /// Returns the next step; `None` if the call waits. A waiting call is woken through `waker`, if
    /// given.
    pub(super) fn turn(&mut self, waker: Option<&Waker>) -> Option<Turn> {
        if let Role::New = self.role {
            self.role = self.join();
        }
        let Role::Follower(flight, id) = &self.role else { return Some(Turn::Run) };
        let (flight, id) = (Arc::clone(flight), *id);
        let mut own = None;
        loop {
            let mut state = lock(&flight.state);
            let turn = match &state.phase {
                Phase::Led => None,
                Phase::Free => {
                    state.phase = Phase::Led;
                    Some(Turn::Run)
                }
                Phase::Done(outcome) => Some(Turn::Return(Arc::clone(outcome))),
                Phase::Panicked => Some(Turn::Reject),
            };
            if let Some(turn) = turn {
                let known = state.followers.remove(id);
                drop(state);
                drop(known);
                self.role = match turn {
                    Turn::Run => Role::Leader(flight),
                    _ => Role::Alone,
                };
                return Some(turn);
            }
            let (Some(known), Some(waker)) = (state.followers.get_mut(id), waker) else {
                return None;
            };
            if known.as_ref().is_some_and(|known| known.will_wake(waker)) {
                return None;
            }
            if let Some(own) = own.take() {
                let old = known.replace(own);
                drop(state);
                drop(old);
                return None;
            }
            drop(state);
            own = Some(waker.clone());
        }
    }

    fn join(&self) -> Role {
        if !switch::is_enabled() {
            return Role::Alone;
        }
        let mut part = lock(self.flights.part(self.key));
        match part.entry(self.key) {
            Entry::Vacant(place) => Role::Leader(Arc::clone(place.insert(Flight::led()))),
            Entry::Occupied(known) => {
                let flight = Arc::clone(known.get());
                if flight.execution.is_running_here() {
                    // The body of this flight makes the call, so the call cannot wait for the end.
                    return Role::Alone;
                }
                let id = lock(&flight.state).followers.join(None);
                Role::Follower(flight, id)
            }
        }
    }

    /// Marks the start of the body, or of a poll of the body. A panic before
    /// [`end`](Running::end) rejects the waiting calls.
    pub(super) fn running(&mut self) -> Running<'_, 'f> {
        let execution = match &self.role {
            Role::Leader(flight) => executions::enter(&[flight.execution]),
            _ => executions::enter(&[]),
        };
        Running { member: self, _execution: execution, is_over: false }
    }

    /// Ends the flight with an outcome, and returns the outcome. Only shared outcomes are cloned.
    /// `signal` has the rejections of the layers inside.
    pub(super) fn complete<O: Clone + Send + Sync + 'static>(
        &mut self,
        out: O,
        signal: Option<&RejectionSignal>,
    ) -> O {
        let Role::Leader(flight) = mem::replace(&mut self.role, Role::Alone) else { return out };
        self.flights.remove(self.key, &flight);
        let mut state = lock(&flight.state);
        if state.followers.is_empty() {
            return out;
        }
        let shared = Arc::new(Shared::new(out, flight.execution, signal));
        state.phase = Phase::Done(Arc::clone(&shared) as SharedOutcome);
        let followers = mem::replace(&mut state.followers, Waiters::new());
        drop(state);
        wake(followers);
        shared.outcome.clone()
    }

    #[cold]
    fn panicked(&mut self) {
        let Role::Leader(flight) = mem::replace(&mut self.role, Role::Alone) else { return };
        self.flights.remove(self.key, &flight);
        let mut state = lock(&flight.state);
        state.phase = Phase::Panicked;
        let followers = mem::replace(&mut state.followers, Waiters::new());
        drop(state);
        wake(followers);
    }

    /// Leaves the flight before the outcome is known. A waiting call takes over.
    #[cold]
    pub(super) fn leave(&mut self) {
        let (flight, id) = match mem::replace(&mut self.role, Role::Alone) {
            Role::Leader(flight) => (flight, None),
            Role::Follower(flight, id) => (flight, Some(id)),
            Role::New | Role::Alone => return,
        };
        let mut part = lock(self.flights.part(self.key));
        let mut state = lock(&flight.state);
        let own = if let Some(id) = id {
            state.followers.remove(id)
        } else {
            state.phase = Phase::Free;
            // The next call that runs a body has facts of its own.
            let _ = execution_facts::take(flight.execution);
            None
        };
        let mut next = None;
        if let Phase::Free = state.phase {
            next = state.first_waker();
            if state.followers.is_empty() {
                part.remove(&self.key);
            }
        }
        drop(state);
        drop(part);
        drop(own);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A running body. Dropped by a panic, rejects the waiting calls.
pub(super) struct Running<'m, 'f> {
    member: &'m mut Member<'f>,
    _execution: InExecutions,
    is_over: bool,
}

impl Running<'_, '_> {
    /// Marks the end of the body, or of a poll of the body.
    pub(super) fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Running<'_, '_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.member.panicked();
        }
    }
}
