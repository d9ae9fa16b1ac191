//! Calls from tasks that an execution starts.

use std::time::Duration;

use super::*;
use resilience::RejectedKind;
use resilience::context::{self, Context as CallContext};

/// Runs `body` with a key, at most for an hour.
async fn page(key: u32, body: impl Future<Output = Outcome>) -> Outcome {
    static PAGES: Coalescer = Coalescer::new();
    let call = PAGES.run_async(&key, body);
    tokio::time::timeout(Duration::from_secs(3600), call).await.expect("the call waits for itself")
}

#[tokio::test(start_paused = true)]
async fn a_call_from_a_task_with_the_context_runs_by_itself() {
    let outcome = page(1, async {
        let task = context::spawn(async {
            // Also after a suspension of the task.
            tokio::task::yield_now().await;
            page(1, async { ok("inner") }).await
        });
        task.await.expect("no panic")
    });
    assert_eq!(outcome.await, ok("inner"));
}

#[tokio::test(start_paused = true)]
async fn a_task_is_part_of_all_executions_around_its_start() {
    let outcome = page(3, async {
        page(4, async {
            let task = context::spawn(async {
                assert_eq!(page(4, async { ok("inner") }).await, ok("inner"));
                page(3, async { ok("inner") }).await
            });
            task.await.expect("no panic")
        })
        .await
    });
    assert_eq!(outcome.await, ok("inner"));
}

#[test]
fn a_blocking_call_on_another_thread_with_the_context_runs_by_itself() {
    static COALESCER: Coalescer = Coalescer::new();
    let outcome = std::thread::scope(|threads| {
        COALESCER.run(&7, || {
            // Ends a wait, which would be a mistake.
            let context = CallContext::new().deadline(Duration::from_secs(1), "the test");
            let call = async { COALESCER.run(&7, || ok("inner")) };
            let call = context.run(|| context::carry(call));
            threads.spawn(|| futures::executor::block_on(call)).join().expect("no panic")
        })
    });
    assert_eq!(outcome, ok("inner"));
}

/// The task is part of the first execution, not of the execution after it.
#[tokio::test(start_paused = true)]
async fn a_task_shares_the_execution_after_its_own() {
    let (send, task) = oneshot::channel();
    page(2, async {
        let later = context::spawn(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            page(2, async { ok("not run") }).await
        });
        send.send(later).expect("the test waits");
        ok("first")
    })
    .await
    .expect("a page");
    let second = page(2, async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        ok("second")
    });
    let (second, of_task) = tokio::join!(second, task.await.expect("sent"));
    assert_eq!((second, of_task.expect("no panic")), (ok("second"), ok("second")));
}

/// Without the context nothing shows that the execution waits for the task.
#[tokio::test(start_paused = true)]
async fn a_call_from_a_plain_task_waits_until_its_deadline() {
    static COALESCER: Coalescer = Coalescer::new();
    let within = CallContext::new().deadline(Duration::from_secs(2), "the page");
    let outcome = COALESCER.run_async(&7, async move {
        let call = COALESCER.run_async(&7, async { ok("inner") });
        tokio::spawn(within.scope(call)).await.expect("no panic")
    });
    let Err(Failure::Rejected(rejected)) = outcome.await else { panic!("a rejection") };
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
}
