//! The last good value while a dependency fails.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use resilience::{
    PolicyKind, Rejected, RejectedKind, circuit_breaker, fallback, retry, stale_age,
    stale_age_async, testing,
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Down,
    NotFound,
    Rejected(RejectedKind),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected.kind())
    }
}

type Outcome = Result<u32, Failure>;

const DOWN: Outcome = Err(Failure::Down);

#[test]
fn a_failure_returns_the_last_good_value_of_the_key_up_to_the_age() {
    #[fallback(stale = "10m", key = id)]
    fn price(id: u32, answer: Outcome) -> Outcome {
        let _ = id;
        answer
    }
    let clock = testing::clock();
    assert_eq!(price(1, DOWN), DOWN);
    assert_eq!((price(1, Ok(10)), price(2, Ok(20))), (Ok(10), Ok(20)));
    // A run of failures shorter than `stale`.
    for _ in 0..10 {
        clock.advance(secs(60));
        assert_eq!((price(1, DOWN), price(2, DOWN), price(3, DOWN)), (Ok(10), Ok(20), DOWN));
    }
    // And longer.
    clock.advance(Duration::from_nanos(1));
    assert_eq!((price(1, DOWN), price(2, DOWN)), (DOWN, DOWN));
    assert_eq!((price(1, Ok(11)), price(1, DOWN)), (Ok(11), Ok(11)));
}

/// A value is as old as the start of the call with the value.
#[tokio::test(start_paused = true)]
async fn the_age_counts_from_the_start_of_the_call() {
    #[fallback(stale = "10s", key = ())]
    async fn slow(takes: u64, answer: Outcome) -> Outcome {
        tokio::time::sleep(secs(takes)).await;
        answer
    }
    let call = async |takes, answer| stale_age_async(slow(takes, answer)).await;
    assert_eq!(call(4, Ok(1)).await, (Ok(1), None));
    let (out, age) = call(0, DOWN).await;
    // Tokio rounds up to a millisecond.
    assert_eq!((out, age.map(|age| age.as_secs())), (Ok(1), Some(4)));
    let (out, age) = call(5, DOWN).await;
    assert_eq!((out, age.map(|age| age.as_secs())), (Ok(1), Some(9)));
    assert_eq!(call(2, DOWN).await, (DOWN, None));
}

/// A slow call that started earlier does not replace a newer value.
#[tokio::test(start_paused = true)]
async fn an_older_call_that_ends_later_does_not_replace_a_newer_value() {
    #[fallback(stale = "1h", key = ())]
    async fn slow(takes: u64, answer: Outcome) -> Outcome {
        tokio::time::sleep(secs(takes)).await;
        answer
    }
    let newer = async {
        tokio::time::sleep(secs(1)).await;
        slow(1, Ok(2)).await
    };
    assert_eq!(tokio::join!(slow(9, Ok(1)), newer), (Ok(1), Ok(2)));
    assert_eq!(slow(0, DOWN).await, Ok(2));
}

#[test]
fn the_value_is_served_while_the_circuit_is_open() {
    #[fallback(stale = "10m", key = ())]
    #[retry(attempts = 2, base_delay = "1ms")]
    #[circuit_breaker(failure_threshold = 2, reset_timeout = "1h")]
    fn price(answer: Outcome, calls: &Cell<u32>) -> Outcome {
        calls.set(calls.get() + 1);
        answer.clone()
    }
    let _clock = testing::clock();
    let calls = Cell::new(0);
    assert_eq!(price(Ok(7), &calls), Ok(7));
    for _ in 0..5 {
        assert_eq!(price(DOWN, &calls), Ok(7));
    }
    // Two failures opened the circuit.
    assert_eq!(calls.get(), 3);
}

#[test]
fn only_selected_errors_are_replaced_and_bad_values_are_not_kept() {
    #[fallback(
        stale = "10m",
        key = (),
        on = |error| *error == Failure::Down,
        on_ok = |value| *value == 0
    )]
    fn price(answer: Outcome) -> Outcome {
        answer
    }
    assert_eq!(price(Ok(0)), Ok(0));
    assert_eq!(price(Ok(7)), Ok(7));
    assert_eq!(price(Ok(0)), Ok(7));
    assert_eq!(price(DOWN), Ok(7));
    assert_eq!(price(Err(Failure::NotFound)), Err(Failure::NotFound));
}

