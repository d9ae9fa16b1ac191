//! Durations of calls: the same distribution in each exporter.

use resilience::export::prometheus_text;
use resilience::{FigureValue, PolicyKind, policies_matching};

use crate::figures;

#[test]
fn the_duration_of_a_call_is_in_its_bucket() {
    figures();
    // 100 ms and 200 ms of delays, by the virtual clock.
    let reports = policies_matching("exported");
    let function = reports.iter().find(|report| report.kind == PolicyKind::Function);
    let figures = &function.expect("the function is listed").figures;
    let [duration] = &figures[..] else { panic!("{figures:?}") };
    assert_eq!(*duration.labels, [("resilience.outcome", "failure")]);
    let FigureValue::Histogram(histogram) = &duration.value else { panic!("{duration:?}") };
    assert_eq!((histogram.count(), histogram.sum().as_millis()), (1, 300));
    let first = histogram.cumulative().find(|(_, count)| *count == 1);
    assert_eq!(first.and_then(|(bound, _)| bound).map(|bound| bound.as_millis()), Some(500));

    let text = prometheus_text();
    let labels = "resilience_policy_name=\"exported\",resilience_policy_kind=\"function\",\
        resilience_outcome=\"failure\"";
    let lines: Vec<_> = text.lines().filter(|line| line.contains(labels)).collect();
    let name = "resilience_call_duration_seconds";
    assert_eq!(lines.len(), 18, "{lines:?}");
    assert_eq!(lines[7], format!("{name}_bucket{{{labels},le=\"0.25\"}} 0"));
    assert_eq!(lines[8], format!("{name}_bucket{{{labels},le=\"0.5\"}} 1"));
    assert_eq!(lines[15], format!("{name}_bucket{{{labels},le=\"+Inf\"}} 1"));
    assert_eq!(lines[16], format!("{name}_sum{{{labels}}} 0.3"));
    assert_eq!(lines[17], format!("{name}_count{{{labels}}} 1"));
    assert!(text.contains(&format!("# TYPE {name} histogram")));
}
