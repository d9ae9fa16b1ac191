//! `#[timeout]`: the body is dropped at the limit, and the error is distinct from the body's
//! errors.
#![allow(
    clippy::items_after_statements,
    clippy::unwrap_used,
    reason = "functions under test stand where they are called, and a test may panic"
)]

mod last_failure;

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use resilience::{
    Effect, FailureClass, Jitter, Rejected, RejectedKind, policies, policies_matching, rate_limit,
    retry, testing, timeout,
};
use tokio::time::{Instant, sleep};

#[derive(Debug, PartialEq)]
enum Failure {
    Own,
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

const MS: fn(u64) -> Duration = Duration::from_millis;

#[timeout("50ms")]
async fn takes(time: Duration) -> Result<u32, Failure> {
    sleep(time).await;
    Ok(7)
}

#[tokio::test(start_paused = true)]
async fn the_body_is_dropped_at_the_limit() {
    let start = Instant::now();
    let rejected = match takes(MS(51)).await {
        Err(Failure::Rejected(rejected)) => rejected,
        other => panic!("{other:?}"),
    };
    assert_eq!(start.elapsed(), MS(50));
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_eq!(rejected.limit(), Some(MS(50)));
    assert_eq!(rejected.retry_after(), None);
    assert_eq!(rejected.to_string(), "timeout::takes: timed out after 50ms");
}

#[tokio::test(start_paused = true)]
async fn a_success_in_time_wins() {
    assert_eq!(takes(MS(49)).await, Ok(7));
    // Both are ready at the same time: the finished work is kept.
    assert_eq!(takes(MS(50)).await, Ok(7));
}

struct Noticed<'a>(&'a Cell<u32>);

impl Drop for Noticed<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_is_released_before_the_error_is_returned() {
    #[timeout("1s", error = |_| dropped.get())]
    async fn call(dropped: &Cell<u32>) -> Result<(), u32> {
        let _noticed = Noticed(dropped);
        pending().await
    }
    assert_eq!(call(&Cell::new(0)).await, Err(1));
}

#[tokio::test(start_paused = true)]
async fn the_limit_may_be_a_run_time_value() {
    struct Client {
        limit: Duration,
    }
    impl Client {
        #[timeout(self.limit)]
        async fn call(&mut self, text: String) -> Result<String, Failure> {
            sleep(MS(20)).await;
            self.limit *= 2;
            Ok(text)
        }
    }
    let mut client = Client { limit: MS(15) };
    assert!(matches!(client.call("a".into()).await, Err(Failure::Rejected(_))));
    client.limit = MS(30);
    assert_eq!(client.call("a".into()).await, Ok("a".into()));
    assert_eq!(client.limit, MS(60));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_none_for_an_option_and_converts_into_errors() {
    #[timeout("1s")]
    async fn option() -> Option<()> {
        pending().await
    }
    #[timeout("1s")]
    async fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        pending().await
    }
    #[timeout("1s")]
    async fn io() -> std::io::Result<()> {
        pending().await
    }
    #[timeout("1s", error = |rejected| rejected.to_string())]
    async fn text() -> Result<(), String> {
        pending().await
    }
    assert_eq!(option().await, None);
    assert!(boxed().await.unwrap_err().is::<Rejected>());
    let error = io().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    let source = error.get_ref().expect("a source");
    assert!(source.is::<Rejected>());
    assert!(text().await.unwrap_err().ends_with("timed out after 1s"));
}

#[tokio::test(start_paused = true)]
async fn the_smaller_of_two_limits_wins() {
    // A literal in place of the inner expression is a compile error.
    #[timeout("50ms", name = "outer")]
    #[timeout(MS(200), name = "inner")]
    async fn outer_is_shorter() -> Result<(), Failure> {
        pending().await
    }
    #[timeout("200ms", name = "outer")]
    #[timeout(MS(50), name = "inner")]
    async fn inner_is_shorter() -> Result<(), Failure> {
        pending().await
    }
    let timed_out = |name| Err(Failure::Rejected(Rejected::timed_out(name, MS(50))));
    let start = Instant::now();
    assert_eq!(outer_is_shorter().await, timed_out("outer"));
    assert_eq!(inner_is_shorter().await, timed_out("inner"));
    assert_eq!(start.elapsed(), MS(100));
}

#[tokio::test(start_paused = true)]
async fn an_outer_deadline_shortens_the_last_attempt() {
    #[retry(attempts = "unlimited", backoff = "fixed", base_delay = "10ms", deadline = "100ms")]
    #[timeout("40ms")]
    async fn call(limits: &mut Vec<Duration>) -> Result<(), Failure> {
        limits.push(MS(0));
        pending().await
    }
    let start = Instant::now();
    let error = call(&mut vec![]).await.unwrap_err();
    // 40, a delay of 10, 40, a delay of 10, and no time is left; without the deadline there would
    // be 40 more.
    assert_eq!(start.elapsed(), MS(90));
    assert!(matches!(error, Failure::Rejected(_)));

    #[retry(attempts = 2, backoff = "fixed", base_delay = "10ms", deadline = "80ms", on = |_| false)]
    #[timeout("60ms")]
    async fn cut() -> Result<(), Failure> {
        pending().await
    }
    let start = Instant::now();
    let Err(Failure::Rejected(rejected)) = cut().await else { panic!("cut") };
    assert_eq!(start.elapsed(), MS(80));
    assert_eq!(rejected.limit(), Some(MS(10)));
}