#[test]
fn the_oldest_value_is_evicted_and_values_are_dropped() {
    #[fallback(stale = "10m", key = id, max_keys = 3)]
    fn load(id: u32, answer: Option<Arc<u32>>) -> Option<Arc<u32>> {
        let _ = id;
        answer
    }
    let clock = testing::clock();
    let values: Vec<_> = (0..5).map(Arc::new).collect();
    for (id, value) in (0..).zip(&values) {
        load(id, Some(Arc::clone(value)));
        clock.advance(secs(1));
        // A refreshed value is the newest.
        load(0, Some(Arc::clone(&values[0])));
        clock.advance(secs(1));
    }
    let kept: Vec<_> = (0..5).map(|id| load(id, None).is_some()).collect();
    assert_eq!(kept, [true, false, false, true, true]);
    let counts = || values.iter().map(Arc::strong_count).collect::<Vec<_>>();
    assert_eq!(counts(), [2, 1, 1, 2, 2]);
    // Values that are too old are removed by later calls of any key.
    clock.advance(secs(700));
    load(9, Some(Arc::new(9)));
    load(9, Some(Arc::new(9)));
    assert_eq!(counts(), [1, 1, 1, 1, 1]);
}

#[test]
fn values_of_other_types_instances_and_tenants_are_not_returned() {
    #[fallback(stale = "10m", key = ())]
    fn parse<T: std::str::FromStr + Clone + Send + Sync + 'static>(text: &str) -> Option<T> {
        text.parse().ok()
    }
    assert_eq!((parse::<u32>("7"), parse::<u64>("8")), (Some(7), Some(8)));
    assert_eq!((parse::<u32>("?"), parse::<u64>("?"), parse::<i8>("?")), (Some(7), Some(8), None));

    struct Tenant(&'static str);
    impl Tenant {
        #[fallback(stale = "10m", key = self.0)]
        fn name(&self, is_up: bool) -> Option<&'static str> {
            is_up.then_some(self.0)
        }
    }
    assert_eq!(Tenant("a").name(true), Some("a"));
    assert_eq!((Tenant("a").name(false), Tenant("b").name(false)), (Some("a"), None));
}

#[test]
fn aged_changes_the_value_and_the_caller_can_ask_for_the_age() {
    #[fallback(stale = "10m", key = (), aged = |(price, _), age| (price, age.as_secs()))]
    fn price(answer: Result<(u32, u64), ()>) -> Result<(u32, u64), ()> {
        answer
    }
    fn through_a_function_without_attributes(answer: Result<(u32, u64), ()>) -> u64 {
        price(answer).map_or(0, |(_, age)| age)
    }
    let clock = testing::clock();
    assert_eq!(price(Ok((7, 0))), Ok((7, 0)));
    clock.advance(secs(90));
    assert_eq!(price(Err(())), Ok((7, 90)));
    let (age, oldest) = stale_age(|| through_a_function_without_attributes(Err(())));
    assert_eq!((age, oldest), (90, Some(secs(90))));
    // A scope reports the oldest value, and an inner scope is a part of the outer scope.
    let (inner, outer) = stale_age(|| {
        let (_, inner) = stale_age(|| price(Err(())));
        clock.advance(secs(1));
        (inner, price(Ok((8, 0))).is_ok() && price(Err(())).is_ok())
    });
    assert_eq!((inner, outer), ((Some(secs(90)), true), Some(secs(90))));
    assert_eq!(stale_age(|| price(Ok((9, 0)))), (Ok((9, 0)), None));
}

