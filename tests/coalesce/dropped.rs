//! Dropped calls: a follower takes over, and nothing is left.

use super::*;

#[test]
fn a_dropped_leader_hands_over_to_the_first_follower() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (_end, mut leader) = call(&coalescer, 7, &body);
    let (end, mut first) = call(&coalescer, 7, &body);
    let (_end, mut second) = call(&coalescer, 7, &body);
    for caller in [&mut leader, &mut first, &mut second] {
        assert_eq!(caller.poll(), None);
    }
    drop(leader);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert_eq!(first.poll(), None);
    assert_eq!(body.runs(), 2);
    end.send(ok("second run")).expect("the first follower leads");
    assert_eq!(first.poll(), Some(ok("second run")));
    assert_eq!(second.poll(), Some(ok("second run")));
    assert_eq!((body.runs(), coalescer.running()), (2, 0));
}

#[test]
fn a_follower_that_is_dropped_before_it_takes_over_wakes_the_next() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (_end, mut leader) = call(&coalescer, 7, &body);
    let (_end, mut first) = call(&coalescer, 7, &body);
    let (_end, mut second) = call(&coalescer, 7, &body);
    for caller in [&mut leader, &mut first, &mut second] {
        assert_eq!(caller.poll(), None);
    }
    drop(leader);
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!((second.poll(), body.runs()), (None, 2));
}

/// The woken follower may never be polled again. A new call starts without the follower.
#[test]
fn a_new_call_takes_over_from_a_dropped_leader_at_once() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (_end, mut leader) = call(&coalescer, 7, &body);
    let (_end, mut idle) = call(&coalescer, 7, &body);
    assert_eq!((leader.poll(), idle.poll()), (None, None));
    drop(leader);
    let (end, mut new) = call(&coalescer, 7, &body);
    assert_eq!((new.poll(), body.runs()), (None, 2));
    end.send(ok("new")).expect("the new call leads");
    assert_eq!((new.poll(), idle.poll()), (Some(ok("new")), Some(ok("new"))));
}

#[test]
fn the_body_of_a_dropped_leader_is_dropped_before_the_next_body_starts() {
    let coalescer = Coalescer::new();
    let resource = std::cell::Cell::new(false);
    struct Held<'r>(&'r std::cell::Cell<bool>);
    impl Drop for Held<'_> {
        fn drop(&mut self) {
            self.0.set(false);
        }
    }
    let body = || async {
        assert!(!resource.replace(true), "two bodies hold the resource");
        let _held = Held(&resource);
        std::future::pending::<()>().await;
        ok("never")
    };
    let leader = Caller::started(coalescer.run_async(&7, body()));
    let mut follower = Caller::started(coalescer.run_async(&7, body()));
    drop(leader);
    assert_eq!(follower.poll(), None);
    assert!(resource.get());
}

#[test]
fn a_storm_of_drops_leaves_nothing_behind() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    // All calls start, and all leaders are dropped in turn.
    let (ends, mut callers): (Vec<_>, Vec<_>) =
        (0..1000).map(|_| call(&coalescer, 7, &body)).unzip();
    for caller in &mut callers {
        assert_eq!(caller.poll(), None);
    }
    for dropped in 0..999 {
        let leader = callers.remove(0);
        drop(leader);
        let next = callers.first_mut().expect("a caller is left");
        assert_eq!((next.wakes(), next.poll()), (1, None));
        assert_eq!((body.runs(), coalescer.running()), (dropped + 2, 1));
    }
    callers.clear();
    assert_eq!(coalescer.running(), 0);
    drop(ends);
    // Followers leave, and the leader stays.
    let (end, mut leader) = call(&coalescer, 7, &body);
    assert_eq!(leader.poll(), None);
    for _ in 0..1000 {
        let (_end, mut follower) = call(&coalescer, 7, &body);
        assert_eq!(follower.poll(), None);
    }
    assert_eq!((body.runs(), coalescer.running()), (1001, 1));
    end.send(ok("stayed")).expect("running");
    assert_eq!((leader.poll(), coalescer.running()), (Some(ok("stayed")), 0));
}

#[test]
fn a_call_that_was_never_polled_is_no_member() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (_end, caller) = call(&coalescer, 7, &body);
    assert_eq!(coalescer.running(), 0);
    drop(caller);
    assert_eq!((body.runs(), coalescer.running()), (0, 0));
}

/// Every order of polls and drops of three calls: no call waits forever, and one body runs at a
/// time.
#[test]
fn every_order_of_polls_and_drops_ends() {
    const STEPS: u32 = 6;
    // Each step polls (0..3) or drops (3..6) one of three calls.
    for schedule in 0..6_usize.pow(STEPS) {
        let coalescer = Coalescer::new();
        let running = std::cell::Cell::new(0_u32);
        struct Run<'r>(&'r std::cell::Cell<u32>);
        impl Drop for Run<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let body = || async {
            running.set(running.get() + 1);
            assert_eq!(running.get(), 1, "two bodies run");
            let _run = Run(&running);
            tokio::task::yield_now().await;
            ok("done")
        };
        let mut callers: Vec<Option<Caller<'_>>> =
            (0..3).map(|_| Some(Caller::new(coalescer.run_async(&7, body())))).collect();
        let mut rest = schedule;
        for _ in 0..STEPS {
            let (step, index) = (rest % 6 / 3, rest % 3);
            rest /= 6;
            let ends = |caller: &mut Caller<'_>| step == 1 || caller.poll().is_some();
            if callers[index].as_mut().is_some_and(ends) {
                callers[index] = None;
            }
        }
        // From here on an executor polls the calls that are woken, and the calls that never ran.
        let mut rounds = 0;
        while callers.iter().any(Option::is_some) {
            rounds += 1;
            assert!(rounds < 20, "schedule {schedule}: a call waits forever");
            for caller in &mut callers {
                let is_due = caller.as_ref().is_some_and(Caller::is_due);
                if is_due && caller.as_mut().is_some_and(|caller| caller.poll().is_some()) {
                    *caller = None;
                }
            }
        }
        assert_eq!((coalescer.running(), running.get()), (0, 0), "schedule {schedule}");
    }
}
