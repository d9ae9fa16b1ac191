//! The outcome of a call whose attempts fail.

use resilience::hedge;

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
