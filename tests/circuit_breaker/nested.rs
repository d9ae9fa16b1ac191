//! Calls of a breaker from the body of a trial call of the same breaker.

use core::future::{Future, pending};
use core::pin::Pin;
use core::time::Duration;
use std::cell::{Cell, RefCell};

use resilience::{
    CircuitBreaker, CircuitState, Keyed, Rejected, circuit_breaker, testing, timeout,
};

fn after_the_open_time() -> Duration {
    Duration::from_secs(30)
}

/// An error without a class: every error is a failure, also the rejection of another function.
#[derive(Debug, PartialEq)]
enum Failed {
    Rejected,
    Down,
}

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

#[test]
fn a_function_that_calls_itself_closes_its_circuit() {
    #[circuit_breaker(failure_threshold = 2, name = "nested::tree")]
    fn tree(depth: u32, works: bool) -> Result<u32, Failed> {
        match depth {
            0 if works => Ok(1),
            0 => Err(Failed::Down),
            _ => Ok(tree(depth - 1, works)? + tree(depth - 1, works)?),
        }
    }
    let clock = testing::clock();
    assert_eq!(tree(3, false), Err(Failed::Down));
    let breaker = circuit_breaker("nested::tree").unwrap();
    for _ in 0..3 {
        assert_eq!(tree(3, true), Err(Failed::Rejected));
        clock.advance(after_the_open_time());
        assert_eq!(tree(3, false), Err(Failed::Down));
        assert_eq!(breaker.state(), CircuitState::Open);
    }
    clock.advance(after_the_open_time());
    assert_eq!(tree(3, true), Ok(8));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn two_functions_with_one_breaker_may_call_each_other() {
    static API: CircuitBreaker = CircuitBreaker::new().failure_threshold(1).name("nested::api");
    #[circuit_breaker(breaker = API)]
    async fn token() -> Result<u32, Failed> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(1)
    }
    #[circuit_breaker(breaker = API)]
    #[timeout("1s")]
    async fn user() -> Result<u32, Failed> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let token = token().await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(token + token_by_hand().await?)
    }
    async fn token_by_hand() -> Result<u32, Failed> {
        API.run_async(async {
            tokio::task::yield_now().await;
            API.run(|| Ok(1))
        })
        .await
    }
    for _ in 0..3 {
        API.trip();
        assert_eq!(user().await, Err(Failed::Rejected));
        tokio::time::sleep(2 * after_the_open_time()).await;
        assert_eq!(user().await, Ok(2));
        assert_eq!(API.state(), CircuitState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn an_async_function_that_calls_itself_closes_its_circuit() {
    #[circuit_breaker(name = "nested::pages", slow_call = "9s")]
    async fn pages(rest: u32) -> Result<u32, Failed> {
        tokio::task::yield_now().await;
        if rest == 0 { Ok(1) } else { Ok(1 + Box::pin(pages(rest - 1)).await?) }
    }
    assert_eq!(pages(3).await, Ok(4));
    let breaker = circuit_breaker("nested::pages").unwrap();
    breaker.trip();
    assert_eq!(pages(3).await, Err(Failed::Rejected));
    tokio::time::sleep(2 * after_the_open_time()).await;
    assert_eq!(pages(3).await, Ok(4));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn keys_and_several_breakers_of_a_function_admit_calls_inside() {
    static HOSTS: Keyed<CircuitBreaker> =
        Keyed::new(9, || CircuitBreaker::new().failure_threshold(1).name("nested::hosts"));
    static ALL: CircuitBreaker = CircuitBreaker::new().failure_threshold(1).name("nested::all");
    #[circuit_breaker(breaker = ALL)]
    #[circuit_breaker(breaker = HOSTS.get(host))]
    async fn get(host: &str, pages: u32) -> Result<u32, Failed> {
        tokio::task::yield_now().await;
        match pages {
            0 => Ok(0),
            _ => Ok(1 + Box::pin(get(host, pages - 1)).await?),
        }
    }
    let host = HOSTS.get("a");
    let trips: [&dyn Fn(); 2] = [&|| ALL.trip(), &|| host.trip()];
    for trip in trips {
        trip();
        tokio::time::sleep(2 * after_the_open_time()).await;
        assert_eq!(get("a", 5).await, Ok(5));
        assert_eq!((ALL.state(), host.state()), (CircuitState::Closed, CircuitState::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_beside_a_trial_call_in_its_task_are_rejected() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    breaker.trip();
    tokio::time::sleep(2 * after_the_open_time()).await;
    let running = Cell::new(0);
    let call = || {
        breaker.run_async(async {
            running.set(running.get() + 1);
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some(())
        })
    };
    // Also after the first poll, on the thread of the trial call.
    let late = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        (call().await, breaker.run(|| Some(())), breaker.try_acquire().is_ok())
    };
    let outcomes = tokio::join!(call(), call(), late);
    assert_eq!(outcomes, (Some(()), None, (None, None, false)));
    assert_eq!(running.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_the_trial_call_decides() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let trial = |inside: bool, outside: bool| {
        let breaker = &breaker;
        async move {
            breaker.trip();
            tokio::time::sleep(2 * after_the_open_time()).await;
            breaker
                .run_async(async {
                    let inner = breaker.run_async(async { inside.then_some(()) }).await;
                    assert_eq!(inner.is_some(), inside);
                    assert_eq!(breaker.state(), CircuitState::HalfOpen);
                    outside.then_some(())
                })
                .await;
            breaker.state()
        }
    };
    assert_eq!(trial(false, true).await, CircuitState::Closed);
    assert_eq!(trial(true, false).await, CircuitState::Open);
}

#[test]
fn a_trial_call_that_has_ended_admits_no_call() {
    let breaker =
        CircuitBreaker::new().failure_threshold(1).half_open_calls(2).success_threshold(2);
    let clock = testing::clock();
    breaker.trip();
    clock.advance(after_the_open_time());
    // A panic, a success and a neutral end.
    let panics = std::panic::AssertUnwindSafe(|| breaker.run(|| -> Option<()> { panic!("trial") }));
    assert!(std::panic::catch_unwind(panics).is_err());
    clock.advance(after_the_open_time());
    assert_eq!(breaker.run(|| Some(())), Some(()));
    let _permit = breaker.try_acquire().unwrap();
    assert_eq!(breaker.run(|| Some(())), None);
    assert!(breaker.try_acquire().is_err());
}

#[test]
fn a_guard_by_hand_admits_no_call_beside() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    let clock = testing::clock();
    breaker.trip();
    clock.advance(after_the_open_time());
    let guard = breaker.try_acquire().unwrap();
    assert_eq!(breaker.run(|| Some(())), None);
    guard.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_trial_call_of_a_breaker_admits_no_call_of_another() {
    let clock = testing::clock();
    let [one, other] = [(); 2].map(|()| CircuitBreaker::new().failure_threshold(1));
    one.trip();
    other.trip();
    clock.advance(after_the_open_time());
    let _trial = other.try_acquire().unwrap();
    let inside = one.run(|| Some((other.run(|| Some(())), other.try_acquire().is_ok())));
    assert_eq!(inside, Some((None, false)));
}

#[tokio::test(start_paused = true)]
async fn a_call_inside_that_leaves_the_trial_call_admits_no_call() {
    type Part<'b> = Pin<Box<dyn Future<Output = Option<()>> + 'b>>;
    let breaker = CircuitBreaker::new().failure_threshold(1);
    breaker.trip();
    tokio::time::sleep(2 * after_the_open_time()).await;
    let part: RefCell<Option<Part<'_>>> = RefCell::new(None);
    let mut trial = Box::pin(breaker.run_async(async {
        let mut inside: Part<'_> = Box::pin(breaker.run_async(async {
            tokio::task::yield_now().await;
            breaker.run(|| Some(()))
        }));
        assert!(futures::poll!(inside.as_mut()).is_pending());
        part.replace(Some(inside));
        pending::<Option<()>>().await
    }));
    assert!(futures::poll!(trial.as_mut()).is_pending());
    assert_eq!(part.take().unwrap().await, None);
}
