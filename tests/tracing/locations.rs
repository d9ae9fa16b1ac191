//! The place of a policy in its events, and the warning about a name that two policies share.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::panic::Location;
use std::sync::Mutex;
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, Keyed, PolicyEvent, PolicyKind, PolicyReport, RateLimiter,
    RetryPolicy, circuit_breaker, fallback, on_event, policies, policies_matching, retry, testing,
};
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::subscriber::OnEvent;

type Fields = HashMap<String, String>;

thread_local!(static EVENTS: RefCell<Vec<Fields>> = const { RefCell::new(Vec::new()) });

struct Visitor(Fields);

impl Visit for Visitor {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}").trim_matches('"').to_owned();
        self.0.insert(field.name().to_owned(), text);
    }
}

fn collect(event: &Event<'_>) {
    let mut fields = Visitor(Fields::new());
    event.record(&mut fields);
    EVENTS.with_borrow_mut(|events| events.push(fields.0));
}

/// Returns the events of `run` with this name, under a virtual clock.
fn events(name: &str, run: impl FnOnce()) -> Vec<Fields> {
    let _clock = testing::clock();
    tracing::subscriber::with_default(OnEvent(collect), run);
    let events = EVENTS.take().into_iter();
    events.filter(|event| event.get("function").is_some_and(|known| known == name)).collect()
}

/// Returns the place of the line `lines` below the call.
#[track_caller]
fn below(lines: u32) -> String {
    format!("{}:{}", file!(), Location::caller().line() + lines)
}

#[test]
fn events_name_the_place_of_the_outermost_attribute() {
    const LINE: u32 = line!() + 1;
    #[fallback(value = (), name = "located")]
    #[retry(attempts = 2, name = "located")]
    #[circuit_breaker(failure_threshold = 2, name = "located")]
    fn fails() -> Result<(), crate::Failed> {
        Err(crate::Failed)
    }
    let place = format!("{}:{LINE}", file!());
    let events = events("located", || assert!(fails().is_ok()));
    let seen: Vec<_> =
        events.iter().map(|event| (event["message"].as_str(), &event["location"])).collect();
    let messages: Vec<_> = seen.iter().map(|(message, _)| *message).collect();
    let expected = [
        "retrying",
        "circuit state changed",
        "giving up: all attempts are used up",
        "fallback used",
    ];
    assert_eq!(messages, expected);
    assert!(seen.iter().all(|(_, location)| **location == place), "{place}: {seen:?}");
}

#[test]
fn events_of_policies_by_hand_name_the_place_that_made_the_policy() {
    let place = below(1);
    let policy = RetryPolicy::new().attempts(2).name("located-by-hand");
    let mut calls = 0;
    let events = events("located-by-hand", || {
        let out = policy.run(|| {
            calls += 1;
            if calls == 1 { Err(()) } else { Ok(()) }
        });
        assert!(out.is_ok());
    });
    let messages: Vec<_> = events.iter().map(|event| event["message"].as_str()).collect();
    assert_eq!(messages, ["retrying", "succeeded after a retry"]);
    assert!(events.iter().all(|event| event["location"] == place), "{place}: {events:?}");
}

#[test]
fn hooks_of_the_process_receive_the_place() {
    static PLACES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    on_event(|event| {
        if event.name() == "located-hook" {
            let place = event.location().map(|place| place.to_string());
            PLACES.lock().expect("no panic").push(format!("{}: {place:?}", event.label()));
            if let PolicyEvent::StateChange(change) = event {
                assert_eq!(Some(change.location), event.location());
            }
        }
    });
    let place = below(1);
    let breaker = CircuitBreaker::new().failure_threshold(1).name("located-hook");
    breaker.try_acquire().expect("closed").failure();
    let _ = breaker.run(|| Err::<(), _>(resilience::Rejected::timed_out("x", Duration::ZERO)));
    let expected = [format!("state_change: {:?}", Some(place)), "rejection: None".to_owned()];
    assert_eq!(*PLACES.lock().expect("no panic"), expected);
}

const SHARED: &str = "two policies have one name, so their events and figures cannot be told \
                      apart; give one of them a `name`";

/// Returns the warnings about the name.
fn warnings(name: &str, run: impl FnOnce()) -> Vec<Fields> {
    events(name, run).into_iter().filter(|event| event["message"] == SHARED).collect()
}

