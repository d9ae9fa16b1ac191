//! A future with a context of its own.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use super::current::{CallId, Values, ValuesGuard, new_call, replace};
use super::executions::{self, ExecutionId, InExecutions};

pin_project! {
    /// A future that runs in a context; made by [`Context::scope`](super::Context::scope) and
    /// [`carry`](super::carry).
    #[must_use = "futures do nothing unless awaited"]
    pub struct InContext<F> {
        #[pin]
        future: Option<F>,
        values: Values,
        // The future as a call with the deadline of `values`.
        call: CallId,
        // The executions of the code that made the future.
        executions: Box<[ExecutionId]>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            // A destructor in the future sees the context as well.
            let mut this = this.project();
            let _scope = enter(*this.values, *this.call, this.executions);
            this.future.set(None);
        }
    }
}

impl<F> InContext<F> {
    pub(super) fn new(future: F, values: Values, executions: Box<[ExecutionId]>) -> Self {
        Self { future: Some(future), values, call: new_call(), executions }
    }
}

fn enter(values: Values, call: CallId, executions: &[ExecutionId]) -> (ValuesGuard, InExecutions) {
    (replace(values, call), executions::enter(executions))
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = enter(*this.values, *this.call, this.executions);
        // The future is present until the drop.
        this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
    }
}

impl<F> fmt::Debug for InContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InContext").field("values", &self.values).finish_non_exhaustive()
    }
}
