//! Contexts that code of the user makes, and the values that calls inside read.

use std::cell::RefCell;
use std::future::{pending, ready};

use resilience::context::{self, Context, Priority};
use resilience::{Nested, Rejected, RetryPolicy, retry, testing, timeout};

use crate::SECS;

#[test]
fn an_empty_context_and_code_without_a_context_have_no_values() {
    let read = || (context::attempt(), context::nested(), context::priority());
    assert_eq!(read(), (None, None, None));
    assert_eq!((context::remaining(), context::set_by()), (None, None));
    let full = Context::new().deadline(SECS(1), "job").priority(Priority::Critical).attempt(2);
    full.nested(Nested::OuterOnly).run(|| {
        assert_eq!(Context::new().run(read), (None, None, None));
        assert_eq!(Context::new().run(context::remaining), None);
    });
    assert_eq!((Context::new().remaining(), Context::current()), (None, Context::new()));
}

#[test]
fn the_earlier_deadline_stays_and_the_first_of_two_equal_deadlines() {
    let _clock = testing::clock();
    let read = |context: Context| {
        let inside = context.run(|| (context::remaining(), context::set_by()));
        assert_eq!(context.remaining(), inside.0);
        inside
    };
    let first = Context::new().deadline(SECS(5), "first");
    assert_eq!(read(first), (Some(SECS(5)), Some("first")));
    assert_eq!(read(first.deadline(SECS(6), "later")), (Some(SECS(5)), Some("first")));
    assert_eq!(read(first.deadline(SECS(5), "equal")), (Some(SECS(5)), Some("first")));
    assert_eq!(read(first.deadline(SECS(4), "earlier")), (Some(SECS(4)), Some("earlier")));
}

#[test]
fn the_current_context_has_all_values_of_the_running_code() {
    let _clock = testing::clock();
    let made = Context::new()
        .deadline(SECS(5), "job")
        .priority(Priority::Sheddable)
        .nested(Nested::OuterOnly)
        .attempt(7);
    assert_ne!(made, Context::new());
    made.run(|| {
        assert_eq!(Context::current(), made);
        assert_eq!(context::priority(), Some(Priority::Sheddable));
    });
}

#[test]
fn the_attempt_is_that_of_the_nearest_retry_or_that_of_the_client() {
    let received = Context::new().attempt(3);
    assert_eq!(received.run(context::attempt), Some(3));
    // A client that repeats the call without a number.
    assert_eq!(Context::new().nested(Nested::Multiply).run(context::attempt), None);
    assert_eq!(Context::new().nested(Nested::Multiply).attempt(3).run(context::attempt), Some(3));
    assert_eq!(Context::new().attempt(4).nested(Nested::Multiply).run(context::attempt), Some(4));

    #[retry(attempts = 2, deadline = "1h")]
    fn annotated(seen: &RefCell<Vec<Option<u32>>>) -> Result<(), &'static str> {
        seen.borrow_mut().push(context::attempt());
        Err("down")
    }
    let _waits = testing::no_waits();
    let (seen, policy) = (RefCell::default(), RetryPolicy::new().attempts(2));
    received.run(|| {
        annotated(&seen).unwrap_err();
        let by_hand = policy.nested(Nested::OuterOnly).run(|| {
            seen.borrow_mut().push(context::attempt());
            Err::<(), _>("down")
        });
        by_hand.unwrap_err();
    });
    assert_eq!(seen.into_inner(), [Some(1), Some(2), Some(1), Some(2)]);
}

#[test]
fn the_effect_on_the_retries_inside_is_that_of_the_nearest_retry() {
    for nested in [Nested::OuterOnly, Nested::Multiply] {
        assert_eq!(Context::new().nested(nested).run(context::nested), Some(nested));
        let policy = RetryPolicy::new().attempts(1).nested(nested);
        assert_eq!(policy.run(|| Ok::<_, ()>(context::nested())), Ok(Some(nested)));
    }
}

/// The number of a call is beside the effect on the retries inside.
#[test]
fn no_number_of_a_call_with_a_deadline_changes_the_attempt() {
    #[retry(attempts = 2, deadline = "1h")]
    fn bounded() -> Result<(Option<u32>, Option<Nested>), Rejected> {
        Ok((context::attempt(), context::nested()))
    }
    for _ in 0..64 {
        assert_eq!(bounded(), Ok((Some(1), Some(Nested::Multiply))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_at_an_equal_time_keeps_the_name_outside() {
    #[timeout("5s", name = "inner")]
    async fn inner() -> Result<Option<&'static str>, Rejected> {
        Ok(context::set_by())
    }
    #[retry(attempts = 2, deadline = "5s", name = "inner")]
    async fn retried() -> Result<Option<&'static str>, Rejected> {
        Ok(context::set_by())
    }
    let by_hand = RetryPolicy::new().attempts(2).deadline(SECS(5)).name("inner");
    #[timeout("5s", name = "outer")]
    async fn outer(by_hand: &RetryPolicy) -> Result<(), Rejected> {
        assert_eq!(inner().await, Ok(Some("outer")));
        assert_eq!(retried().await, Ok(Some("outer")));
        let seen = by_hand.run_async(|| ready(Ok::<_, Rejected>(context::set_by()))).await;
        assert_eq!(seen, Ok(Some("outer")));
        Ok(())
    }
    outer(&by_hand).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_at_a_deadline_of_the_name_of_the_function_has_no_second_name() {
    #[timeout("1m", name = "read")]
    async fn inner() -> Result<(), Rejected> {
        pending().await
    }
    #[retry(attempts = 2, deadline = "2s", name = "read")]
    async fn outer() -> Result<(), Rejected> {
        inner().await
    }
    assert_eq!(outer().await.unwrap_err().to_string(), "read: timed out after 2s");
}

#[test]
fn the_names_of_retries_by_hand_are_restored() {
    let retry = |name| RetryPolicy::new().attempts(1).nested(Nested::OuterOnly).name(name);
    let ran = retry("outer").run(|| {
        let before = Context::current();
        let inside = retry("inner").run(|| Ok::<_, ()>(Context::current()))?;
        assert_ne!(inside, before);
        assert_eq!(Context::current(), before);
        Ok::<_, ()>(())
    });
    assert_eq!((ran, Context::current()), (Ok(()), Context::new()));
}
