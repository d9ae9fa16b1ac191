//! A panic of the shared execution.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use resilience::{Classify, FailureClass, RejectedKind, coalesce, testing};

#[test]
fn a_panic_reaches_the_leader_and_rejects_every_follower() {
    let coalescer = Coalescer::new().named("profiles");
    let (end, ended) = oneshot::channel::<()>();
    let panics = async {
        ended.await.expect("the test ends the body");
        panic!("a bug");
    };
    let mut leader = Caller::started(coalescer.run_async(&7, panics));
    let mut followers: Vec<_> = (0..100)
        .map(|_| Caller::started(coalescer.run_async(&7, async { ok("not run") })))
        .collect();
    end.send(()).expect("running");
    let panic = catch_unwind(AssertUnwindSafe(|| leader.poll())).expect_err("a panic");
    assert_eq!(panic.downcast_ref(), Some(&"a bug"));
    assert_eq!(coalescer.running(), 0);
    for follower in &mut followers {
        assert_eq!(follower.wakes(), 1);
        let Some(Err(Failure::Rejected(rejected))) = follower.poll() else {
            panic!("no rejection")
        };
        assert_eq!(rejected.kind(), RejectedKind::Panicked);
        assert_eq!(rejected.to_string(), "profiles: the shared execution panicked");
        assert_eq!(rejected.classify(), FailureClass::permanent().neutral());
    }
    drop(leader);
    // The next call runs the body.
    let mut next = Caller::new(coalescer.run_async(&7, async { ok("works") }));
    assert_eq!(next.poll(), Some(ok("works")));
}

#[test]
fn a_panic_while_a_follower_unwinds_elsewhere_is_not_taken_for_a_panic_of_the_body() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (_end, mut leader) = call(&coalescer, 7, &body);
    let (end, mut follower) = call(&coalescer, 7, &body);
    assert_eq!((leader.poll(), follower.poll()), (None, None));
    // The leader is dropped by a panic of the code around it.
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _leader = leader;
        panic!("a neighbor");
    }));
    assert!(unwound.is_err());
    assert_eq!((follower.poll(), body.runs()), (None, 2));
    end.send(ok("took over")).expect("running");
    assert_eq!(follower.poll(), Some(ok("took over")));
}

#[test]
fn the_attribute_converts_the_rejection_and_option_becomes_none() {
    #[coalesce(key = (), error = |rejected| rejected.to_string(), name = "f")]
    async fn fails(ended: oneshot::Receiver<()>) -> Result<u32, String> {
        ended.await.expect("ended by the test");
        panic!("a bug");
    }
    // A fresh state keeps the name.
    let _state = testing::fresh_state();
    let ((end, first), (_end, second)) = (oneshot::channel(), oneshot::channel());
    let (mut leader, mut follower) = (Box::pin(fails(first)), Box::pin(fails(second)));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(
        leader.as_mut().poll(&mut cx).is_pending() && follower.as_mut().poll(&mut cx).is_pending()
    );
    end.send(()).expect("running");
    assert!(catch_unwind(AssertUnwindSafe(|| leader.as_mut().poll(&mut cx).is_pending())).is_err());
    let Poll::Ready(outcome) = follower.as_mut().poll(&mut cx) else { panic!("still waiting") };
    assert_eq!(outcome, Err("f: the shared execution panicked".to_owned()));
}

#[test]
fn a_panic_of_a_blocking_body_rejects_the_waiting_calls() {
    let coalescer = Coalescer::new();
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            catch_unwind(AssertUnwindSafe(|| {
                coalescer.run(&7, || -> Outcome {
                    while coalescer.waiting() < 2 {
                        std::thread::yield_now();
                    }
                    panic!("a bug")
                })
            }))
        });
        while coalescer.running() == 0 {
            std::thread::yield_now();
        }
        let blocked = scope.spawn(|| coalescer.run(&7, || ok("not run")));
        let mut follower = Caller::started(coalescer.run_async(&7, async { ok("not run") }));
        assert!(leader.join().expect("caught").is_err());
        for outcome in [follower.poll(), blocked.join().ok()] {
            assert!(matches!(outcome, Some(Err(Failure::Rejected(_)))), "{outcome:?}");
        }
    });
}