/// Returns whether the reports of the name say that the name is shared, in the order of the list.
/// With `duration-histograms`, each annotated function has a report beside those of its policies.
fn shares(name: &str) -> Vec<bool> {
    let is_it = |policy: &PolicyReport| policy.name == name && policy.kind != PolicyKind::Function;
    let of_name = policies().into_iter().filter(is_it);
    of_name.map(|policy| policy.shares_name).collect()
}

mod twins {
    use super::circuit_breaker;

    pub(super) struct A(pub(super) u32);
    pub(super) struct B(pub(super) u32);

    impl A {
        #[circuit_breaker(failure_threshold = 1)]
        pub(super) fn get(&self) -> Result<u32, crate::Failed> {
            if self.0 > 0 { Ok(self.0) } else { Err(crate::Failed) }
        }
    }

    impl B {
        #[circuit_breaker(failure_threshold = 1)]
        pub(super) fn get(&self) -> Result<u32, crate::Failed> {
            if self.0 > 0 { Ok(self.0) } else { Err(crate::Failed) }
        }
    }
}

#[test]
fn two_methods_of_one_name_are_reported_once() {
    let name = concat!(module_path!(), "::twins::get");
    let warnings = warnings(name, || {
        for _ in 0..3 {
            let _ = (twins::A(0).get(), twins::B(0).get());
        }
    });
    let [warning] = &warnings[..] else { panic!("one warning: {warnings:?}") };
    assert_eq!(warning["policy"], "circuit_breaker");
    assert_ne!(warning["location"], warning["other_location"]);
    assert_eq!(shares(name), [true, true]);
}

#[test]
fn two_policies_by_hand_of_one_name_are_reported() {
    let slots = [Bulkhead::new(1).name("located-twins"), Bulkhead::new(2).name("located-twins")];
    let fill = |slots: &Bulkhead| {
        let _all: Vec<_> = std::iter::from_fn(|| slots.try_acquire().ok()).collect();
    };
    let warnings = warnings("located-twins", || slots.iter().for_each(fill));
    assert_eq!(warnings.len(), 1);
    assert_eq!(shares("located-twins"), [true, true]);
}

#[test]
fn policies_of_different_kinds_of_one_place_and_without_a_name_share_no_name() {
    static HOSTS: Keyed<CircuitBreaker> =
        Keyed::new(9, || CircuitBreaker::new().failure_threshold(1).name("located-hosts"));
    #[fallback(value = (), name = "located-once")]
    #[retry(attempts = 2, name = "located-once")]
    #[circuit_breaker(failure_threshold = 1, name = "located-once")]
    fn fails() -> Result<(), crate::Failed> {
        Err(crate::Failed)
    }
    let made_here = || CircuitBreaker::new().failure_threshold(1).name("located-once-by-hand");
    let clients = [made_here(), made_here()];
    let unnamed = [RateLimiter::new(1, Duration::from_secs(1))];
    let other = [RateLimiter::new(1, Duration::from_secs(1))];
    let run = || {
        assert!(fails().is_ok());
        clients.iter().for_each(CircuitBreaker::trip);
        for limiter in unnamed.iter().chain(&other) {
            assert!(limiter.try_acquire_many(9).is_err());
        }
        HOSTS.get("a").trip();
        HOSTS.get("b").trip();
    };
    let _clock = testing::clock();
    tracing::subscriber::with_default(OnEvent(collect), run);
    let names = ["located-once", "located-once-by-hand", "rate_limit", "located-hosts"];
    let warned = EVENTS.take().into_iter().filter(|event| event["message"] == SHARED);
    let warned = warned.filter(|event| names.contains(&event["function"].as_str()));
    assert_eq!(warned.collect::<Vec<_>>(), Vec::<Fields>::new());
    for name in names {
        assert!(shares(name).iter().all(|shared| !shared), "{name}");
    }
}

#[test]
fn a_policy_that_replaces_a_dropped_policy_shares_no_name() {
    let old = CircuitBreaker::new().name("located-reloaded");
    let warnings = warnings("located-reloaded", || {
        old.trip();
        drop(old);
        // A test on another thread may be reading the policy.
        while !policies_matching("located-reloaded").is_empty() {
            std::thread::yield_now();
        }
        CircuitBreaker::new().name("located-reloaded").trip();
    });
    assert_eq!(warnings, Vec::<Fields>::new());
}
