//! A service behind a gate: a layer that admits, delays or rejects each call.
//!
//! A call passes three stages: admission by the gate, readiness of the service, and the call. The
//! order matters. A rejection must not depend on the readiness of the service, and neither a
//! rejected nor a delayed call may hold a reservation of the service, such as the permit of a
//! concurrency limit.
//!
//! While the gate is clear, `poll_ready` passes the readiness of the service on, so backpressure
//! works as without the layer. A call that is admitted at once is sent at once, or by the first
//! poll of its future if the gate counts sent requests. Otherwise `poll_ready` is ready at once,
//! and an admitted call waits for the service inside the future of the call.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use resilience_core::__internal::reject;
use resilience_core::Rejected;
use tower_service::Service;

use super::BoxError;
use super::handover::Handover;
use super::readiness_watch::{ReadinessWatch, Watched};
use crate::ready_service::take_ready;

/// Decides about the calls with requests `Request` and outcomes `Result<R, E>`.
pub trait Gate<Request, R, E> {
    /// The admission of a call, held until the call ends.
    type Permit: Permit<R, E>;

    /// Decides about a call.
    fn enter(&self, request: &Request) -> Entry<Self::Permit>;

    /// Returns whether the gate would admit any call at once.
    fn is_clear(&self) -> bool {
        true
    }

    /// Returns the breaker whose opening ends a wait for the service, if any.
    fn watched(&self) -> Option<Watched> {
        None
    }

    /// Observes an error of `poll_ready`, and returns the outcome unchanged.
    fn observe_unready(&self, out: Result<R, E>) -> Result<R, E> {
        out
    }

    /// Observes a panic of `poll_ready`.
    fn panicked_unready(&self) {}
}

/// The admission of a call. A permit that is dropped without a report belongs to a cancelled call.
pub trait Permit<R, E>: Sized {
    /// Whether the future of the call sends the request. A permit for sent requests then returns
    /// from a future that is never polled.
    const IS_SENT_BY_FUTURE: bool = false;

    /// Returns whether the gate has closed for this call, which still waits for the service.
    fn is_revoked(&self) -> bool {
        false
    }

    /// Returns the breaker whose opening revokes the admission, if any.
    fn watched(&self) -> Option<Watched> {
        None
    }

    /// Decides again, after a wait for the service.
    fn renew(self) -> Entry<Self> {
        Entry::Admitted(self)
    }

    /// Observes that the request goes to the service, from the gate outside if any.
    fn hand_over(&mut self, from_outside: Option<Handover>) -> Option<Handover> {
        from_outside
    }

    /// Observes the outcome of the call, and returns the outcome unchanged.
    fn finish(self, out: Result<R, E>) -> Result<R, E> {
        out
    }

    /// Executes a part of the call.
    fn within<T>(&self, run: impl FnOnce() -> T) -> T {
        run()
    }

    /// Observes a panic of the service.
    fn panicked(self) {}
}

/// The decision of a gate.
pub enum Entry<P> {
    /// The call may start.
    Admitted(P),
    /// The decision takes time.
    Waiting(PendingEntry<P>),
    /// The call is rejected.
    Rejected(Rejected),
}

/// A decision that takes time.
pub(super) type PendingEntry<P> = Pin<Box<dyn Future<Output = Result<P, Rejected>> + Send>>;

impl<P> Entry<P> {
    /// Decides at once if `wait` needs no time.
    pub(super) fn by(wait: impl Future<Output = Result<P, Rejected>> + Send + 'static) -> Self {
        let mut wait: PendingEntry<P> = Box::pin(wait);
        // The future of the call polls again with the waker of the task.
        match wait.as_mut().poll(&mut Context::from_waker(core::task::Waker::noop())) {
            Poll::Ready(decision) => decision.map_or_else(Self::Rejected, Self::Admitted),
            Poll::Pending => Self::Waiting(wait),
        }
    }
}

impl<P> fmt::Debug for Entry<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admitted(_) => "Admitted",
            Self::Waiting(_) => "Waiting",
            Self::Rejected(_) => "Rejected",
        })
    }
}

/// A service under a layer that admits, delays or rejects calls.
#[derive(Debug)]
pub struct GatedService<S, G> {
    service: S,
    gate: G,
    readiness: Readiness,
    watch: ReadinessWatch,
}

/// The reservation of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Unasked,
    /// Possibly a place in a queue.
    Pending,
    Ready,
}

