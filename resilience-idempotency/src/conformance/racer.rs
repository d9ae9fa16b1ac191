//! A future that runs concurrently: a task on a tokio runtime, a thread elsewhere.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};

use resilience_core::__internal::spawn_on_tokio;

/// The output or the panic of a racer.
type End<T> = thread::Result<T>;

pub(super) struct Racer<T>(Arc<Mutex<Lane<T>>>);

struct Lane<T> {
    end: Option<End<T>>,
    waiting: Option<Waker>,
}

fn lock<T>(lane: &Mutex<Lane<T>>) -> MutexGuard<'_, Lane<T>> {
    lane.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + 'static> Racer<T> {
    pub(super) fn start(future: impl Future<Output = T> + Send + 'static) -> Self {
        let lane = Arc::new(Mutex::new(Lane { end: None, waiting: None }));
        let end = Arc::clone(&lane);
        let work = Box::pin(async move {
            let mut future = pin!(future);
            let result =
                poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                    Ok(poll) => poll.map(Ok),
                    Err(panic) => Poll::Ready(Err(panic)),
                });
            let result = result.await;
            let mut lane = lock(&end);
            lane.end = Some(result);
            let waiting = lane.waiting.take();
            drop(lane);
            waiting.into_iter().for_each(Waker::wake);
        });
        if let Err(work) = spawn_on_tokio(work) {
            thread::spawn(|| block_on(work));
        }
        Self(lane)
    }

    /// Returns the output. A panic of the racer continues in the caller.
    pub(super) async fn end(self) -> T {
        let end = poll_fn(|cx| {
            let mut lane = lock(&self.0);
            lane.waiting = Some(cx.waker().clone());
            lane.end.take().map_or(Poll::Pending, Poll::Ready)
        });
        end.await.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// A waker that unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(out) => return out,
            Poll::Pending => thread::park(),
        }
    }
}
