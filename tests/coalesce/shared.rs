//! Concurrent calls with equal keys share an execution.

use super::*;

#[test]
fn a_thousand_equal_calls_run_one_body_and_return_equal_outcomes() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (mut ends, mut callers): (Vec<_>, Vec<_>) =
        (0..1000).map(|_| call(&coalescer, 7, &body)).unzip();
    for caller in &mut callers {
        assert_eq!(caller.poll(), None);
    }
    assert_eq!((body.runs(), coalescer.running()), (1, 1));
    ends.remove(0).send(ok("seven")).expect("the leader waits");
    for caller in &mut callers {
        assert_eq!(caller.poll(), Some(ok("seven")));
    }
    assert_eq!((body.runs(), coalescer.running()), (1, 0));
    assert!(callers.iter().skip(1).all(|caller| caller.wakes() == 1));
}

#[test]
fn failures_are_shared_as_well() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (end, mut leader) = call(&coalescer, 7, &body);
    let (_end, mut follower) = call(&coalescer, 7, &body);
    assert_eq!((leader.poll(), follower.poll()), (None, None));
    end.send(Err(Failure::Down)).expect("the leader waits");
    assert_eq!(leader.poll(), Some(Err(Failure::Down)));
    assert_eq!(follower.poll(), Some(Err(Failure::Down)));
    assert_eq!(body.runs(), 1);
}

#[test]
fn different_keys_run_their_own_bodies() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (one, mut first) = call(&coalescer, 1, &body);
    let (two, mut second) = call(&coalescer, 2, &body);
    assert_eq!((first.poll(), second.poll()), (None, None));
    assert_eq!((body.runs(), coalescer.running()), (2, 2));
    one.send(ok("one")).expect("running");
    two.send(ok("two")).expect("running");
    assert_eq!((first.poll(), second.poll()), (Some(ok("one")), Some(ok("two"))));
}

#[test]
fn nothing_is_kept_after_the_call() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    for (index, text) in ["a", "b"].into_iter().enumerate() {
        let (end, mut caller) = call(&coalescer, 7, &body);
        assert_eq!(caller.poll(), None);
        end.send(ok(text)).expect("running");
        assert_eq!(caller.poll(), Some(ok(text)));
        assert_eq!((body.runs(), coalescer.running()), (index + 1, 0));
    }
}

/// A follower polled late returns the outcome of the old execution, not of a newer execution.
#[test]
fn a_late_follower_gets_the_outcome_that_it_waited_for() {
    let (coalescer, body) = (Coalescer::new(), Body::new());
    let (end, mut leader) = call(&coalescer, 7, &body);
    let (_end, mut follower) = call(&coalescer, 7, &body);
    assert_eq!((leader.poll(), follower.poll()), (None, None));
    end.send(ok("old")).expect("running");
    assert_eq!(leader.poll(), Some(ok("old")));
    let (_newer, mut next) = call(&coalescer, 7, &body);
    assert_eq!(next.poll(), None);
    assert_eq!(follower.poll(), Some(ok("old")));
    drop(follower);
    assert_eq!(coalescer.running(), 1);
}

#[test]
fn an_outcome_without_followers_is_not_cloned() {
    #[derive(Debug)]
    struct Counted(Arc<AtomicUsize>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, SeqCst);
            Self(Arc::clone(&self.0))
        }
    }
    let coalescer = Coalescer::new();
    let clones = Arc::new(AtomicUsize::new(0));
    let value = || Ok::<_, Rejected>(Counted(Arc::clone(&clones)));
    futures::executor::block_on(async {
        coalescer.run_async(&1, async { value() }).await.expect("a value");
        assert_eq!(clones.load(SeqCst), 0);
        let slow = || async {
            tokio::task::yield_now().await;
            value()
        };
        let both = (coalescer.run_async(&1, slow()), coalescer.run_async(&1, slow()));
        let (one, two) = futures::join!(both.0, both.1);
        one.and(two).expect("both have a value");
    });
    // The first call takes the value, and the second clones.
    assert_eq!(clones.load(SeqCst), 1);
}

#[test]
fn outcomes_of_different_types_are_never_shared() {
    let coalescer = Coalescer::new();
    futures::executor::block_on(async {
        let (number, text) = futures::join!(
            coalescer.run_async(&7, async {
                tokio::task::yield_now().await;
                Ok::<_, Rejected>(7)
            }),
            coalescer.run_async(&7, async { Ok::<_, Rejected>("seven") }),
        );
        assert_eq!((number, text), (Ok(7), Ok("seven")));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_several_threads_share_executions() {
    static COALESCER: Coalescer = Coalescer::new();
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    let calls = (0..2000_usize).map(|call| {
        tokio::spawn(async move {
            let key = call % 3;
            let body = async {
                tokio::task::yield_now().await;
                assert!(RUNNING.fetch_add(1, SeqCst) < 3, "more executions than keys");
                tokio::task::yield_now().await;
                RUNNING.fetch_sub(1, SeqCst);
                Ok::<_, Rejected>(key)
            };
            assert_eq!(COALESCER.run_async(&key, body).await, Ok(key));
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic");
    }
    assert_eq!(COALESCER.running(), 0);
}

#[test]
fn executed_shared_and_rejected_calls_are_counted() {
    resilience::count_successes();
    let coalescer = Arc::new(Coalescer::new().name("coalesce::counted"));
    resilience::register(&coalescer);
    let body = Body::new();
    let (end, mut leader) = call(&coalescer, 7, &body);
    assert_eq!(leader.poll(), None);
    let mut followers: Vec<_> = (0..3).map(|_| call(&coalescer, 7, &body)).collect();
    for (_, follower) in &mut followers {
        assert_eq!(follower.poll(), None);
    }
    let now = |figure: &str| {
        let reports = resilience::policies_matching("coalesce::counted");
        reports.first().and_then(|report| report.gauge(figure))
    };
    let gauges = || ["resilience.coalesce.running", "resilience.coalesce.waiting"].map(now);
    assert_eq!(gauges(), [Some(1), Some(3)]);
    end.send(ok("seven")).expect("running");
    assert_eq!(leader.poll(), Some(ok("seven")));
    for (_, follower) in &mut followers {
        assert_eq!(follower.poll(), Some(ok("seven")));
    }
    assert_eq!(gauges(), [Some(0), Some(0)]);
    let [report] = &resilience::policies_matching("coalesce::counted")[..] else { panic!("one") };
    assert_eq!(report.kind, resilience::PolicyKind::Coalesce);
    assert!(report.location.file.ends_with("shared.rs"));
    let count = |outcome| report.count("resilience.calls", &[outcome]);
    assert_eq!(["executed", "shared", "rejected"].map(count), [1, 3, 0]);
}
