//! Figures while policies are dropped: alone in the process, because other tests of exporters compare
//! all figures.
#![cfg(feature = "prometheus")]

use resilience::CircuitBreaker;
use resilience::export::prometheus_text;

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
            assert!(value.is_some_and(|value| value.parse::<u32>().is_ok_and(|sum| sum <= 100)));
            if is_last {
                break assert_eq!(value, Some("100"));
            }
        }
    });
}
