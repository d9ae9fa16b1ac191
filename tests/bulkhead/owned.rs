//! Permits that outlive the call, and shadow mode.

use std::sync::Arc;

use resilience::{Bulkhead, bulkhead};
use tokio::time::sleep;

use crate::{is_full, ms};

#[tokio::test(start_paused = true)]
async fn an_owned_permit_travels_into_a_task() {
    let shared = Arc::new(Bulkhead::new(1).queue(1));
    let permit = Arc::clone(&shared).try_acquire_owned().expect("the first");
    let full = Arc::clone(&shared).try_acquire_owned().expect_err("full");
    assert!(is_full(&full));
    let task = tokio::spawn(async move {
        sleep(ms(50)).await;
        drop(permit);
    });
    let next = Arc::clone(&shared).acquire_owned().await.expect("after the task");
    assert_eq!((shared.running(), shared.queued()), (1, 0));
    task.await.expect("no panic");
    drop(next);
    assert_eq!(shared.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_owned_wait_leaves_the_queue() {
    let shared = Arc::new(Bulkhead::new(1).queue(5));
    let permit = shared.try_acquire();
    assert!(tokio::time::timeout(ms(1), Arc::clone(&shared).acquire_owned()).await.is_err());
    assert_eq!(shared.queued(), 0);
    drop(permit);
    assert_eq!(shared.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn in_shadow_mode_all_calls_run_and_rejections_are_counted() {
    let bulkhead = Bulkhead::new(2).queue(1).shadow();
    let calls = (0..5).map(|_| {
        bulkhead.run_async(async {
            sleep(ms(10)).await;
            Some(bulkhead.running())
        })
    });
    let running = futures::future::join_all(calls).await;
    assert_eq!(running[0], Some(5));
    // Two run, one would wait, two would be rejected.
    assert_eq!((bulkhead.shadow_rejections(), bulkhead.running()), (2, 0));
}

#[test]
fn the_attribute_has_a_shadow_mode() {
    #[bulkhead(max = 1, shadow)]
    fn call(depth: u32) -> Option<u32> {
        if depth == 0 { Some(7) } else { call(depth - 1) }
    }
    assert_eq!(call(5), Some(7));
}
