//! Figures and memory while policies are dropped: alone in the process, because other tests of
//! exporters compare all figures.
#![cfg(feature = "prometheus")]

use allocation_counter::measure;
use resilience::export::prometheus_text;
use resilience::{CircuitBreaker, circuit_changes, policies_matching};

/// A policy that is dropped during a reading is counted once: in the list, or among the dropped.
#[test]
fn a_counter_stays_exact_while_policies_are_dropped() {
    let name = "prometheus::exact";
    let make = |_| {
        let breaker = CircuitBreaker::new().name("prometheus::exact");
        breaker.force_open();
        assert!(breaker.try_acquire().is_err());
        breaker
    };
    let dropped: Vec<_> = (0..100).map(make).collect();
    // Later in the list, so that a reading goes on after the first breakers.
    let _others: Vec<_> = (0..100)
        .map(|_| {
            let other = CircuitBreaker::new().name("prometheus::other");
            other.trip();
            other
        })
        .collect();
    let line = format!(
        "resilience_rejections_total{{resilience_policy_name=\"{name}\",\
         resilience_policy_kind=\"circuit_breaker\",resilience_rejection_kind=\"circuit_open\"}} "
    );
    std::thread::scope(|scope| {
        let dropping = scope.spawn(|| drop(dropped));
        loop {
            let is_last = dropping.is_finished();
            let text = prometheus_text();
            let value = text.lines().find_map(|known| known.strip_prefix(&line));
            assert_eq!(value, Some("100"));
            if is_last {
                break;
            }
        }
    });
}

#[test]
fn each_series_of_dropped_policies_is_their_sum() {
    for failures in [1, 2] {
        let breaker = CircuitBreaker::new().failure_threshold(9).name("prometheus::sums");
        for _ in 0..failures {
            breaker.try_acquire().expect("closed").failure();
        }
        breaker.force_open();
        for _ in 0..4 {
            assert!(breaker.try_acquire().is_err());
        }
    }
    let text = prometheus_text();
    let series = text.lines().filter(|line| line.contains("\"prometheus::sums\""));
    let mut values: Vec<_> = series
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = series.split_once('{').expect("labels");
            let last = labels.trim_end_matches(['"', '}']).rsplit('"').next().expect("a label");
            (name, last, value)
        })
        .collect();
    values.sort_unstable();
    // A counter that was never counted takes no memory after the drop.
    let expected = [
        ("resilience_calls_total", "failure", "3"),
        ("resilience_calls_total", "rejected", "8"),
        ("resilience_circuit_breaker_transitions_total", "manual", "2"),
        ("resilience_rejections_total", "circuit_open", "8"),
    ];
    assert_eq!(values, expected);
}

#[test]
fn dropped_policies_take_no_memory_in_the_list() {
    // The other tests list 200 policies meanwhile.
    let read = || measure(|| drop(policies_matching("dropped::none"))).bytes_total;
    let before = read();
    (0..5000).for_each(|_| CircuitBreaker::new().name("dropped::breaker").trip());
    assert!(read() < before + 50_000, "{} after {before}", read());
}

#[test]
fn dropped_subscriptions_take_no_memory() {
    let breaker = CircuitBreaker::new().name("dropped::changes");
    let change = || {
        let change = || {
            breaker.force_open();
            breaker.force_close();
        };
        measure(change).bytes_total
    };
    change();
    let before = change();
    (0..1000).for_each(|_| drop(circuit_changes("dropped::*")));
    assert!(change() < before + 1000, "{} after {before}", change());
}
