//! Successful calls of attributes without a state, which the feature `figures` counts.

use std::time::Duration;

use resilience::{Rejected, fallback, policies, retry, testing, timeout};

use crate::policy;

#[test]
fn a_retry_counts_attempts_retries_delays_and_the_reason_of_the_end() {
    #[retry(attempts = 3, backoff = "fixed", base_delay = "2s", name = "counts::retry")]
    fn flaky(failures: &mut u32) -> Result<u32, &'static str> {
        if *failures > 0 {
            *failures -= 1;
            return Err("down");
        }
        Ok(1)
    }
    let _ = policies();
    let _clock = testing::clock();
    assert!(flaky(&mut 0).is_ok());
    assert!(flaky(&mut 2).is_ok());
    assert!(flaky(&mut 9).is_err());
    let report = policy("counts::retry");
    assert_eq!(report.count("resilience.calls", &["success"]), 2);
    assert_eq!(report.count("resilience.calls", &["failure"]), 1);
    assert_eq!(report.count("resilience.retry.attempts", &["original"]), 3);
    assert_eq!(report.count("resilience.retry.attempts", &["retry"]), 4);
    assert_eq!(report.count("resilience.retry.retries", &["transient", "backoff"]), 4);
    assert_eq!(report.count("resilience.retry.stops", &["attempts"]), 1);
    assert_eq!(report.count("resilience.retry.delay.time", &["backoff"]), 8_000_000_000);
    assert_eq!(report.setting("attempts"), Some("3"));
}

#[test]
fn a_fallback_counts_replaced_and_kept_outcomes() {
    #[fallback(value = 7, on = |error: &&str| *error == "down", name = "counts::fallback")]
    fn load(outcome: Result<u32, &'static str>) -> Result<u32, &'static str> {
        outcome
    }
    let _ = policies();
    let _ = (load(Ok(1)), load(Err("down")), load(Err("down")), load(Err("wrong")));
    let report = policy("counts::fallback");
    assert_eq!(report.count("resilience.calls", &["success"]), 1);
    assert_eq!(report.count("resilience.calls", &["fallback"]), 2);
    assert_eq!(report.count("resilience.calls", &["failure"]), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_counts_calls_in_time_and_out_of_time() {
    #[timeout("1s", name = "counts::timeout")]
    async fn slow(time: Duration) -> Result<(), Rejected> {
        tokio::time::sleep(time).await;
        Ok(())
    }
    let _ = policies();
    assert!(slow(Duration::ZERO).await.is_ok());
    assert!(slow(Duration::from_secs(5)).await.is_err());
    let report = policy("counts::timeout");
    assert_eq!(report.count("resilience.calls", &["success"]), 1);
    assert_eq!(report.count("resilience.rejections", &["timed_out"]), 1);
    assert_eq!(report.setting("limit"), Some("1s"));
}
