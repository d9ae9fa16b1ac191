//! A future that runs concurrently: a task on a tokio runtime, a thread elsewhere.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};

/// The output or the panic of a racer.
type End<T> = thread::Result<T>;

pub(super) enum Racer<T> {
    #[cfg(feature = "tokio")]
    Task(tokio::task::JoinHandle<T>),
    Thread(Arc<Mutex<Lane<T>>>),
}

pub(super) struct Lane<T> {
    end: Option<End<T>>,
    waiting: Option<Waker>,
}

fn lock<T>(lane: &Mutex<Lane<T>>) -> MutexGuard<'_, Lane<T>> {
    lane.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + 'static> Racer<T> {
    pub(super) fn start(future: impl Future<Output = T> + Send + 'static) -> Self {
        #[cfg(feature = "tokio")]
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            return Self::Task(runtime.spawn(future));
        }
        let lane = Arc::new(Mutex::new(Lane { end: None, waiting: None }));
        let end = Arc::clone(&lane);
        thread::spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| block_on(future)));
            let mut lane = lock(&end);
            lane.end = Some(result);
            let waiting = lane.waiting.take();
            drop(lane);
            waiting.into_iter().for_each(Waker::wake);
        });
        Self::Thread(lane)
    }

    /// Returns the output. A panic of the racer continues in the caller.
    pub(super) async fn end(self) -> T {
        let end = match self {
            #[cfg(feature = "tokio")]
            Self::Task(task) => task.await.map_err(tokio::task::JoinError::into_panic),
            Self::Thread(lane) => {
                poll_fn(|cx| {
                    let mut lane = lock(&lane);
                    lane.waiting = Some(cx.waker().clone());
                    lane.end.take().map_or(Poll::Pending, Poll::Ready)
                })
                .await
            }
        };
        end.unwrap_or_else(|panic| resume_unwind(panic))
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