#[tokio::test(start_paused = true)]
async fn an_outer_retry_repeats_a_timeout_regardless_of_on() {
    #[retry(attempts = 3, base_delay = "1ms", on = |_| false)]
    #[timeout("10ms")]
    async fn call(calls: &Cell<u32>) -> Result<(), Failure> {
        calls.set(calls.get() + 1);
        pending().await
    }
    #[retry(attempts = 3, base_delay = "1ms", idempotent = false, on = |_| {
        FailureClass::transient().effect(Effect::NotSent)
    })]
    #[timeout("10ms")]
    async fn not_idempotent(calls: &Cell<u32>) -> Result<(), Failure> {
        calls.set(calls.get() + 1);
        pending().await
    }
    #[retry(attempts = 3, base_delay = "1ms", on = |error| *error != Failure::Own)]
    #[timeout("10ms")]
    async fn then_fails(calls: &Cell<u32>) -> Result<(), Failure> {
        calls.set(calls.get() + 1);
        if calls.get() == 1 { pending().await } else { Err(Failure::Own) }
    }
    let calls = Cell::new(0);
    assert!(call(&calls).await.is_err());
    assert_eq!(calls.take(), 3);
    assert!(not_idempotent(&calls).await.is_err());
    assert_eq!(calls.take(), 1);
    // The signal of the first attempt is cleared before the second.
    assert_eq!(then_fails(&calls).await, Err(Failure::Own));
    assert_eq!(calls.take(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_inner_retry_is_cut_during_its_delay() {
    #[timeout("100ms")]
    #[retry(attempts = 3, backoff = "fixed", base_delay = "1s", jitter = Jitter::None)]
    async fn call(calls: &Cell<u32>) -> Result<(), Failure> {
        calls.set(calls.get() + 1);
        Err(Failure::Own)
    }
    let (start, calls) = (Instant::now(), Cell::new(0));
    assert!(matches!(call(&calls).await, Err(Failure::Rejected(_))));
    assert_eq!((start.elapsed(), calls.get()), (MS(100), 1));
}

#[test]
fn the_virtual_clock_applies() {
    #[timeout("1s")]
    async fn call(clock: &testing::Clock, time: Duration) -> Result<(), Failure> {
        clock.advance(time);
        futures::future::ready(()).await;
        let mut polled = false;
        std::future::poll_fn(|cx| {
            if polled {
                return std::task::Poll::Ready(());
            }
            polled = true;
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        Ok(())
    }
    let clock = testing::clock();
    assert_eq!(futures::executor::block_on(call(&clock, MS(999))), Ok(()));
    assert!(futures::executor::block_on(call(&clock, MS(1000))).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_not_a_timeout() {
    #[timeout("1s")]
    async fn call() -> Result<(), Failure> {
        panic!("in the body")
    }
    let join = tokio::spawn(call()).await.unwrap_err();
    assert!(join.is_panic());
}

#[tokio::test(start_paused = true)]
async fn any_length_is_accepted() {
    for limit in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        #[timeout(limit)]
        async fn call(limit: Duration) -> Result<u32, Failure> {
            Ok(7)
        }
        assert_eq!(call(limit).await, Ok(7), "{limit:?}");
    }
    #[timeout(Duration::ZERO)]
    async fn never() -> Result<u32, Failure> {
        pending().await
    }
    assert!(never().await.is_err());
    let without_a_runtime = std::thread::spawn(|| {
        #[timeout(Duration::MAX)]
        async fn call() -> Result<u32, Failure> {
            futures_lite_yield().await;
            Ok(7)
        }
        futures::executor::block_on(call())
    });
    assert_eq!(without_a_runtime.join().unwrap(), Ok(7));
}

async fn futures_lite_yield() {
    let mut polled = false;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        let ready = polled;
        polled = true;
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// The timer starts at the first wait, and the limit counts from the call on.
#[tokio::test(start_paused = true)]
async fn the_time_before_the_first_wait_counts() {
    #[timeout("50ms")]
    async fn call(clock: &testing::Clock, first: Duration) -> Result<u32, Failure> {
        clock.advance(first);
        tokio::task::yield_now().await;
        clock.advance(MS(10));
        tokio::task::yield_now().await;
        Ok(7)
    }
    let clock = testing::clock();
    assert_eq!(call(&clock, MS(30)).await, Ok(7));
    for first in [MS(40), MS(50), MS(60)] {
        match call(&clock, first).await {
            Err(Failure::Rejected(rejected)) => assert_eq!(rejected.limit(), Some(MS(50))),
            other => panic!("{first:?}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_admitted_at_the_deadline_of_its_retry_does_not_start() {
    #[retry(attempts = 2, deadline = "50ms", base_delay = "1ms")]
    #[rate_limit(rate = 1, per = "50ms", wait = "1s")]
    #[timeout("1s", name = "timeout::at_the_deadline")]
    async fn call(started: &Cell<u32>) -> Result<(), Rejected> {
        started.set(started.get() + 1);
        Ok(())
    }
    let _ = policies();
    let started = Cell::new(0);
    assert!(call(&started).await.is_ok());
    let rejected = call(&started).await.unwrap_err();
    assert_eq!(started.get(), 1);
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert_eq!(
        rejected.to_string(),
        "timeout::at_the_deadline: deadline exceeded before the call started"
    );
    let reports = policies_matching("timeout::at_the_deadline");
    let count = |outcome| {
        reports.iter().map(|report| report.count("resilience.calls", &[outcome])).sum::<u64>()
    };
    assert_eq!((count("overdue"), count("rejected")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_polls_the_body_once_below_a_deadline_too() {
    #[timeout(limit)]
    async fn ready(limit: Duration) -> Result<u32, Rejected> {
        Ok(1)
    }
    #[timeout("5s")]
    async fn above() -> Result<u32, Rejected> {
        ready(Duration::ZERO).await
    }
    assert_eq!(ready(Duration::ZERO).await, Ok(1));
    assert_eq!(above().await, Ok(1));
}
