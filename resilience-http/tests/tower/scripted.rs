//! A service that answers by script, and is strict about being asked whether it is ready.

use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::Service;

/// What is done with a request. The last of a script repeats.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Status(u16),
    /// The same with a `Retry-After`.
    After(u16, &'static str),
    Fail(io::ErrorKind),
    Hang,
    Panic,
}

#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    seen: Arc<Seen>,
    /// Not for the clones of it, each of which has to be asked.
    ready: Asked,
}

#[derive(Debug, Default)]
struct Asked(bool);

impl Clone for Asked {
    fn clone(&self) -> Self {
        Self(false)
    }
}

#[derive(Debug, Default)]
struct Seen {
    script: Mutex<VecDeque<Act>>,
    requests: Mutex<Vec<Request<String>>>,
    bodies: Arc<AtomicUsize>,
    broken: Mutex<bool>,
    pauses: AtomicUsize,
}

/// The body of an answer, counted while it is kept.
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
        let seen = Seen::default();
        locked(&seen.script).extend(script);
        Self { seen: Arc::new(seen), ready: Asked(false) }
    }

    /// How many requests it has received.
    pub(crate) fn calls(&self) -> usize {
        locked(&self.seen.requests).len()
    }

    /// A header of each request received.
    pub(crate) fn headers(&self, name: &str) -> Vec<Option<String>> {
        let text = |request: &Request<String>| {
            request.headers().get(name).map(|it| it.to_str().expect("text").to_owned())
        };
        locked(&self.seen.requests).iter().map(text).collect()
    }

    /// The bodies of the requests received.
    pub(crate) fn bodies(&self) -> Vec<String> {
        locked(&self.seen.requests).iter().map(|request| request.body().clone()).collect()
    }

    /// How many bodies of its answers are still kept by somebody.
    pub(crate) fn kept(&self) -> usize {
        self.seen.bodies.load(SeqCst)
    }

    /// From now on it is not ready any more, and says so.
    pub(crate) fn break_down(&self) {
        *locked(&self.seen.broken) = true;
    }

    /// It is ready only when it has been asked so many times more.
    pub(crate) fn pause(&self, times: usize) {
        self.seen.pauses.store(times, SeqCst);
    }
}

impl Service<Request<String>> for Scripted {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if *locked(&self.seen.broken) {
            return Poll::Ready(Err(io::Error::other("broken down")));
        }
        if self.seen.pauses.load(SeqCst) > 0 {
            self.seen.pauses.fetch_sub(1, SeqCst);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ready = Asked(true);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready).0, "called without having said that it is ready");
        locked(&self.seen.requests).push(request);
        let mut script = locked(&self.seen.script);
        let act = if script.len() > 1 { script.pop_front() } else { script.front().copied() };
        let answer = |status, after| {
            self.seen.bodies.fetch_add(1, SeqCst);
            let mut answer = Response::builder().status(status);
            if let Some(after) = after {
                answer = answer.header("retry-after", after);
            }
            let body = Body(Arc::clone(&self.seen.bodies));
            Box::pin(ready(Ok(answer.body(body).expect("an answer"))))
        };
        match act.expect("a script") {
            Act::Status(status) => answer(status, None::<&str>),
            Act::After(status, after) => answer(status, Some(after)),
            Act::Fail(kind) => Box::pin(ready(Err(kind.into()))),
            Act::Hang => Box::pin(pending()),
            Act::Panic => Box::pin(poll_fn(|_| panic!("as told"))),
        }
    }
}