impl<S, G> GatedService<S, G> {
    pub(super) fn new(service: S, gate: G) -> Self {
        let watch = ReadinessWatch::default();
        Self { service, gate, readiness: Readiness::Unasked, watch }
    }
}

impl<S: Clone, G> GatedService<S, G> {
    /// Gives back what `poll_ready` has reserved: a clone holds no reservation.
    fn release(&mut self) {
        self.watch.end();
        if mem::replace(&mut self.readiness, Readiness::Unasked) != Readiness::Unasked {
            self.service = self.service.clone();
        }
    }
}

impl<S: Clone, G: Clone> Clone for GatedService<S, G> {
    fn clone(&self) -> Self {
        Self::new(self.service.clone(), self.gate.clone())
    }
}

impl<S, G, Request> Service<Request> for GatedService<S, G>
where
    S: Service<Request, Error: Into<BoxError>> + Clone,
    G: Gate<Request, S::Response, S::Error>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = GatedFuture<S, Request, G::Permit>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if !self.gate.is_clear() {
            self.release();
            return Poll::Ready(Ok(()));
        }
        let Self { service, gate, .. } = self;
        let report = || G::panicked_unready(gate);
        let ready = match reporting(report, || service.poll_ready(cx)) {
            Poll::Ready(ready) => ready,
            Poll::Pending => {
                self.readiness = Readiness::Pending;
                if let Some(watched) = self.gate.watched() {
                    self.watch.begin(watched, cx.waker());
                }
                // The gate may have closed before the watch began.
                if self.gate.is_clear() {
                    return Poll::Pending;
                }
                self.release();
                return Poll::Ready(Ok(()));
            }
        };
        self.watch.end();
        match ready {
            Ok(()) => {
                self.readiness = Readiness::Ready;
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                let out = self.gate.observe_unready(Err(error));
                Poll::Ready(out.map(drop).map_err(Into::into))
            }
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_ready = self.readiness == Readiness::Ready;
        let handover = Handover::take();
        let entry = self.gate.enter(&request);
        if let (Entry::Admitted(_), true) = (&entry, is_ready) {
            self.readiness = Readiness::Unasked;
        } else {
            self.release();
        }
        let (step, permit) = match entry {
            Entry::Admitted(permit) if is_ready && !G::Permit::IS_SENT_BY_FUTURE => {
                let mut permit = Some(permit);
                let service = &mut self.service;
                let future = send(&mut permit, handover, || service.call(request));
                return GatedFuture::new(Step::Called { future }, permit, None);
            }
            Entry::Admitted(permit) => (Step::AwaitingReadiness, Some(permit)),
            Entry::Waiting(wait) => (Step::Entering { wait }, None),
            Entry::Rejected(rejected) => {
                return GatedFuture::new(Step::Rejected { rejected }, None, None);
            }
        };
        // Ready only after the immediate admission: the service is released otherwise.
        let service = take_ready(&mut self.service);
        GatedFuture::new(step, permit, Some(PendingCall { service, request, handover }))
    }
}

/// A call whose request was not sent yet.
#[derive(Debug)]
struct PendingCall<S, Request> {
    service: S,
    request: Request,
    /// The request of the gate outside.
    handover: Option<Handover>,
}

