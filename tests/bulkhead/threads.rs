//! Threads and tasks on the same bulkhead.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use resilience::{Bulkhead, Rejected};

use crate::{Waiter, ms};

/// Returns once the queue has this many calls.
fn await_queue(bulkhead: &Bulkhead, calls: usize) {
    while bulkhead.queued() < calls {
        thread::yield_now();
    }
}

#[test]
fn threads_and_tasks_share_the_queue() {
    let (bulkhead, order) = (&Bulkhead::new(1).queue(4), &Mutex::new(Vec::new()));
    let note = move |who| order.lock().expect("no panic").push(who);
    let permit = bulkhead.try_acquire().expect("the first");
    thread::scope(|scope| {
        let blocked = |who| {
            scope.spawn(move || {
                let _permit = bulkhead.acquire_blocking().expect("its turn");
                note(who);
            })
        };
        let first = blocked("thread 1");
        await_queue(bulkhead, 1);
        let mut task = Waiter::new(bulkhead);
        blocked("thread 2");
        await_queue(bulkhead, 3);
        // A spurious wake-up.
        first.thread().unpark();
        thread::sleep(ms(5));
        assert!(order.lock().expect("no panic").is_empty());
        drop(permit);
        await_wake(&task);
        let Poll::Ready(Ok(permit)) = task.poll() else { panic!("its turn") };
        note("task");
        drop(permit);
    });
    assert_eq!(*order.lock().expect("no panic"), ["thread 1", "task", "thread 2"]);
    assert_eq!((bulkhead.running(), bulkhead.queued()), (0, 0));
}

fn await_wake(task: &Waiter<'_>) {
    while task.wakes() == 0 {
        thread::yield_now();
    }
}

#[test]
fn a_blocked_call_that_gives_up_leaves_the_queue() {
    let bulkhead = Bulkhead::new(1).queue(2).wait(ms(10));
    let permit = bulkhead.try_acquire();
    thread::scope(|scope| {
        assert!(scope.spawn(|| bulkhead.acquire_blocking().is_err()).join().expect("no panic"));
    });
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 0));
    drop(permit);
    assert!(bulkhead.try_acquire().is_ok());
}

/// Counts the running calls and the maximum.
#[derive(Default)]
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A running call.
struct One<'i>(&'i Inside);

impl Inside {
    fn enter(&self) -> One<'_> {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
        One(self)
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

#[test]
fn never_above_the_maximum_and_no_waiter_is_lost() {
    const CALLS: usize = 400;
    let bulkhead = Arc::new(Bulkhead::new(3).queue(1000));
    let inside = Arc::new(Inside::default());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let runtime = runtime.expect("a runtime");
    let tasks: Vec<_> = (0..CALLS)
        .map(|call| {
            let (bulkhead, inside) = (Arc::clone(&bulkhead), Arc::clone(&inside));
            runtime.spawn(async move {
                let body = bulkhead.run_async(async {
                    let _one = inside.enter();
                    tokio::task::yield_now().await;
                    Ok::<_, Rejected>(())
                });
                // A quarter of the calls leave the queue early.
                if call % 4 == 0 {
                    drop(tokio::time::timeout(ms(call as u64 % 3), body).await);
                    return true;
                }
                body.await.is_ok()
            })
        })
        .collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    let body = || {
                        let _one = inside.enter();
                        thread::yield_now();
                        Ok::<_, Rejected>(())
                    };
                    assert_eq!(bulkhead.run(body), Ok(()));
                }
            });
        }
    });
    for task in tasks {
        assert!(runtime.block_on(task).expect("no panic"), "lost");
    }
    assert_eq!((bulkhead.running(), bulkhead.queued()), (0, 0));
    assert_eq!(inside.most.load(SeqCst), 3);
}
