//! A call of a service that is retried.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::fmt::Display;
use std::sync::Arc;

use http::HeaderMap;
use pin_project_lite::pin_project;
use resilience_core::__internal::{Delay, Level, RetryState, Shown, Sleep, Spending, WaitMode};
use resilience_core::{Backoff, FailureKind, RetryPolicy};
use tower_service::Service;

use super::replay::Replay;
use super::retry::Settings;
use crate::error::HttpError;
use crate::key::IDEMPOTENCY_KEY;
use crate::response::HttpResponse;

/// How far one call has come.
#[derive(Debug)]
pub(super) struct Call {
    state: RetryState,
    spending: Spending<'static>,
    idempotent: bool,
    keyed: bool,
}

impl Call {
    pub(super) fn begin<B>(policy: &RetryPolicy<B>, headers: &HeaderMap, idempotent: bool) -> Self {
        let (state, spending) = (RetryState::begin(policy), RetryState::spending(policy));
        Self { state, spending, idempotent, keyed: headers.contains_key(IDEMPOTENCY_KEY) }
    }

    /// Whether no attempt is allowed after the one that is about to be made.
    pub(super) fn is_last<B>(&self, policy: &RetryPolicy<B>) -> bool {
        self.state.attempt(policy).is_last()
    }

    /// The wait before another attempt; `None` where `out` stands. `replayable` is whether there is a
    /// request for one.
    fn follow<R: HttpResponse, E: HttpError + Display, B: Backoff, C>(
        &mut self,
        settings: &Settings<B, C>,
        out: &Result<R, E>,
        replayable: bool,
    ) -> Option<Delay> {
        let rules = if self.keyed { settings.rules.keyed(true) } else { settings.rules };
        let status;
        let (class, shown) = match out {
            Ok(response) => {
                let class = rules.response(response);
                if class.kind == FailureKind::Permanent {
                    self.spending.succeeded();
                    return None;
                }
                status = response.status();
                (class, Shown::Display(&status))
            }
            Err(error) => (rules.error(error), Shown::Display(error)),
        };
        let policy = settings.policy.borrowed().at("retry", WaitMode::Async);
        let policy = policy.idempotent(self.idempotent).replayable(replayable);
        self.state.next(&policy, Some(&self.spending), class, Some((Level::Warn, shown)))
    }
}

pin_project! {
    /// See [`RetryService`](super::RetryService).
    #[must_use]
    pub struct RetryFuture<S: Service<Request>, Request, B, C> {
        settings: Arc<Settings<B, C>>,
        service: S,
        call: Call,
        // For the next attempt.
        request: Option<Request>,
        #[pin]
        step: Step<S::Future>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F> {
        Called { #[pin] future: F },
        Waiting { #[pin] wait: Sleep },
        GettingReady,
    }
}

impl<S: Service<Request>, Request, B, C: Replay<Request>> RetryFuture<S, Request, B, C> {
    pub(super) fn start(
        settings: Arc<Settings<B, C>>,
        mut service: S,
        call: Call,
        request: Request,
    ) -> Self {
        let copy = settings.copy(&call, &request);
        let step = Step::Called { future: service.call(request) };
        Self { settings, service, call, request: copy, step }
    }
}

impl<S, Request, B, C> Future for RetryFuture<S, Request, B, C>
where
    S: Service<Request, Response: HttpResponse, Error: HttpError + Display>,
    B: Backoff,
    C: Replay<Request>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.step.as_mut().project() {
                StepProjection::Called { future } => {
                    let out = ready!(future.poll(cx));
                    let pause = this.call.follow(this.settings, &out, this.request.is_some());
                    let Some(pause) = pause else { return Poll::Ready(out) };
                    // Nothing that the failure holds is kept through the wait.
                    drop(out);
                    this.step.set(Step::Waiting { wait: pause.wait() });
                }
                StepProjection::Waiting { wait } => {
                    ready!(wait.poll(cx));
                    this.step.set(Step::GettingReady);
                }
                StepProjection::GettingReady => {
                    ready!(this.service.poll_ready(cx))?;
                    // There is one, or there would have been no wait.
                    let Some(request) = this.request.take() else { return Poll::Pending };
                    *this.request = this.settings.copy(this.call, &request);
                    this.call.spending.retrying();
                    let future = this.service.call(request);
                    this.step.set(Step::Called { future });
                }
            }
        }
    }
}

impl<S: Service<Request>, Request, B, C> core::fmt::Debug for RetryFuture<S, Request, B, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RetryFuture").field("call", &self.call).finish_non_exhaustive()
    }
}
