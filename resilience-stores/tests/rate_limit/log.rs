//! Log events of a failed synchronization.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilience::RateLimiter;
use resilience::stores::rate_limit::RateLimitSync;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::memory::{Memory, Mode};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilience"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn an_outage_and_the_recovery_are_logged_once() {
    let lines = Lines::default();
    let _listening = tracing::subscriber::set_default(lines.clone());
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
