//! The warning about a rate above the traffic.

use std::sync::{Arc, Mutex};

use resilience::{CircuitBreaker, testing};
use tracing::field::{Field, Visit};
use tracing::span;

use crate::{SECOND, fail, succeed};

#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Visit for Warnings {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn warnings(run: impl FnOnce(&testing::Clock)) -> usize {
    let (warnings, clock) = (Warnings::default(), testing::clock());
    tracing::subscriber::with_default(warnings.clone(), || run(&clock));
    let warnings = warnings.0.lock().unwrap();
    warnings.iter().filter(|text| text.contains("`min_calls`")).count()
}

#[test]
fn a_rate_below_min_calls_for_a_whole_window_is_reported_once() {
    let every_call_fails = |breaker: CircuitBreaker| {
        warnings(|clock| {
            for _ in 0..3600 {
                fail(&breaker, 1);
                clock.advance(SECOND);
            }
        })
    };
    assert_eq!(every_call_fails(CircuitBreaker::new().failure_rate(0.5)), 1);
    let with_threshold = CircuitBreaker::new().failure_rate(0.5).failure_threshold(100_000);
    assert_eq!(every_call_fails(with_threshold), 0, "another rule applies");
}

#[test]
fn few_calls_below_the_rate_are_not_reported() {
    let breaker = CircuitBreaker::new().failure_rate(0.5).min_calls(1000);
    let count = warnings(|clock| {
        for _ in 0..600 {
            clock.advance(SECOND);
            succeed(&breaker, 2);
            fail(&breaker, 1);
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn no_warning_in_the_first_window_or_below_the_rate() {
    let breaker = CircuitBreaker::new().failure_rate(0.5);
    let count = warnings(|clock| {
        fail(&breaker, 5);
        for _ in 0..100 {
            clock.advance(SECOND);
            succeed(&breaker, 2);
            if breaker.snapshot().failures == 0 {
                fail(&breaker, 1);
            }
        }
    });
    assert_eq!(count, 0);
}
