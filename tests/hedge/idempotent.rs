//! A hedge that is declared safe by an `#[idempotent]` below: one body runs for both attempts.

use std::cell::{Cell, RefCell};

use resilience::{hedge, idempotent, testing};

use crate::{Log, sleep};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Charges once for each order: both attempts have the key of the order.
#[hedge(after = "10ms", budget = 1.0)]
#[idempotent(key = order, scope = "global", fingerprint(order), name = "hedged.charge")]
async fn charge(order: &str, log: &Log, times: &[u64], fails: &Cell<u32>) -> Result<u32, Failure> {
    let (attempt, _running) = log.start();
    sleep(times[attempt]).await;
    if fails.get() > 0 {
        fails.set(fails.get() - 1);
        return Err("down".into());
    }
    Ok(7)
}

#[tokio::test(start_paused = true)]
async fn the_second_attempt_waits_for_the_outcome_of_the_first() {
    let _state = testing::fresh_state();
    let log = Log::new();
    assert_eq!(charge("slow", &log, &[50], &Cell::new(0)).await.unwrap(), 7);
    // The body ran once, although a hedge started after 10 ms.
    assert_eq!((log.starts(), log.now()), (vec![0], 50));
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_first_attempt_leaves_the_key_to_the_second() {
    let _state = testing::fresh_state();
    let log = Log::new();
    let fails = Cell::new(1);
    assert_eq!(charge("fails", &log, &[30, 5], &fails).await.unwrap(), 7);
    // The second attempt waits from 10 ms on, and runs the body after the failure at 30 ms.
    assert_eq!(log.starts().len(), 2);
    let second = log.starts()[1];
    assert!((30..=130).contains(&second), "the second body starts at {second} ms");
}

#[tokio::test(start_paused = true)]
async fn a_hedged_call_with_a_known_key_runs_no_body() {
    let _state = testing::fresh_state();
    let log = Log::new();
    let fails = Cell::new(0);
    for _ in 0..2 {
        assert_eq!(charge("known", &log, &[20], &fails).await.unwrap(), 7);
    }
    assert_eq!(log.starts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn many_hedged_calls_with_one_key_run_one_body() {
    let _state = testing::fresh_state();
    let (log, fails) = (Log::new(), Cell::new(0));
    let outcomes = RefCell::new(Vec::new());
    let call = async || {
        let outcome = charge("shared", &log, &[40], &fails).await;
        outcomes.borrow_mut().push(outcome.unwrap());
    };
    tokio::join!(call(), call(), call(), call());
    assert_eq!((outcomes.into_inner(), log.starts()), (vec![7; 4], vec![0]));
}
