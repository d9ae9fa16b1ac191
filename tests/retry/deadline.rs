//! The deadline, and delays from a server.

use std::cell::Cell;
use std::time::Duration;

use resilience::{FailureClass, GiveUpEvent, StopReason, retry, testing};

use crate::{Script, count, ms};

#[tokio::test(start_paused = true)]
async fn no_wait_ends_at_or_after_the_deadline() {
    #[retry(attempts = "unlimited", backoff = "fixed", base_delay = "100ms", deadline = "1s")]
    async fn fail(script: &Script) -> Result<(), &'static str> {
        script.fail()
    }
    let script = Script::new();
    assert_eq!(fail(&script).await, Err("down"));
    // At 0, 100, …, 900 ms; the next attempt would start at the deadline. The call ends at once,
    // without a wait.
    assert_eq!(script.calls(), 10);
    assert_eq!(script.start.elapsed(), ms(900));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_the_call_and_includes_attempts() {
    #[retry(attempts = 9, backoff = "fixed", base_delay = "10ms", deadline = "1s")]
    async fn slow(script: &Script) -> Result<(), &'static str> {
        tokio::time::sleep(ms(400)).await;
        script.fail()
    }
    let script = Script::new();
    assert_eq!(slow(&script).await, Err("down"));
    // The third attempt starts at 820 ms and is not interrupted.
    assert_eq!(script.calls(), 3);
    assert_eq!(script.start.elapsed(), ms(1220));
}

