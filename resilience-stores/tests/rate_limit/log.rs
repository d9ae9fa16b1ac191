//! Log events of a failed synchronization.

use std::sync::Arc;
use std::time::Duration;

use resilience::RateLimiter;
use resilience::stores::rate_limit::RateLimitSync;

use crate::log_lines::Lines;
use crate::memory::{Memory, Mode};

#[tokio::test(start_paused = true)]
async fn an_outage_and_the_recovery_are_logged_once() {
    let lines = Lines::default();
    let _listening = lines.listen();
    let store = Memory::default();
    let limiter = Arc::new(RateLimiter::new(10, Duration::from_secs(1)).shared("log"));
    let task = tokio::spawn(RateLimitSync::new(store.link()).with(&limiter).run());
    for mode in [Mode::Working, Mode::Failing, Mode::Hanging, Mode::Working] {
        store.set_mode(mode);
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    task.abort();
    let events = lines.0.lock().unwrap().clone();
    assert_eq!(
        events,
        [
            "WARN message=synchronization of rate limits lost error=connection refused",
            "INFO message=synchronization of rate limits restored",
        ]
    );
}