pin_project! {
    /// The future of a [`GatedService`].
    #[must_use]
    pub struct GatedFuture<S: Service<Request>, Request, P> {
        // Dropped first: the permit sees whether a gate inside still holds the request.
        permit: Option<P>,
        // `None` once the request was sent or rejected.
        pending: Option<PendingCall<S, Request>>,
        watch: ReadinessWatch,
        #[pin]
        step: Step<S::Future, P>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F, P> {
        Entering { wait: PendingEntry<P> },
        AwaitingReadiness,
        Called { #[pin] future: F },
        Rejected { rejected: Rejected },
        Ended,
    }
}

impl<S: Service<Request>, Request, P> GatedFuture<S, Request, P> {
    fn new(
        step: Step<S::Future, P>,
        permit: Option<P>,
        pending: Option<PendingCall<S, Request>>,
    ) -> Self {
        Self { permit, pending, watch: ReadinessWatch::default(), step }
    }
}

impl<S, Request, P> Future for GatedFuture<S, Request, P>
where
    S: Service<Request, Error: Into<BoxError>> + Clone,
    P: Permit<S::Response, S::Error>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.step.as_mut().project() {
                StepProjection::Entering { wait } => match ready!(wait.as_mut().poll(cx)) {
                    Ok(permit) => {
                        *this.permit = Some(permit);
                        Step::AwaitingReadiness
                    }
                    Err(rejected) => Step::Rejected { rejected },
                },
                StepProjection::AwaitingReadiness => {
                    let (Some(pending), true) = (this.pending.as_mut(), this.permit.is_some())
                    else {
                        return Poll::Pending;
                    };
                    let ready = observed(this.permit, || pending.service.poll_ready(cx));
                    if ready.is_pending() {
                        if let Some(watched) = this.permit.as_ref().and_then(P::watched) {
                            this.watch.begin(watched, cx.waker());
                        }
                        if !this.permit.as_ref().is_some_and(P::is_revoked) {
                            return Poll::Pending;
                        }
                    } else {
                        this.watch.end();
                    }
                    if let Poll::Ready(Err(error)) = ready {
                        *this.pending = None;
                        this.step.set(Step::Ended);
                        let out = finish(this.permit, Err(error));
                        return Poll::Ready(out.map_err(Into::into));
                    }
                    match this.permit.take().map(P::renew) {
                        Some(Entry::Admitted(permit)) if ready.is_pending() => {
                            *this.permit = Some(permit);
                            return Poll::Pending;
                        }
                        Some(Entry::Admitted(permit)) => {
                            let Some(PendingCall { mut service, request, handover }) =
                                this.pending.take()
                            else {
                                return Poll::Pending;
                            };
                            *this.permit = Some(permit);
                            let future = send(this.permit, handover, || service.call(request));
                            Step::Called { future }
                        }
                        Some(Entry::Waiting(wait)) => {
                            pending.service = pending.service.clone();
                            Step::Entering { wait }
                        }
                        Some(Entry::Rejected(rejected)) => Step::Rejected { rejected },
                        None => Step::Ended,
                    }
                }
                StepProjection::Called { future } => {
                    let out = ready!(observed(this.permit, || future.poll(cx)));
                    // The future of the service may hold a reservation.
                    this.step.set(Step::Ended);
                    let out = finish(this.permit, out);
                    return Poll::Ready(out.map_err(Into::into));
                }
                StepProjection::Rejected { rejected } => {
                    let rejected = rejected.clone();
                    *this.pending = None;
                    this.watch.end();
                    this.step.set(Step::Ended);
                    return Poll::Ready(reject(rejected));
                }
                // Polled after completion.
                StepProjection::Ended => return Poll::Pending,
            };
            this.step.set(next);
        }
    }
}

impl<S: Service<Request>, Request, P> fmt::Debug for GatedFuture<S, Request, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatedFuture").finish_non_exhaustive()
    }
}

fn finish<R, E, P: Permit<R, E>>(permit: &mut Option<P>, out: Result<R, E>) -> Result<R, E> {
    match permit.take() {
        Some(permit) => permit.finish(out),
        None => out,
    }
}

/// Calls the service with the request.
fn send<R, E, P: Permit<R, E>, T>(
    permit: &mut Option<P>,
    handover: Option<Handover>,
    call: impl FnOnce() -> T,
) -> T {
    let handover = match permit {
        Some(permit) => permit.hand_over(handover),
        None => handover,
    };
    observed(permit, || match handover {
        Some(handover) => handover.call(call),
        None => call(),
    })
}

/// Runs code of the service. A panic is reported while the panic unwinds: an outer layer may catch
/// the panic, and the future is dropped later, without a trace of the panic.
fn observed<R, E, P: Permit<R, E>, T>(permit: &mut Option<P>, run: impl FnOnce() -> T) -> T {
    let on_panic = OnPanic { permit, outcome: PhantomData };
    let out = match &*on_panic.permit {
        Some(permit) => permit.within(run),
        None => run(),
    };
    mem::forget(on_panic);
    out
}

struct OnPanic<'p, R, E, P: Permit<R, E>> {
    permit: &'p mut Option<P>,
    outcome: PhantomData<fn(R, E)>,
}

impl<R, E, P: Permit<R, E>> Drop for OnPanic<'_, R, E, P> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.panicked();
        }
    }
}

/// Runs code of the service, and `report` while a panic of this code unwinds.
fn reporting<T>(report: impl FnOnce(), run: impl FnOnce() -> T) -> T {
    struct OnUnwind<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for OnUnwind<F> {
        fn drop(&mut self) {
            if let Some(report) = self.0.take() {
                report();
            }
        }
    }
    let mut on_unwind = OnUnwind(Some(report));
    let out = run();
    on_unwind.0 = None;
    out
}
