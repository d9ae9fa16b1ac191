//! The context is restored on every exit of a poll.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use resilience::context::{self, Context, Priority};
use resilience::{Rejected, RetryPolicy, retry, testing, timeout};
use tokio::time::sleep;

use crate::{Failure, MS, SECS};

#[timeout("5s", name = "five")]
async fn five<F: Future<Output = ()>>(body: F) -> Result<(), Rejected> {
    body.await;
    Ok(())
}

fn outside() {
    assert_eq!((context::remaining(), context::set_by()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn between_two_polls_the_context_is_empty() {
    let mut future = pin!(five(async {
        assert_eq!(context::set_by(), Some("five"));
        sleep(SECS(1)).await;
        assert_eq!(context::remaining(), Some(SECS(4)));
    }));
    let mut polls = 0;
    poll_fn(|cx| {
        outside();
        polls += 1;
        let polled = future.as_mut().poll(cx);
        outside();
        polled
    })
    .await
    .unwrap();
    assert_eq!(polls, 2);
}

#[test]
fn a_panic_restores_the_context() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let panics = || runtime.block_on(five(async { panic!("on purpose") }));
    catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    outside();
    #[retry(attempts = 2, deadline = "5s")]
    fn sync() -> Result<(), Failure> {
        assert!(context::remaining().is_some());
        panic!("on purpose")
    }
    catch_unwind(sync).unwrap_err();
    outside();
    let context = Context::new().priority(Priority::Critical);
    catch_unwind(|| context.run(|| panic!("on purpose"))).unwrap_err();
    assert_eq!(context::priority(), None);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_dropped_leaves_nothing() {
    tokio::select! {
        _ = five(pending()) => unreachable!(),
        () = sleep(MS(1)) => {}
    }
    outside();
    let mut dropped = Box::pin(five(pending()));
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert!(dropped.as_mut().poll(&mut cx).is_pending());
    drop(dropped);
    outside();
}

#[tokio::test(start_paused = true)]
async fn two_branches_of_a_join_have_their_own_contexts() {
    #[timeout("9s", name = "nine")]
    async fn nine() -> Result<(), Rejected> {
        for left in [9, 8, 7] {
            assert_eq!((context::set_by(), context::remaining()), (Some("nine"), Some(SECS(left))));
            sleep(SECS(1)).await;
        }
        Ok(())
    }
    let other = five(async {
        for left in [5, 4, 3] {
            assert_eq!((context::set_by(), context::remaining()), (Some("five"), Some(SECS(left))));
            sleep(SECS(1)).await;
        }
    });
    let (first, second) = tokio::join!(nine(), other);
    first.and(second).unwrap();
    outside();
}

#[test]
fn a_runtime_inside_inherits_and_restores_the_context() {
    #[retry(attempts = 2, deadline = "7s", name = "seven")]
    fn blocking() -> Result<(), Rejected> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(five(async {
            assert_eq!(context::set_by(), Some("five"));
        }))?;
        assert_eq!(context::set_by(), Some("seven"));
        Ok(())
    }
    blocking().unwrap();
    outside();
}

#[test]
fn a_destructor_of_a_carried_future_sees_the_context() {
    struct Noticed<'s>(&'s std::cell::Cell<Option<&'static str>>);
    impl Drop for Noticed<'_> {
        fn drop(&mut self) {
            self.0.set(context::set_by());
        }
    }
    let _clock = testing::clock();
    let seen = std::cell::Cell::new(None);
    let noticed = Noticed(&seen);
    let future = Context::new().deadline(SECS(1), "import").scope(async move {
        let _noticed = noticed;
        pending::<()>().await;
    });
    drop(future);
    assert_eq!(seen.get(), Some("import"));
    outside();
}

#[test]
fn a_poll_after_the_end_of_an_outer_context_keeps_the_deadline_of_the_call() {
    let _clock = testing::clock();
    let mut future = Box::pin(Context::new().deadline(SECS(3), "first").scope(pending::<()>()));
    let mut cx = TaskContext::from_waker(Waker::noop());
    let second = Context::new().deadline(SECS(1), "second");
    assert_eq!(second.run(|| future.as_mut().poll(&mut cx)), Poll::Pending);
    second.run(|| assert_eq!(context::set_by(), Some("second")));
    outside();
}

#[tokio::test(start_paused = true)]
async fn a_policy_by_hand_restores_the_name_of_an_outer_deadline() {
    let outer = RetryPolicy::new().deadline(SECS(9)).name("outer");
    let inner = RetryPolicy::new().deadline(SECS(2)).name("inner");
    let seen: Result<_, Failure> = outer
        .run_async(async || {
            let inside = inner.run_async(async || Ok::<_, Failure>(context::set_by())).await;
            let again = inner.run(|| Ok::<_, Failure>(context::set_by()));
            Ok((inside, again, context::set_by()))
        })
        .await;
    assert_eq!(seen, Ok((Ok(Some("inner")), Ok(Some("inner")), Some("outer"))));
    outside();
}