#[tokio::test(start_paused = true)]
async fn fractions_of_a_millisecond() {
    // Tokio's timer counts whole milliseconds, so a wait may end up to a millisecond late.
    #[retry(attempts = "unlimited", base_delay = "1ms", factor = 1.1, deadline = "50ms")]
    async fn fail(script: &Script) -> Result<(), &'static str> {
        script.fail()
    }
    for seed in 0..200 {
        // A call need not start on a whole millisecond of the timer.
        tokio::time::advance(Duration::from_micros(seed * 37)).await;
        let _seed = testing::seed(seed);
        let script = Script::new();
        assert_eq!(fail(&script).await, Err("down"));
        let last = script.calls.borrow().last().copied().unwrap_or_default();
        assert!(last < ms(50), "an attempt started at {last:?}");
        assert_eq!(script.start.elapsed(), last, "it waited in vain");
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_thread_waits_exactly() {
    #[retry(attempts = 9, backoff = "fixed", base_delay = "500us", deadline = "1ms")]
    fn fail(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        Err(())
    }
    let calls = Cell::new(0);
    assert_eq!(fail(&calls), Err(()));
    assert_eq!(calls.get(), 2);
}

#[test]
fn skipped_waits_count_against_the_deadline() {
    #[retry(attempts = 100, backoff = "fixed", base_delay = "1s", deadline = "10s")]
    fn fail(calls: &Cell<u32>) -> Result<(), ()> {
        count(calls);
        Err(())
    }
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert_eq!(fail(&calls), Err(()));
    assert_eq!(calls.get(), 10);
}

/// An error with a delay from the server.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Busy(Duration);

fn classify(error: &Busy) -> FailureClass {
    FailureClass::throttled(Some(error.0))
}

#[tokio::test(start_paused = true)]
async fn a_server_delay_is_exact() {
    #[retry(attempts = 2, on = classify, max_delay = "1s", base_delay = "10ms")]
    async fn ask(script: &Script, after: Duration) -> Result<(), Busy> {
        script.fail().map_err(|_| Busy(after))
    }
    let _draws = testing::draws([0.1]);
    // Longer than `max_delay`, shorter than the backoff, up to the limit: never shortened.
    for after in [Duration::from_secs(45), ms(1), Duration::from_secs(60)] {
        let script = Script::new();
        assert_eq!(ask(&script, after).await, Err(Busy(after)));
        assert_eq!(script.waits(), [after]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_delay_above_the_limit_or_the_remaining_time_ends_the_call() {
    fn note(event: &GiveUpEvent<'_, Busy>) {
        REASON.set(Some((event.reason, event.class.after)));
    }
    thread_local!(static REASON: Cell<Option<(StopReason, Option<Duration>)>> = const { Cell::new(None) });

    #[retry(on = classify, on_give_up = note, max_retry_after = "30s")]
    async fn limited(script: &Script, after: Duration) -> Result<(), Busy> {
        script.fail().map_err(|_| Busy(after))
    }
    #[retry(on = classify, on_give_up = note, deadline = "5s")]
    async fn in_time(script: &Script, after: Duration) -> Result<(), Busy> {
        script.fail().map_err(|_| Busy(after))
    }
    let day = Duration::from_secs(86_400);
    let script = Script::new();
    // The caller gets the delay, in the error and in the event.
    assert_eq!(limited(&script, day).await, Err(Busy(day)));
    assert_eq!(REASON.take(), Some((StopReason::RetryAfter, Some(day))));
    assert_eq!(in_time(&script, ms(5000)).await, Err(Busy(ms(5000))));
    assert_eq!(REASON.take(), Some((StopReason::Deadline, Some(ms(5000)))));
    assert_eq!(script.calls(), 2);
    assert_eq!(script.start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_delay_restarts_the_backoff() {
    #[retry(attempts = 6, on = |after: &Option<u64>| match after {
        Some(after) => FailureClass::throttled(Some(ms(*after))),
        None => FailureClass::transient(),
    }, jitter = "none")]
    async fn ask(script: &Script) -> Result<(), Option<u64>> {
        let _ = script.fail::<()>();
        Err((script.calls() == 3).then_some(700))
    }
    let script = Script::new();
    assert_eq!(ask(&script).await, Err(None));
    assert_eq!(script.waits(), [100, 200, 700, 100, 200].map(ms));
}

#[tokio::test(start_paused = true)]
async fn a_server_delay_of_zero_leaves_the_delay_to_the_backoff() {
    #[retry(attempts = 2, on = classify, jitter = "none", base_delay = "2s")]
    async fn ask(script: &Script) -> Result<(), Busy> {
        script.fail().map_err(|_| Busy(Duration::ZERO))
    }
    let script = Script::new();
    assert_eq!(ask(&script).await, Err(Busy(Duration::ZERO)));
    assert_eq!(script.waits(), [ms(2000)]);
}

#[tokio::test(start_paused = true)]
async fn a_server_delay_of_zero_means_now_with_a_lower_limit_that_grows() {
    #[retry(attempts = 4, on = |_| FailureClass::throttled(Some(Duration::ZERO)))]
    async fn now(script: &Script) -> Result<(), &'static str> {
        script.fail()
    }
    // The base of a transient failure. Full jitter keeps at least half of each delay.
    for (draw, waits) in [(0.0, [50, 100, 200]), (0.5, [75, 150, 300])] {
        let _draws = testing::draws([draw]);
        let script = Script::new();
        assert_eq!(now(&script).await, Err("down"));
        assert_eq!(script.waits(), waits.map(ms));
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_without_a_delay_starts_at_one_second() {
    #[retry(attempts = 4, on = |_| FailureClass::throttled(None), jitter = "none")]
    async fn throttled(script: &Script) -> Result<(), &'static str> {
        script.fail()
    }
    #[retry(attempts = 4, on = |_| FailureClass::throttled(None), jitter = "none", backoff = ["100ms", "3s"])]
    async fn listed(script: &Script) -> Result<(), &'static str> {
        script.fail()
    }
    #[retry(attempts = 4, on = |_| FailureClass::throttled(None), jitter = "none", max_delay = "500ms")]
    async fn capped(script: &Script) -> Result<(), &'static str> {
        script.fail()
    }
    let script = Script::new();
    assert_eq!(throttled(&script).await, Err("down"));
    assert_eq!(script.waits(), [1000, 2000, 4000].map(ms));
    let script = Script::new();
    assert_eq!(listed(&script).await, Err("down"));
    assert_eq!(script.waits(), [1000, 3000, 3000].map(ms));
    let script = Script::new();
    assert_eq!(capped(&script).await, Err("down"));
    assert_eq!(script.waits(), [500, 500, 500].map(ms));
}
