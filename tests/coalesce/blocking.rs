//! Sync functions: waiting calls block their threads.

use std::thread;

use super::*;
use resilience::coalesce;

/// Waits until this many calls wait for an outcome.
fn wait_for_followers(coalescer: &Coalescer, followers: usize) {
    while coalescer.waiting() < followers {
        thread::yield_now();
    }
}

#[test]
fn threads_with_equal_keys_share_one_execution() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static COALESCER: Coalescer = Coalescer::new();

    #[coalesce(key = id, coalescer = &COALESCER)]
    fn load(id: u32) -> Outcome {
        RUNS.fetch_add(1, SeqCst);
        wait_for_followers(&COALESCER, 7);
        Ok(format!("user {id}"))
    }

    thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| load(7))).collect();
        for call in calls {
            assert_eq!(call.join().expect("no panic"), ok("user 7"));
        }
    });
    assert_eq!((RUNS.load(SeqCst), COALESCER.running(), COALESCER.waiting()), (1, 0, 0));
}

#[test]
fn blocked_threads_return_the_outcome_of_an_async_leader() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (end, mut leader) = call(&coalescer, 7, &body);
    assert_eq!(leader.poll(), None);
    thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..8).map(|_| scope.spawn(|| coalescer.run(&7, || ok("its own run")))).collect();
        wait_for_followers(&coalescer, 8);
        end.send(ok("shared")).expect("running");
        assert_eq!(leader.poll(), Some(ok("shared")));
        for call in waiting {
            assert_eq!(call.join().expect("no panic"), ok("shared"));
        }
    });
    assert_eq!((body.runs(), coalescer.running()), (1, 0));
}

#[test]
fn a_blocked_thread_takes_over_from_a_dropped_leader() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (_end, mut leader) = call(&coalescer, 7, &body);
    assert_eq!(leader.poll(), None);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| coalescer.run(&7, || ok("took over")));
        wait_for_followers(&coalescer, 1);
        drop(leader);
        assert_eq!(waiting.join().expect("no panic"), ok("took over"));
    });
}

#[test]
fn a_call_from_inside_its_own_execution_runs_by_itself() {
    #[coalesce(key = id)]
    fn depth(id: u32, left: u32) -> Result<u32, Failure> {
        if left == 0 { Ok(0) } else { depth(id, left - 1).map(|depth| depth + 1) }
    }

    #[coalesce(key = id)]
    async fn depth_async(id: u32, left: u32) -> Result<u32, Failure> {
        if left == 0 {
            return Ok(0);
        }
        Box::pin(depth_async(id, left - 1)).await.map(|depth| depth + 1)
    }

    assert_eq!(depth(7, 5), Ok(5));
    assert_eq!(futures::executor::block_on(depth_async(7, 5)), Ok(5));
}
