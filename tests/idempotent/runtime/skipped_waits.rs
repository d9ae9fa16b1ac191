//! Waits that a guard of a test skips count for the limits of a call.

use std::future::{Future, poll_fn};

use resilience::{IdempotencyRejection, Rejected, RejectedKind, testing};
use tokio::time::{Instant, sleep};

use super::calls::{POLICY, call, ms, store};
use super::transactions::Ledger;

const IN_FLIGHT: Result<u32, RejectedKind> =
    Err(RejectedKind::Idempotency(IdempotencyRejection::InFlight));

/// Returns the output of a future. The test fails if the future wakes itself without an end, which
/// would stop the paused clock.
async fn with_an_end<F: Future>(future: F) -> F::Output {
    let (mut future, mut polls) = (Box::pin(future), 0);
    poll_fn(|cx| {
        polls += 1;
        assert!(polls < 10_000, "the wait never ends");
        future.as_mut().poll(cx)
    })
    .await
}

fn kind(end: Result<u32, Rejected>) -> Result<u32, RejectedKind> {
    end.map_err(|rejected| rejected.kind())
}

/// Calls that wait for a holder without an end.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_running_call_ends() {
    let (_waits, store, begin) = (testing::no_waits(), store(), Instant::now());
    let policy = POLICY.wait(ms(5000));
    let holder = call(policy, &store, "k").run_async(async {
        sleep(ms(60_000)).await;
        Ok::<_, Rejected>(1)
    });
    let waiter = || async {
        let end = call(policy, &store, "k").run_async(async { Ok(2) }).await;
        (kind(end), begin.elapsed() < ms(60_000))
    };
    let all = async { tokio::join!(holder, waiter(), waiter(), waiter()) };
    let (end, first, second, third) = Box::pin(with_an_end(all)).await;
    assert_eq!(end, Ok(1));
    for waiter in [first, second, third] {
        assert_eq!(waiter, (IN_FLIGHT, true));
    }
}

/// A waiting call gets the outcome of a holder that ends during the skipped waits.
#[tokio::test(start_paused = true)]
async fn a_waiting_call_sees_the_end_of_the_running_call() {
    let (_waits, store) = (testing::no_waits(), store());
    let holder = call(POLICY, &store, "k").run_async(async {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        Ok::<_, Rejected>(1)
    });
    let waiter = call(POLICY, &store, "k").run_async(async { Ok::<_, Rejected>(2) });
    let ends = with_an_end(async { tokio::join!(holder, waiter) }).await;
    assert_eq!(ends, (Ok(1), Ok(1)));
}

/// A transaction that waits for another transaction.
#[tokio::test(start_paused = true)]
async fn the_wait_in_a_transaction_ends() {
    let (_waits, store) = (testing::no_waits(), store());
    let held = call(POLICY, &store, "k").claim().await;
    let mut tx = Ledger;
    let waiter = call(POLICY, &store, "k").run_in(&mut tx, async |_| Ok::<_, Rejected>(2));
    assert_eq!(kind(with_an_end(waiter).await), IN_FLIGHT);
    drop(held);
}
