//! The context of the call that runs on the current task.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::task::{Context, Poll};
use std::cell::RefCell;
use std::sync::Arc;

use pin_project_lite::pin_project;

use crate::digest::hex;
use crate::key::{RecordKey, ScopeKey};
use crate::secret::Secret;
use resilience_core::__internal::observe_lost_attempts;

/// The context of the idempotent call that runs on the current task.
///
/// # Examples
/// ```
/// use resilience::idempotent::IdempotencyContext;
///
/// // Inside of a function with `#[idempotent]`:
/// if let Some(call) = IdempotencyContext::current() {
///     let header = call.child_key("stripe"); // equal in every attempt of this call
/// }
/// ```
#[derive(Clone)]
pub struct IdempotencyContext(Arc<Inner>);

struct Inner {
    name: &'static str,
    key: RecordKey,
    scope: Option<ScopeKey>,
    fence: u64,
    attempt: u32,
    secret: Secret,
    has_lost_attempt: AtomicBool,
}

thread_local! {
    static CURRENT: RefCell<Option<IdempotencyContext>> = const { RefCell::new(None) };
}

impl IdempotencyContext {
    pub(super) fn new(
        name: &'static str,
        key: RecordKey,
        scope: Option<ScopeKey>,
        fence: u64,
        attempt: u32,
        secret: Secret,
    ) -> Self {
        observe_lost_attempts(Self::lose_attempt);
        let has_lost_attempt = AtomicBool::new(false);
        Self(Arc::new(Inner { name, key, scope, fence, attempt, secret, has_lost_attempt }))
    }

    /// Returns the innermost call that runs on this task, or on this thread outside of a task.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Returns an idempotency key for a request that this call sends to another system: 32
    /// hexadecimal digits.
    ///
    /// The key is equal in every attempt of this call, and different for each `step`.
    #[must_use]
    pub fn child_key(&self, step: &str) -> String {
        let mut digest = self.0.secret.hasher("idem.child.v1");
        digest.raw(&self.0.key.0);
        digest.field(step.as_bytes());
        hex(digest.finish().get(..16).unwrap_or_default())
    }

    /// Returns a number that rises with every claim of this key, or 0 for a call without a claim.
    ///
    /// A call that has lost its lease has a lower fence than the call that took over. A system
    /// that rejects lower fences than the highest seen fence therefore rejects its writes. Such a
    /// system also rejects the writes of a call that runs without a claim, with
    /// [`FailOpen`](crate::OnStoreError::FailOpen).
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.0.fence
    }

    /// Returns the number of claims of this key, including the current claim. Starts at 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Returns the name of the function.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Returns the key of the record.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        self.0.key
    }

    /// Returns whether a retry inside of this call has ended with a failure that was not sent,
    /// after an attempt that may have been applied. The failure proves nothing about this call.
    #[doc(hidden)]
    #[must_use]
    pub fn has_lost_attempt(&self) -> bool {
        self.0.has_lost_attempt.load(Relaxed)
    }

    /// Records such a retry for the call that runs on this thread.
    fn lose_attempt() {
        // The thread-local is unavailable while the thread ends.
        let _ = CURRENT.try_with(|current| {
            if let Some(call) = &*current.borrow() {
                call.0.has_lost_attempt.store(true, Relaxed);
            }
        });
    }

    /// Returns the hash of the scope. The steps of this call count for the same scope.
    pub(super) fn scope_key(&self) -> Option<ScopeKey> {
        self.0.scope
    }

    /// Runs `body` inside of this call.
    pub(super) fn scope<T>(&self, body: impl FnOnce() -> T) -> T {
        let _entered = EnterGuard::new(self.clone());
        body()
    }
}

impl fmt::Debug for IdempotencyContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyContext")
            .field("name", &self.0.name)
            .field("key", &self.0.key)
            .field("fence", &self.0.fence)
            .field("attempt", &self.0.attempt)
            .finish()
    }
}

/// A guard that restores the previous context on drop, also after a panic.
struct EnterGuard(Option<IdempotencyContext>);

impl EnterGuard {
    fn new(call: IdempotencyContext) -> Self {
        let outer = CURRENT.try_with(|current| current.borrow_mut().replace(call));
        Self(outer.ok().flatten())
    }
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let outer = self.0.take();
        // The thread-local is unavailable while the thread ends.
        let _ended = CURRENT.try_with(|current| {
            let mut current = current.borrow_mut();
            if let (Some(outer), Some(ended)) = (&outer, &*current) {
                // A lost attempt of a step is a lost attempt of the call around the step.
                outer.0.has_lost_attempt.fetch_or(ended.has_lost_attempt(), Relaxed);
            }
            core::mem::replace(&mut *current, outer)
        });
    }
}

pin_project! {
    /// A future that sets the current call during each poll.
    pub(super) struct InContext<F> {
        pub(super) call: IdempotencyContext,
        #[pin]
        pub(super) body: F,
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.call.scope(|| this.body.poll(cx))
    }
}
