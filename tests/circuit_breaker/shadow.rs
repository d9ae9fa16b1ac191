//! Shadow mode: decisions without rejections.

use resilience::{CircuitBreaker, CircuitState, testing};

use crate::{Failure, SECOND, fail, succeed};

#[test]
fn a_shadow_breaker_rejects_no_call_and_decides_as_a_real_one() {
    let clock = testing::clock();
    let shadow = CircuitBreaker::new().failure_threshold(2).reset_timeout(SECOND).shadow();
    fail(&shadow, 2);
    assert_eq!(shadow.state(), CircuitState::Open);
    // Rejected calls run, and the outcomes change nothing.
    fail(&shadow, 3);
    succeed(&shadow, 4);
    assert_eq!((shadow.state(), shadow.snapshot().rejected), (CircuitState::Open, 7));
    clock.advance(SECOND);
    let trial = shadow.try_acquire().unwrap();
    fail(&shadow, 3);
    assert_eq!(shadow.state(), CircuitState::HalfOpen);
    trial.success();
    assert_eq!(shadow.state(), CircuitState::Closed);
}

#[test]
fn a_shadow_breaker_runs_calls_while_it_recovers() {
    let clock = testing::clock();
    let shadow = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(SECOND)
        .recovery(30 * SECOND)
        .shadow();
    fail(&shadow, 1);
    clock.advance(SECOND);
    succeed(&shadow, 1);
    for _ in 0..5 {
        let _: Result<(), Failure> = shadow.run(|| Err(Failure::Down));
    }
    assert_eq!(shadow.state(), CircuitState::Closed, "the calls would be rejected");
    assert_eq!(shadow.snapshot().rejected, 5);
}
