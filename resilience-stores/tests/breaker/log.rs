//! Log events of a failed synchronization.

use std::sync::Arc;
use std::time::Duration;

use resilience::CircuitBreaker;
use resilience::stores::breaker::BreakerSync;

use crate::log_lines::Lines;
use crate::memory::{Memory, Mode};

#[tokio::test(start_paused = true)]
async fn an_outage_and_the_recovery_are_logged_once() {
    let lines = Lines::default();
    let _listening = lines.listen();
    let store = Memory::default();
    let breaker = Arc::new(CircuitBreaker::new().shared("log").name("log"));
    let task = tokio::spawn(BreakerSync::new(store.clone()).with(Arc::clone(&breaker)).run());
    let pass = || tokio::time::sleep(Duration::from_mins(1));
    pass().await;
    store.set_mode(Mode::Failing);
    pass().await;
    store.set_mode(Mode::Hanging);
    pass().await;
    store.set_mode(Mode::Working);
    pass().await;
    store.write("log", 1, Some(Duration::from_mins(1)));
    tokio::time::sleep(Duration::from_millis(501)).await;
    task.abort();
    let events = lines.0.lock().unwrap().clone();
    assert_eq!(events.len(), 3, "{events:#?}");
    assert_eq!(
        events[0],
        "WARN message=synchronization of circuit breakers lost error=connection refused"
    );
    assert_eq!(events[1], "INFO message=synchronization of circuit breakers restored");
    assert!(
        events[2].contains("to=open") && events[2].contains("reason=other process"),
        "{}",
        events[2]
    );
}
