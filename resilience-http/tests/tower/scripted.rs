//! A scripted service that requires `poll_ready` before each call.

use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::Service;

use crate::effects_of_a_test::Effects;

/// The treatment of a request. The last act of a script repeats.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Status(u16),
    /// A response with a `Retry-After`.
    After(u16, &'static str),
    Fail(io::ErrorKind),
    Hang,
    Panic,
}

#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    shared: Arc<Shared>,
    /// A clone starts without readiness.
    ready: IsReady,
}

#[derive(Debug, Default)]
struct IsReady(bool);

impl Clone for IsReady {
    fn clone(&self) -> Self {
        Self(false)
    }
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<VecDeque<Act>>,
    requests: Mutex<Vec<Request<String>>>,
    /// The requests that may have an effect: every method except GET and its like.
    effects: Effects,
    bodies: Arc<AtomicUsize>,
    broken: Mutex<bool>,
    pending_polls: AtomicUsize,
}

/// The body of a response; a counter holds the number of live bodies.
#[derive(Debug)]
pub(crate) struct Body(Arc<AtomicUsize>);

impl Drop for Body {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn locked<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().expect("no panic under the lock")
}

impl Scripted {
    pub(crate) fn new(script: &[Act]) -> Self {
        let shared = Shared::default();
        locked(&shared.script).extend(script);
        Self { shared: Arc::new(shared), ready: IsReady(false) }
    }

    /// Returns the number of received requests.
    pub(crate) fn calls(&self) -> usize {
        self.requests().len()
    }

    /// Returns the received requests, whose effects the test then expects.
    fn requests(&self) -> MutexGuard<'_, Vec<Request<String>>> {
        self.shared.effects.count();
        locked(&self.shared.requests)
    }

    /// Returns a header of each received request.
    pub(crate) fn headers(&self, name: &str) -> Vec<Option<String>> {
        let text = |request: &Request<String>| {
            request.headers().get(name).map(|it| it.to_str().expect("text").to_owned())
        };
        self.requests().iter().map(text).collect()
    }

    /// Returns the bodies of the received requests.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.body().clone()).collect()
    }

    /// Returns the number of live response bodies.
    pub(crate) fn live_bodies(&self) -> usize {
        self.shared.bodies.load(SeqCst)
    }

    /// Makes `poll_ready` fail from now on.
    pub(crate) fn fail_readiness(&self) {
        *locked(&self.shared.broken) = true;
    }

    /// Delays readiness by this number of polls.
    pub(crate) fn delay_readiness(&self, times: usize) {
        self.shared.pending_polls.store(times, SeqCst);
    }
}

impl Service<Request<String>> for Scripted {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if *locked(&self.shared.broken) {
            return Poll::Ready(Err(io::Error::other("service failed")));
        }
        if self.shared.pending_polls.load(SeqCst) > 0 {
            self.shared.pending_polls.fetch_sub(1, SeqCst);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ready = IsReady(true);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready).0, "called without `poll_ready`");
        if !request.method().is_safe() {
            self.shared.effects.increment();
        }
        locked(&self.shared.requests).push(request);
        let mut script = locked(&self.shared.script);
        let act = if script.len() > 1 { script.pop_front() } else { script.front().copied() };
        let response = |status, after| {
            self.shared.bodies.fetch_add(1, SeqCst);
            let mut response = Response::builder().status(status);
            if let Some(after) = after {
                response = response.header("retry-after", after);
            }
            let body = Body(Arc::clone(&self.shared.bodies));
            Box::pin(ready(Ok(response.body(body).expect("a response"))))
        };
        match act.expect("a script") {
            Act::Status(status) => response(status, None::<&str>),
            Act::After(status, after) => response(status, Some(after)),
            Act::Fail(kind) => Box::pin(ready(Err(kind.into()))),
            Act::Hang => Box::pin(pending()),
            Act::Panic => Box::pin(poll_fn(|_| panic!("scripted panic"))),
        }
    }
}
