//! Calls with different deadlines share an execution.

use std::time::Duration;

use super::*;
use resilience::context::Context as CallContext;
use resilience::testing::fresh_state;
use resilience::{RejectedKind, coalesce, retry, timeout};

/// Takes five seconds, and at most the time of the caller.
#[coalesce(key = ())]
async fn report(body: &Body) -> Result<String, Rejected> {
    body.runs.fetch_add(1, SeqCst);
    // Other calls arrive.
    tokio::task::yield_now().await;
    query().await
}

#[timeout("30s")]
async fn query() -> Result<String, Rejected> {
    tokio::time::sleep(Duration::from_secs(5)).await;
    Ok("done".to_owned())
}

fn within(secs: u64) -> CallContext {
    CallContext::new().deadline(Duration::from_secs(secs), "the page")
}

#[tokio::test(start_paused = true)]
async fn a_call_that_runs_out_of_time_hands_over_to_a_call_with_more_time() {
    let _state = fresh_state();
    let body = Body::new();
    let (hasty, patient) = tokio::join!(within(2).scope(report(&body)), report(&body));
    assert_eq!(hasty.map_err(|rejected| rejected.kind()), Err(RejectedKind::TimedOut));
    assert_eq!(patient.as_deref(), Ok("done"));
    assert_eq!(body.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_after_its_deadline_rejects_no_other_call() {
    let _state = fresh_state();
    let body = Body::new();
    let (late, patient) = tokio::join!(within(0).scope(report(&body)), report(&body));
    assert_eq!(late.map_err(|rejected| rejected.kind()), Err(RejectedKind::DeadlineExceeded));
    assert_eq!(patient.as_deref(), Ok("done"));
}

#[tokio::test(start_paused = true)]
async fn a_success_after_the_deadline_is_shared() {
    #[coalesce(key = ())]
    async fn slow(body: &Body) -> Result<String, Rejected> {
        body.runs.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok("done".to_owned())
    }
    let body = Body::new();
    let (late, patient) = tokio::join!(within(2).scope(slow(&body)), slow(&body));
    assert_eq!((late.as_deref(), patient.as_deref()), (Ok("done"), Ok("done")));
    assert_eq!(body.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_ends_at_its_deadline() {
    #[coalesce(key = (), name = "waiting::slow")]
    async fn slow(body: &Body) -> Result<String, Rejected> {
        body.runs.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok("done".to_owned())
    }
    #[retry(attempts = 2, deadline = "3s")]
    async fn repeated(body: &Body) -> Result<String, Rejected> {
        slow(body).await
    }
    let body = Body::new();
    let (leader, (), ()) = tokio::join!(
        slow(&body),
        ends_after(2, within(2).scope(slow(&body))),
        ends_after(3, repeated(&body)),
    );
    assert_eq!(leader.as_deref(), Ok("done"));
    assert_eq!(body.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_ends_at_the_deadline_of_its_retry() {
    #[retry(attempts = 2, deadline = "4s")]
    #[coalesce(key = ())]
    async fn slow(body: &Body) -> Result<String, Rejected> {
        body.runs.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok("done".to_owned())
    }
    let body = Body::new();
    let (leader, ()) = tokio::join!(slow(&body), ends_after(4, slow(&body)));
    assert_eq!(leader.as_deref(), Ok("done"));
    assert_eq!(body.runs(), 1);
}

/// Expects that the deadline of a call ends the wait after this time.
async fn ends_after(secs: u64, call: impl Future<Output = Result<String, Rejected>>) {
    let start = tokio::time::Instant::now();
    let outcome = call.await;
    assert_eq!(outcome.map_err(|rejected| rejected.kind()), Err(RejectedKind::DeadlineExceeded));
    assert_eq!(start.elapsed(), Duration::from_secs(secs));
}

#[test]
fn a_blocked_call_ends_at_its_deadline() {
    static COALESCER: Coalescer = Coalescer::new();
    std::thread::scope(|threads| {
        let outcome = COALESCER.run(&7, || {
            let waiting = threads.spawn(|| {
                let context = CallContext::new().deadline(Duration::from_millis(2), "the page");
                context.run(|| COALESCER.run(&7, || Ok::<_, Rejected>(1)))
            });
            let waited = waiting.join().expect("no panic");
            assert_eq!(
                waited.map_err(|rejected| rejected.kind()),
                Err(RejectedKind::DeadlineExceeded)
            );
            Ok::<_, Rejected>(2)
        });
        assert_eq!(outcome, Ok(2));
    });
}

#[test]
fn a_blocked_call_takes_over_from_a_call_that_runs_out_of_time() {
    static COALESCER: Coalescer = Coalescer::new();
    std::thread::scope(|threads| {
        let mut patient = None;
        let late: Outcome = within(0).run(|| {
            COALESCER.run(&7, || {
                patient = Some(threads.spawn(|| COALESCER.run(&7, || ok("done"))));
                while COALESCER.waiting() == 0 {
                    std::thread::yield_now();
                }
                Err(Failure::Down)
            })
        });
        assert_eq!(late, Err(Failure::Down));
        assert_eq!(patient.map(|call| call.join().expect("no panic")), Some(ok("done")));
    });
}
