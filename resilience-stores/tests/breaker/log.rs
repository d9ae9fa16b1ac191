//! What is told of an exchange that does not come about.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilience::CircuitBreaker;
use resilience::stores::breaker::BreakerSync;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::memory::{Memory, Mood};

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
async fn an_outage_is_told_once_and_its_end_too() {
    let lines = Lines::default();
    let _listening = tracing::subscriber::set_default(lines.clone());
    let board = Memory::default();
    let breaker = Arc::new(CircuitBreaker::new().shared("told").name("told"));
    let exchange = tokio::spawn(BreakerSync::new(board.clone()).with(Arc::clone(&breaker)).run());
    let pass = || tokio::time::sleep(Duration::from_mins(1));
    pass().await;
    board.is(Mood::Down);
    pass().await;
    board.is(Mood::Silent);
    pass().await;
    board.is(Mood::Well);
    pass().await;
    board.put("told", 1, Some(Duration::from_mins(1)));
    tokio::time::sleep(Duration::from_millis(501)).await;
    exchange.abort();
    let told = lines.0.lock().unwrap().clone();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert_eq!(
        told[0],
        "WARN message=synchronization of circuit breakers lost error=connection refused"
    );
    assert_eq!(told[1], "INFO message=synchronization of circuit breakers restored");
    assert!(told[2].contains("to=open") && told[2].contains("remote=true"), "{}", told[2]);
}
