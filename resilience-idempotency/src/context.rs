//! The call that is running on this task.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::cell::RefCell;
use std::sync::Arc;

use pin_project_lite::pin_project;

use crate::digest::hex;
use crate::key::RecordKey;
use crate::secret::Secret;

/// The idempotent call inside which this code runs.
///
/// ```
///
/// use resilience::idempotent::IdempotencyContext;
///
/// // InContext of a function with `#[idempotent]`:
/// if let Some(call) = IdempotencyContext::current() {
///     let header = call.child_key("stripe"); // the same each time this call runs again
/// }
/// ```
#[derive(Clone)]
pub struct IdempotencyContext(Arc<Inner>);

struct Inner {
    name: &'static str,
    key: RecordKey,
    fence: u64,
    attempt: u32,
    secret: Secret,
}

thread_local! {
    static CURRENT: RefCell<Option<IdempotencyContext>> = const { RefCell::new(None) };
}

impl IdempotencyContext {
    pub(super) fn new(
        name: &'static str,
        key: RecordKey,
        fence: u64,
        attempt: u32,
        secret: Secret,
    ) -> Self {
        Self(Arc::new(Inner { name, key, fence, attempt, secret }))
    }

    /// The innermost call that is running on this task, or on this thread where there is none.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// A key for a call that this one makes, to a system that has idempotency keys of its own: 32
    /// hexadecimal digits, the same whenever this call is run again, another for each `step`.
    #[must_use]
    pub fn child_key(&self, step: &str) -> String {
        let mut digest = self.0.secret.hasher("idem.child.v1");
        digest.raw(&self.0.key.0);
        digest.field(step.as_bytes());
        hex(digest.finish().get(..16).unwrap_or_default())
    }

    /// A number that rises with every claim of this key. A system that refuses a lower one than it has seen
    /// cannot be written to by a call that was taken for dead.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.0.fence
    }

    /// How often this key was claimed, with this time, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// The name of the function.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The key of the record.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        self.0.key
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

/// Puts back on drop, and so on a panic too, what was there before.
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
        // A thread that is ending has no call any more.
        let _ = CURRENT.try_with(|current| core::mem::replace(&mut *current.borrow_mut(), outer));
    }
}

pin_project! {
    /// A future each of whose steps runs inside of a call.
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
