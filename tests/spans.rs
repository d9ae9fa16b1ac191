//! Attributes of the current span: `cargo test --features tracing --test spans`.
#![cfg(feature = "tracing")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use resilience::{CircuitBreaker, Rejected, circuit_breaker, retry, testing};
use tracing::field::{Empty, Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber, info_span};
use tracing_core::span::Current;

/// The fields and the events that a span received, as lines. For one span at a time.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<(Vec<String>, Option<&'static Metadata<'static>>)>>);

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, (Vec<String>, Option<&'static Metadata<'static>>)> {
        self.0.lock().expect("no test panics here")
    }
}

/// Writes the fields of a span, or the message of an event.
struct Lines<'l> {
    lines: &'l mut Vec<String>,
    is_event: bool,
}

impl Visit for Lines<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if !self.is_event {
            self.lines.push(format!("{} = {value:?}", field.name()));
        } else if field.name() == "message" {
            self.lines.push(format!("event: {value:?}"));
        }
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() || metadata.target() == "resilience"
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.lock().1 = Some(span.metadata());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Lines { lines: &mut self.lock().0, is_event: false });
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Lines { lines: &mut self.lock().0, is_event: true });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
    fn current_span(&self) -> Current {
        self.lock().1.map_or_else(Current::none, |span| Current::new(Id::from_u64(1), span))
    }
}

/// Returns what a span with the fields of the library receives during `run`.
fn recorded(run: impl FnOnce()) -> Vec<String> {
    let recorder = Recorder::default();
    with_default(recorder.clone(), || {
        let span = info_span!(
            "call",
            resilience.attempts = Empty,
            resilience.circuit_breaker.state = Empty
        );
        span.in_scope(run);
    });
    let lines = recorder.lock().0.clone();
    lines
}

#[retry(attempts = 3, jitter = "none")]
fn numbered(failures: &mut u32) -> Result<u32, &'static str> {
    *failures = failures.checked_sub(1).unwrap_or(u32::MAX);
    if *failures == u32::MAX { Ok(1) } else { Err("down") }
}

#[test]
fn each_failed_attempt_is_an_event_and_the_attempts_are_recorded() {
    let _clock = testing::clock();
    let lines = recorded(|| assert_eq!(numbered(&mut 1), Ok(1)));
    assert_eq!(lines, ["resilience.attempts = 2", "event: retrying"]);
    let lines = recorded(|| assert_eq!(numbered(&mut 9), Err("down")));
    let expected = [
        "resilience.attempts = 2",
        "event: retrying",
        "resilience.attempts = 3",
        "event: retrying",
        "resilience.attempts = 3",
        "event: giving up",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_success_at_the_first_attempt_records_nothing() {
    let breaker = CircuitBreaker::new();
    let lines = recorded(|| {
        assert_eq!(numbered(&mut 0), Ok(1));
        assert_eq!(breaker.run(|| Ok::<_, Rejected>(1)), Ok(1));
    });
    assert_eq!(lines, [""; 0]);
}

#[test]
fn async_attempts_are_recorded() {
    #[retry(attempts = 2, jitter = "none", log = "off")]
    async fn fail() -> Result<(), &'static str> {
        Err("down")
    }
    let _clock = testing::clock();
    let lines = recorded(|| {
        futures::executor::block_on(fail()).expect_err("down");
    });
    assert_eq!(lines, ["resilience.attempts = 2", "resilience.attempts = 2"]);
}

#[test]
fn the_state_of_a_circuit_that_is_not_closed_is_recorded() {
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "30s")]
    fn call(fails: bool) -> Result<(), std::io::Error> {
        if fails { Err(std::io::Error::other("down")) } else { Ok(()) }
    }
    let clock = testing::clock();
    let states = |fails| {
        let mut lines = recorded(|| drop(call(fails)));
        lines.retain(|line| !line.starts_with("event"));
        lines
    };
    assert_eq!(states(true), [""; 0]);
    assert_eq!(states(false), ["resilience.circuit_breaker.state = \"open\""]);
    clock.advance(Duration::from_secs(30));
    assert_eq!(states(false), ["resilience.circuit_breaker.state = \"half_open\""]);
    assert_eq!(states(false), [""; 0]);

    let by_hand = CircuitBreaker::new();
    by_hand.force_open();
    let mut lines = recorded(|| drop(by_hand.try_acquire()));
    lines.retain(|line| !line.starts_with("event"));
    assert_eq!(lines, ["resilience.circuit_breaker.state = \"forced_open\""]);
}

#[test]
fn a_span_without_the_fields_receives_events_only() {
    let recorder = Recorder::default();
    let _clock = testing::clock();
    with_default(recorder.clone(), || {
        info_span!("plain").in_scope(|| numbered(&mut 1)).expect("the second attempt");
    });
    assert_eq!(recorder.lock().0, ["event: retrying"]);
}
