//! The outcome of a call whose attempts fail.

use resilience::{Effect, FailureClass, hedge};

use crate::{Log, sleep};

#[hedge(after = "10ms", max = 2, idempotent)]
async fn fails_at(log: &Log, times: [u64; 3]) -> Result<(), usize> {
    let (attempt, _running) = log.start();
    sleep(times[attempt]).await;
    Err(attempt)
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_returned() {
    for (times, last) in [([50, 50, 50], 2), ([90, 50, 50], 0), ([50, 70, 40], 1)] {
        assert_eq!(fails_at(&Log::new(), times).await, Err(last), "{times:?}");
    }
}

#[derive(Debug, PartialEq)]
enum Down {
    NoAnswer,
    NoConnection,
}

/// A hedge without a connection does not hide that the first attempt may have been applied.
#[tokio::test(start_paused = true)]
async fn the_failure_of_an_attempt_that_may_have_been_applied_is_returned() {
    fn class(down: &Down) -> FailureClass {
        match down {
            Down::NoAnswer => FailureClass::transient(),
            Down::NoConnection => FailureClass::transient().effect(Effect::NotSent),
        }
    }
    #[hedge(after = "10ms", idempotent, on = class)]
    async fn call(log: &Log, answered: usize, times: [u64; 2]) -> Result<(), Down> {
        let (attempt, _running) = log.start();
        sleep(times[attempt]).await;
        Err(if attempt == answered { Down::NoAnswer } else { Down::NoConnection })
    }
    for answered in [0, 1] {
        for times in [[50, 50], [90, 50], [5, 50]] {
            let failure = call(&Log::new(), answered, times).await;
            assert_eq!(failure, Err(Down::NoAnswer), "{answered} {times:?}");
        }
    }
    assert_eq!(call(&Log::new(), 2, [50, 50]).await, Err(Down::NoConnection));
}

/// Also if a later attempt before the last surely was not applied.
#[tokio::test(start_paused = true)]
async fn the_first_failure_that_may_have_been_applied_outlives_several_hedges() {
    const fn class(attempt: usize) -> FailureClass {
        let effect = if attempt == 0 { Effect::Unknown } else { Effect::NotSent };
        FailureClass::transient().effect(effect)
    }
    #[hedge(after = "10ms", max = 3, idempotent, on = |attempt| class(*attempt))]
    async fn call(log: &Log, times: [u64; 4]) -> Result<(), usize> {
        let (attempt, _running) = log.start();
        sleep(times[attempt]).await;
        Err(attempt)
    }
    assert_eq!(call(&Log::new(), [50, 10, 20, 90]).await, Err(0));
    assert_eq!(call(&Log::new(), [50, 60, 70, 80]).await, Err(0));
}

#[hedge(after = "10ms", idempotent)]
async fn early_exits(fails: bool) -> Result<u32, std::num::ParseIntError> {
    if fails {
        let parsed: u32 = "x".parse()?;
        return Ok(parsed);
    }
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn question_marks_and_returns_end_an_attempt() {
    assert_eq!(early_exits(false).await, Ok(1));
    assert!(early_exits(true).await.is_err());
}
