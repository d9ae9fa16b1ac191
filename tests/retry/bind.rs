//! What a body can know of its attempt.

use std::time::Duration;

use resilience::{Classify, Effect, FailureClass, Rejected, RejectedKind, retry, testing, timeout};

use crate::ms;

type Seen = (u32, Option<Duration>, Duration, bool);

#[tokio::test(start_paused = true)]
async fn the_attempt_by_name() {
    #[retry(bind = attempt, jitter = "none", deadline = "10s")]
    async fn call(seen: &mut Vec<Seen>) -> Result<(), u32> {
        seen.push((
            attempt.number(),
            attempt.previous_delay(),
            attempt.elapsed(),
            attempt.is_last(),
        ));
        tokio::time::sleep(ms(10)).await;
        Err(attempt.number())
    }
    let mut seen = Vec::new();
    assert_eq!(call(&mut seen).await, Err(3));
    assert_eq!(
        seen,
        [
            (1, None, ms(0), false),
            (2, Some(ms(100)), ms(110), false),
            (3, Some(ms(200)), ms(320), true),
        ]
    );
}

#[test]
fn in_sync_functions_and_methods() {
    struct Client {
        log: Vec<u32>,
    }
    impl Client {
        #[retry(bind = n, attempts = "unlimited", clone(text))]
        fn call(&mut self, mut text: String) -> Result<String, ()> {
            self.log.push(n.number());
            text.push_str(&n.number().to_string());
            assert!(!n.is_last(), "there is no last");
            if n.number() < 3 { Err(()) } else { Ok(text) }
        }
    }
    let _guard = testing::no_waits();
    let mut client = Client { log: vec![] };
    assert_eq!(client.call("x".into()), Ok("x3".into()));
    assert_eq!(client.log, [1, 2, 3]);
}

/// Fails with what is left of these, in order; then says what it knew each time.
fn next(left: &mut Vec<FailureClass>) -> Result<(), FailureClass> {
    if left.is_empty() { Ok(()) } else { Err(left.remove(0)) }
}

#[test]
fn whether_an_attempt_before_may_have_been_applied() {
    #[retry(bind = attempt, attempts = 9, on = |class| *class, on_rejection = "wait")]
    fn sync(left: &mut Vec<FailureClass>, seen: &mut Vec<bool>) -> Result<(), FailureClass> {
        seen.push(attempt.after_ambiguous());
        next(left)
    }
    #[retry(bind = attempt, attempts = 9, on = |class| *class, on_rejection = "wait")]
    async fn later(left: &mut Vec<FailureClass>, seen: &mut Vec<bool>) -> Result<(), FailureClass> {
        std::future::ready(()).await;
        seen.push(attempt.after_ambiguous());
        next(left)
    }
    let _guard = testing::no_waits();
    let sent = |sent| FailureClass::transient().effect(sent);
    let rejected = Rejected::new(RejectedKind::BulkheadFull, "pool", None).classify();
    for (failures, expected) in [
        (&[][..], &[false][..]),
        (&[sent(Effect::NotSent), sent(Effect::Refused), rejected], &[false, false, false, false]),
        (&[sent(Effect::Unknown)], &[false, true]),
        (&[sent(Effect::Applied)], &[false, true]),
        // It stays known, however the attempts between have ended.
        (
            &[sent(Effect::NotSent), sent(Effect::Unknown), sent(Effect::NotSent)],
            &[false, false, true, true],
        ),
        // A server's own delay is kept beside it.
        (&[FailureClass::throttled(Some(ms(5))), sent(Effect::NotSent)], &[false, true, true]),
    ] {
        let mut seen = Vec::new();
        assert_eq!(sync(&mut failures.to_vec(), &mut seen), Ok(()));
        assert_eq!(seen, expected, "{failures:?}");
        seen.clear();
        let mut left = failures.to_vec();
        assert_eq!(futures::executor::block_on(later(&mut left, &mut seen)), Ok(()));
        assert_eq!(seen, expected, "{failures:?}");
    }
}

#[test]
fn an_error_that_nobody_has_classified_and_a_value_leave_it_open_too() {
    #[retry(bind = attempt, on_ok = |ambiguous| !*ambiguous)]
    fn value() -> Result<bool, ()> {
        Ok(attempt.after_ambiguous())
    }
    #[retry(bind = attempt)]
    fn unclassified() -> Result<(), bool> {
        if attempt.number() == 1 { Err(false) } else { Err(attempt.after_ambiguous()) }
    }
    let _guard = testing::no_waits();
    assert_eq!(value(), Ok(true));
    assert_eq!(unclassified(), Err(true));
}

#[test]
fn what_it_knows_and_the_longest_waits_do_not_mix() {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
    const FOREVER: Duration = Duration::MAX;
    #[retry(
        bind = attempt,
        attempts = 4,
        backoff = [CENTURY, FOREVER],
        jitter = "none",
        on = |sent| FailureClass::transient().effect(*sent)
    )]
    fn call(sent: Effect, seen: &mut Vec<(Option<Duration>, bool)>) -> Result<(), Effect> {
        seen.push((attempt.previous_delay(), attempt.after_ambiguous()));
        Err(sent)
    }
    let _guard = testing::no_waits();
    for (sent, ambiguous) in [(Effect::NotSent, false), (Effect::Unknown, true)] {
        let mut seen = Vec::new();
        assert_eq!(call(sent, &mut seen), Err(sent));
        assert_eq!(seen[..2], [(None, false), (Some(CENTURY), ambiguous)]);
        // The longest that is told.
        for (delay, known) in &seen[2..] {
            assert!(delay.is_some_and(|delay| delay > CENTURY), "{seen:?}");
            assert_eq!(*known, ambiguous);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_cut_off_may_have_been_applied() {
    #[retry(bind = attempt, attempts = 2, jitter = "none")]
    #[timeout("1s", error = |_| false)]
    async fn slow() -> Result<(), bool> {
        if attempt.number() == 2 {
            return Err(attempt.after_ambiguous());
        }
        std::future::pending().await
    }
    assert_eq!(slow().await, Err(true));
}
