//! The events for hooks.
#![allow(clippy::items_after_statements, reason = "a function stands near its calls")]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use resilience::{
    DelaySource, FailureClass, GiveUpEvent, RetryEvent, RetryPolicy, StopReason, retry, testing,
};

use crate::ms;

/// The events, in order.
#[derive(Debug, PartialEq)]
enum Told {
    Call,
    Retry { attempt: u32, delay: Duration, elapsed: Duration, source: DelaySource },
    GiveUp { attempt: u32, reason: StopReason, elapsed: Duration },
}

type Log = RefCell<Vec<Told>>;

fn tell_retry(log: &Log, event: &RetryEvent<'_, &'static str>) {
    assert_eq!((event.error, event.class), (Some(&"down"), FailureClass::transient()));
    log.borrow_mut().push(Told::Retry {
        attempt: event.attempt,
        delay: event.delay,
        elapsed: event.elapsed,
        source: event.delay_source,
    });
}

fn tell_give_up(log: &Log, event: &GiveUpEvent<'_, &'static str>) {
    let GiveUpEvent { attempt, reason, elapsed, .. } = *event;
    log.borrow_mut().push(Told::GiveUp { attempt, reason, elapsed });
}

#[tokio::test(start_paused = true)]
async fn hooks_see_every_retry_and_the_end() {
    #[retry(
        jitter = "none",
        deadline = "30s",
        on_retry = |event| tell_retry(log, event),
        on_give_up = |event| tell_give_up(log, event)
    )]
    async fn fail(log: &Log) -> Result<(), &'static str> {
        log.borrow_mut().push(Told::Call);
        tokio::time::sleep(ms(10)).await;
        Err("down")
    }
    let log = Log::default();
    assert_eq!(fail(&log).await, Err("down"));
    let retry = |attempt, delay, elapsed| Told::Retry {
        attempt,
        delay: ms(delay),
        elapsed: ms(elapsed),
        source: DelaySource::Backoff,
    };
    assert_eq!(
        log.into_inner(),
        [
            Told::Call,
            retry(1, 100, 10),
            Told::Call,
            retry(2, 200, 120),
            Told::Call,
            Told::GiveUp { attempt: 3, reason: StopReason::Attempts, elapsed: ms(330) },
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_elapsed_counts_from_the_first_failure() {
    #[retry(attempts = 2, backoff = "fixed", on_give_up = |event| elapsed.push(event.elapsed))]
    async fn fail(elapsed: &mut Vec<Duration>) -> Result<(), ()> {
        tokio::time::sleep(ms(10)).await;
        Err(())
    }
    let mut elapsed = Vec::new();
    assert_eq!(fail(&mut elapsed).await, Err(()));
    assert_eq!(elapsed, [ms(110)]);
}

#[test]
fn names() {
    fn note(event: &GiveUpEvent<'_, ()>) {
        NAME.set(event.name);
    }
    thread_local!(static NAME: Cell<&'static str> = const { Cell::new("") });

    #[retry(on = |()| false, on_give_up = note)]
    fn by_itself() -> Option<()> {
        None
    }
    #[retry(on = |()| false, name = "payments", on_give_up = note)]
    fn named() -> Option<()> {
        None
    }
    static NAMED: RetryPolicy = RetryPolicy::new().attempts(1).name("shared");
    static UNNAMED: RetryPolicy = RetryPolicy::new().attempts(1);

    #[retry(policy = NAMED, on_give_up = note)]
    fn by_policy() -> Option<()> {
        None
    }
    #[retry(policy = UNNAMED, on_give_up = note)]
    fn by_path() -> Option<()> {
        None
    }
    #[retry(policy = NAMED, name = "by key", on_give_up = note)]
    fn by_key() -> Option<()> {
        None
    }
    let path = concat!(module_path!(), "::by_path");
    for (call, expected) in
        [(by_policy as fn() -> _, "shared"), (by_path, path), (by_key, "by key")]
    {
        assert_eq!(call(), None);
        assert_eq!(NAME.get(), expected);
    }
    assert_eq!(by_itself(), None);
    assert_eq!(NAME.get(), concat!(module_path!(), "::by_itself"));
    assert_eq!(named(), None);
    assert_eq!(NAME.get(), "payments");
}

#[test]
fn every_stop_reason_is_reported() {
    fn reason(class: FailureClass, idempotent: bool) -> Option<StopReason> {
        #[retry(
            on = |class| *class,
            idempotent = idempotent,
            deadline = "100s",
            max_retry_after = "10m",
            on_give_up = |event| *reason = Some(event.reason)
        )]
        fn fail(
            class: FailureClass,
            idempotent: bool,
            reason: &mut Option<StopReason>,
        ) -> Result<(), FailureClass> {
            Err(class)
        }
        let mut reason = None;
        assert_eq!(fail(class, idempotent, &mut reason), Err(class));
        reason
    }
    let _guard = testing::no_waits();
    let after = |seconds| FailureClass::throttled(Some(Duration::from_secs(seconds)));
    assert_eq!(reason(FailureClass::permanent(), true), Some(StopReason::Permanent));
    assert_eq!(reason(FailureClass::transient(), false), Some(StopReason::NotIdempotent));
    assert_eq!(reason(FailureClass::transient(), true), Some(StopReason::Attempts));
    assert_eq!(reason(after(100), true), Some(StopReason::Deadline));
    assert_eq!(reason(after(601), true), Some(StopReason::RetryAfter));
}

#[test]
fn a_retried_value_has_no_error() {
    #[retry(
        attempts = 2,
        on_ok = |()| true,
        on_retry = |event| errors.borrow_mut().push(event.error.copied()),
        on_give_up = |event| errors.borrow_mut().push(event.error.copied())
    )]
    fn poll(errors: &RefCell<Vec<Option<u32>>>) -> Result<(), u32> {
        Ok(())
    }
    let _guard = testing::no_waits();
    let errors = RefCell::default();
    assert_eq!(poll(&errors), Ok(()));
    assert_eq!(errors.into_inner(), [None, None]);
}

