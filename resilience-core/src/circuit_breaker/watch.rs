//! Whether a dropped future of a call has panicked itself.
//!
//! A future is dropped during unwinding for two reasons: its own poll panicked, or a neighbor of
//! the same task panicked, for example under `join!`. Only the first is a failure of the call. The
//! poll of the body knows the difference, at no cost: the code runs only during unwinding.

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::cell::Cell;

use pin_project_lite::pin_project;

use super::definition::{Defined, Definition};
use super::{CircuitBreaker, CircuitGuard, Trial};
use crate::clock::Timestamp;
use crate::rejection_signal::RejectionSignal;

thread_local! {
    /// The number of watched bodies whose poll is unwinding. The guard of each body takes one.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

pin_project! {
    /// The body of a call. See [`watched`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Watched<F> {
        #[pin]
        body: F,
    }
}

pin_project! {
    /// The body of a call that may be a trial call. See [`watched_trial`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct TrialBody<F> {
        trial: Trial,
        #[pin]
        body: Watched<F>,
    }
}

/// Reports a panic in the poll of `body` to the [`WatchedGuard`] of the call.
#[inline]
pub fn watched<F: Future>(body: F) -> Watched<F> {
    Watched { body }
}

/// As [`watched`], for the body of a call that may be a trial call, with calls of the breaker
/// inside.
#[inline]
pub fn watched_trial<F: Future>(trial: Trial, body: F) -> TrialBody<F> {
    TrialBody { trial, body: watched(body) }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let unwinding = OnUnwind;
        let out = self.project().body.poll(cx);
        mem::forget(unwinding);
        out
    }
}

impl<F: Future> Future for TrialBody<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.trial.scope(|| this.body.poll(cx))
    }
}

impl<F> core::fmt::Debug for TrialBody<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TrialBody").finish_non_exhaustive()
    }
}

impl<F> core::fmt::Debug for Watched<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

struct OnUnwind;

impl Drop for OnUnwind {
    #[cold]
    fn drop(&mut self) {
        // The thread may be ending, without thread-local values.
        let _ = PANICS.try_with(|panics| panics.set(panics.get().saturating_add(1)));
    }
}

/// The guard of a call whose body is [`watched`].
#[derive(Debug)]
#[must_use]
pub struct WatchedGuard<'b, D: Defined = Definition> {
    breaker: &'b CircuitBreaker<D>,
    seen: u64,
    started: Option<Timestamp>,
}

#[doc(hidden)]
impl<'b, D: Defined> CircuitGuard<'b, D> {
    /// Returns the guard for a call whose body is watched.
    #[inline]
    pub fn watch(self) -> WatchedGuard<'b, D> {
        let Self { breaker, seen, started } = self;
        mem::forget(self);
        WatchedGuard { breaker, seen, started }
    }
}

/// The guard of a call that may be dropped. A call that is dropped in the queue of a layer inside
/// says nothing about the dependency. The drop reports an open breaker to the layers outside.
#[derive(Debug)]
#[must_use]
pub struct ReportingGuard<'b, D: Defined = Definition> {
    breaker: &'b CircuitBreaker<D>,
    seen: u64,
    started: Option<Timestamp>,
    signal: &'b RejectionSignal,
}

impl<D: Defined> Drop for ReportingGuard<'_, D> {
    #[inline]
    fn drop(&mut self) {
        let &mut Self { breaker, seen, started, signal } = self;
        breaker.abandon_reported(seen, started, signal);
    }
}

#[doc(hidden)]
impl<'b, D: Defined> WatchedGuard<'b, D> {
    /// Returns the trial call for [`watched_trial`]. From now on the thread executes the body only
    /// while the body is polled.
    #[inline]
    #[must_use]
    pub fn trial(&self) -> Trial {
        let trial = Trial::of(&self.breaker.state, self.seen);
        if !trial.is_none() {
            trial.leave();
        }
        trial
    }

    /// Returns the guard for a call that may be dropped.
    #[inline]
    pub fn report_to(self, signal: &'b RejectionSignal) -> ReportingGuard<'b, D> {
        let Self { breaker, seen, started } = self;
        mem::forget(self);
        ReportingGuard { breaker, seen, started, signal }
    }
}

impl<'b, D: Defined> ReportingGuard<'b, D> {
    /// Records a success of an annotated function.
    #[inline]
    pub fn success(self) {
        self.unwatch().success();
    }

    /// Returns the guard after the end of the body, which reports by itself.
    #[inline]
    pub fn unwatch(self) -> CircuitGuard<'b, D> {
        let Self { breaker, seen, started, .. } = self;
        mem::forget(self);
        CircuitGuard { breaker, seen, started }
    }
}

impl<'b, D: Defined> WatchedGuard<'b, D> {
    /// Records a success of an annotated function.
    #[inline]
    pub fn success(self) {
        self.unwatch().success();
    }

    /// Returns the guard after the end of the body.
    #[inline]
    pub fn unwatch(self) -> CircuitGuard<'b, D> {
        let Self { breaker, seen, started } = self;
        mem::forget(self);
        CircuitGuard { breaker, seen, started }
    }
}

impl<D: Defined> CircuitBreaker<D> {
    /// Records a call whose watched guard was dropped without a report.
    #[cold]
    #[inline(never)]
    fn abandon_watched(&self, seen: u64, started: Option<Timestamp>) {
        let take = |panics: &Cell<u32>| panics.replace(panics.get().saturating_sub(1)) > 0;
        let panicked = std::thread::panicking() && PANICS.try_with(take).unwrap_or(false);
        self.cancel(seen, started, panicked);
    }

    /// Records a call whose reporting guard was dropped without a report.
    #[cold]
    #[inline(never)]
    fn abandon_reported(&self, seen: u64, started: Option<Timestamp>, signal: &RejectionSignal) {
        if signal.is_in_queue() {
            CircuitGuard { breaker: self, seen, started }.ignore();
        } else {
            self.abandon_watched(seen, started);
        }
        self.report_open(signal);
    }
}

impl<D: Defined> Drop for WatchedGuard<'_, D> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.abandon_watched(self.seen, self.started);
    }
}