#[test]
fn futures_on_one_thread_have_their_own_scopes() {
    #[fallback(stale = "10m", key = ())]
    async fn price(answer: Option<u32>) -> Option<u32> {
        tokio::task::yield_now().await;
        answer
    }
    let clock = testing::clock();
    futures::executor::block_on(async {
        price(Some(7)).await;
        clock.advance(secs(5));
        let one = stale_age_async(price(None));
        let two = stale_age_async(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            1
        });
        let (one, two) = futures::join!(one, two);
        assert_eq!((one, two), ((Some(7), Some(secs(5))), (1, None)));
    });
}

#[test]
fn the_value_is_no_failure_for_the_layers_above_and_the_switch_turns_it_off() {
    #[fallback(stale = "10m", key = (), on = |_| true)]
    fn inner(answer: Outcome) -> Outcome {
        answer
    }
    assert_eq!(inner(Ok(7)), Ok(7));
    let fresh = testing::fresh_state();
    assert_eq!(inner(DOWN), DOWN);
    drop(fresh);
    assert_eq!(inner(DOWN), Ok(7));
}

#[test]
fn calls_with_a_last_good_value_are_counted_by_outcome() {
    #[fallback(stale = "10m", key = (), name = "stale::counted")]
    fn price(answer: Outcome) -> Outcome {
        answer
    }
    resilience::count_successes();
    let outcomes = [DOWN, Ok(1), DOWN, DOWN].map(price);
    assert_eq!(outcomes, [DOWN, Ok(1), Ok(1), Ok(1)]);
    let reports = resilience::policies_matching("stale::counted");
    let report = reports.iter().find(|report| report.kind == PolicyKind::Fallback).expect("listed");
    let count = |outcome| report.count("resilience.calls", &[outcome]);
    assert_eq!(["success", "failure", "last_good", "fallback"].map(count), [1, 1, 2, 0]);
}

#[test]
fn the_hook_gets_the_failure_and_the_age() {
    type Seen = RefCell<Vec<(Option<Failure>, Option<Duration>)>>;
    #[fallback(
        stale = "10m",
        key = (),
        on_fallback = |event| seen.borrow_mut().push((event.error.cloned(), event.age))
    )]
    fn price(answer: &Outcome, seen: &Seen) -> Outcome {
        let _ = seen;
        answer.clone()
    }
    let clock = testing::clock();
    let seen = Seen::default();
    assert_eq!((price(&DOWN, &seen), price(&Ok(7), &seen)), (DOWN, Ok(7)));
    clock.advance(secs(30));
    assert_eq!(price(&DOWN, &seen), Ok(7));
    assert_eq!(seen.into_inner(), [(Some(Failure::Down), Some(secs(30)))]);
}

/// The value of a function that used an old value is as old as that value.
#[tokio::test(start_paused = true)]
async fn a_value_made_of_a_last_good_value_keeps_its_age() {
    #[fallback(stale = "10m", key = ())]
    async fn price(answer: Outcome) -> Outcome {
        answer
    }
    #[fallback(stale = "15m", key = ())]
    async fn offer(inner: Outcome, answer: Outcome) -> Outcome {
        price(inner).await?;
        answer
    }
    #[fallback(stale = "15m", key = ())]
    fn sync_offer(inner: Outcome) -> Outcome {
        sync_price(inner)
    }
    #[fallback(stale = "10m", key = ())]
    fn sync_price(answer: Outcome) -> Outcome {
        answer
    }
    assert_eq!((price(Ok(1)).await, sync_price(Ok(1))), (Ok(1), Ok(1)));
    tokio::time::advance(secs(500)).await;
    // The age reaches the scope of the caller as well.
    assert_eq!(stale_age_async(offer(DOWN, Ok(2))).await, (Ok(2), Some(secs(500))));
    assert_eq!(stale_age(|| sync_offer(DOWN)), (Ok(1), Some(secs(500))));
    tokio::time::advance(secs(300)).await;
    assert_eq!(stale_age_async(offer(Ok(1), DOWN)).await, (Ok(2), Some(secs(800))));
    tokio::time::advance(secs(101)).await;
    // Older than 15 minutes.
    assert_eq!(offer(Ok(1), DOWN).await, DOWN);
    assert_eq!(sync_offer(DOWN), DOWN);
}