/// A macro makes the functions and their names.
#[test]
fn a_name_may_come_from_a_macro() {
    macro_rules! functions {
        ($($name:ident: $argument:expr),* $(,)?) => {
            $(
                #[retry(on = |()| false, name = $argument, on_give_up = |event| name.set(event.name))]
                fn $name(name: &Cell<&'static str>) -> Result<(), ()> {
                    Err(())
                }
            )*
        };
    }
    functions! {
        concatenated: concat!("api.", stringify!(load)),
        stringified: stringify!(store),
    }
    let name = Cell::new("");
    assert!(concatenated(&name).is_err());
    assert_eq!(name.get(), "api.load");
    assert!(stringified(&name).is_err());
    assert_eq!(name.get(), "store");
}

#[test]
fn the_name_of_a_breaker_may_come_from_a_macro() {
    #[resilience::circuit_breaker(name = concat!("api.", stringify!(breaker)))]
    #[resilience::fallback(name = concat!("api.", "fallback"), value = 7, on = |()| false)]
    fn layered() -> Option<u32> {
        None
    }
    assert_eq!(layered(), None);
    assert!(resilience::circuit_breaker("api.breaker").is_some());
}

#[test]
fn a_limit_of_zero_attempts_is_reported_as_one() {
    let limits = RefCell::new(Vec::new());
    let policy = RetryPolicy::new().attempts(0);
    let out: Result<(), &str> = policy
        .on(|_: &&str| true)
        .on_give_up(|event| limits.borrow_mut().push((event.attempt, event.attempts)))
        .run(|| Err("down"));
    assert!(out.is_err());
    assert_eq!(limits.take(), [(1, Some(1))]);
}
