//! The information about an attempt in the body.

use std::time::Duration;

use resilience::{Classify, Effect, FailureClass, Rejected, RejectedKind, retry, testing, timeout};

use crate::ms;

type Seen = (u32, Option<Duration>, Duration, bool);

#[tokio::test(start_paused = true)]
async fn bind_names_the_attempt() {
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
fn bind_works_in_sync_functions_and_methods() {
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

/// Fails with the rest of these errors, in order; then returns the observations of each attempt.
fn next(left: &mut Vec<FailureClass>) -> Result<(), FailureClass> {
    if left.is_empty() { Ok(()) } else { Err(left.remove(0)) }
}

#[test]
fn after_ambiguous_reports_a_possible_side_effect() {
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
        // The flag stays set, however later attempts end.
        (
            &[sent(Effect::NotSent), sent(Effect::Unknown), sent(Effect::NotSent)],
            &[false, false, true, true],
        ),
        // The delay from the server is kept next to the flag.
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
fn unclassified_errors_and_values_are_ambiguous() {
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
fn flags_and_the_longest_delays_do_not_mix() {
    const HALF_CENTURY: Duration = Duration::from_secs(50 * 365 * 86_400);
    const FOREVER: Duration = Duration::MAX;
    #[retry(
        bind = attempt,
        attempts = 4,
        backoff = [HALF_CENTURY, FOREVER],
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
        assert_eq!(seen[..2], [(None, false), (Some(HALF_CENTURY), ambiguous)]);
        // The longest delay that is reported.
        for (delay, known) in &seen[2..] {
            assert!(delay.is_some_and(|delay| delay > HALF_CENTURY), "{seen:?}");
            assert_eq!(*known, ambiguous);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_timed_out_attempt_is_ambiguous() {
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
