//! The scope of an attempt: sets the deadline of the call and the retry for the code inside.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

pub use super::current::Setter;
use super::current::{
    AttemptGuard, AttemptWord, DeadlineGuard, NO_DEADLINE, NamedGuard, enter_attempt,
    enter_deadline, enter_named,
};
use crate::clock::Timestamp;

/// An attempt of a retry, with a scope.
pub trait Attempt {
    /// Restores the context.
    type Guard;

    /// Starts the scope.
    fn enter(&self) -> Self::Guard;
}

impl<A: Attempt> Attempt for &A {
    type Guard = A::Guard;

    #[inline]
    fn enter(&self) -> A::Guard {
        (**self).enter()
    }
}

/// An attempt in a local, lent to the layer around the code of the user: the layers in between need
/// no future of their own.
pub trait LentAttempt: Attempt {
    /// The future in the scope.
    type Scoped<'a, F: Future>: Future<Output = F::Output>
    where
        Self: 'a;

    /// Returns the future in the scope.
    fn scoped<F: Future>(&self, future: F) -> Self::Scoped<'_, F>;
}

/// Starts the scope of an attempt of a sync function.
#[inline]
pub fn enter_attempt_of<A: Attempt>(attempt: &A) -> A::Guard {
    attempt.enter()
}

/// Returns the future in the scope of an attempt.
#[inline]
pub fn in_attempt<A: LentAttempt, F: Future>(attempt: &A, future: F) -> A::Scoped<'_, F> {
    attempt.scoped(future)
}

/// An attempt of an annotated function with a deadline or with `nested`.
#[derive(Clone, Copy, Debug)]
pub struct ScopedAttempt {
    deadline: Timestamp,
    setter: &'static Setter,
    attempt: AttemptWord,
}

/// Returns an attempt with the deadline of the call, if any.
#[inline]
#[must_use]
pub fn scoped_attempt(
    deadline: Option<Timestamp>,
    setter: &'static Setter,
    attempt: u32,
) -> ScopedAttempt {
    let attempt = AttemptWord::with(deadline, attempt, setter.outer_only);
    ScopedAttempt { deadline: deadline.unwrap_or(NO_DEADLINE), setter, attempt }
}

impl Attempt for ScopedAttempt {
    type Guard = (DeadlineGuard, AttemptGuard);

    #[inline]
    fn enter(&self) -> Self::Guard {
        let Self { deadline, setter, attempt } = *self;
        let deadline = enter_deadline(deadline, setter, false, attempt.call());
        (deadline, enter_attempt(setter, attempt))
    }
}

impl LentAttempt for ScopedAttempt {
    type Scoped<'a, F: Future> = NestedAttempt<&'a Self, F>;

    #[inline]
    fn scoped<F: Future>(&self, future: F) -> NestedAttempt<&Self, F> {
        in_nested_attempt(self, future)
    }
}

/// An attempt of a policy by hand, or of a layer.
#[derive(Clone, Copy, Debug)]
pub struct NamedAttempt {
    deadline: Option<Timestamp>,
    setter: Setter,
    attempt: AttemptWord,
}

/// Returns an attempt of a policy by hand with the deadline of the call, if any.
#[inline]
#[must_use]
pub fn named_attempt(deadline: Option<Timestamp>, setter: Setter, attempt: u32) -> NamedAttempt {
    let attempt = AttemptWord::with(deadline, attempt, setter.outer_only);
    NamedAttempt { deadline, setter, attempt }
}

impl Attempt for NamedAttempt {
    type Guard = NamedGuard;

    #[inline]
    fn enter(&self) -> NamedGuard {
        enter_named(self.deadline, self.setter.name, self.attempt)
    }
}

impl LentAttempt for NamedAttempt {
    type Scoped<'a, F: Future> = NestedAttempt<&'a Self, F>;

    #[inline]
    fn scoped<F: Future>(&self, future: F) -> NestedAttempt<&Self, F> {
        in_nested_attempt(self, future)
    }
}

/// An attempt of a retry without a deadline and without `nested`.
///
/// Only the report of nested retries reads the scope, so the scope exists only where the report is
/// visible: with the feature `figures`, `log` or `tracing`.
#[derive(Clone, Copy, Debug)]
pub struct PlainAttempt {
    #[cfg(any(feature = "figures", feature = "log", feature = "tracing"))]
    setter: &'static Setter,
    #[cfg(any(feature = "figures", feature = "log", feature = "tracing"))]
    attempt: AttemptWord,
}

#[cfg(any(feature = "figures", feature = "log", feature = "tracing"))]
mod plain {
    use super::{
        Attempt, AttemptGuard, AttemptWord, Future, LentAttempt, NestedAttempt, PlainAttempt,
        Setter, enter_attempt, in_nested_attempt,
    };

    /// Returns an attempt without a deadline and without `nested`.
    #[inline]
    #[must_use]
    pub fn plain_attempt(setter: &'static Setter, attempt: u32) -> PlainAttempt {
        PlainAttempt { setter, attempt: AttemptWord::new(attempt, setter.outer_only) }
    }

    impl Attempt for PlainAttempt {
        type Guard = AttemptGuard;

        #[inline]
        fn enter(&self) -> AttemptGuard {
            enter_attempt(self.setter, self.attempt)
        }
    }

    impl LentAttempt for PlainAttempt {
        type Scoped<'a, F: Future> = NestedAttempt<&'a Self, F>;

        #[inline]
        fn scoped<F: Future>(&self, future: F) -> NestedAttempt<&Self, F> {
            in_nested_attempt(self, future)
        }
    }
}

#[cfg(not(any(feature = "figures", feature = "log", feature = "tracing")))]
mod plain {
    use super::{Attempt, Future, LentAttempt, PlainAttempt, Setter};

    /// The absence of a scope.
    #[derive(Debug)]
    pub struct NoGuard;

    /// Returns an attempt without a scope.
    #[inline]
    #[must_use]
    pub fn plain_attempt(_: &'static Setter, _: u32) -> PlainAttempt {
        PlainAttempt {}
    }

    impl Attempt for PlainAttempt {
        type Guard = NoGuard;

        #[inline]
        fn enter(&self) -> NoGuard {
            NoGuard
        }
    }

    impl LentAttempt for PlainAttempt {
        type Scoped<'a, F: Future> = F;

        #[inline]
        fn scoped<F: Future>(&self, future: F) -> F {
            future
        }
    }
}

pub use self::plain::plain_attempt;

pin_project! {
    /// The future of an attempt, with the deadline of the call and the retry.
    #[must_use = "futures do nothing unless awaited"]
    pub struct NestedAttempt<A, F> {
        #[pin]
        future: F,
        attempt: A,
    }
}

/// Returns the future in the scope of an attempt of its own.
#[inline]
pub fn in_nested_attempt<A: Attempt, F: Future>(attempt: A, future: F) -> NestedAttempt<A, F> {
    NestedAttempt { future, attempt }
}

impl<A: Attempt, F: Future> Future for NestedAttempt<A, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = this.attempt.enter();
        this.future.poll(cx)
    }
}

impl<A: fmt::Debug, F> fmt::Debug for NestedAttempt<A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NestedAttempt").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
