//! The facade `metrics`, with the recorder in memory.

use metrics::with_local_recorder;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use resilience::FigureKind;
use resilience::export::record_metrics;

use crate::{Exported, add, check, figures, info};

#[test]
#[expect(clippy::cast_precision_loss, reason = "the numbers of the test are small")]
fn the_recorder_receives_absolute_values() {
    figures();
    let recorder = DebuggingRecorder::new();
    // A second round must not add to the first.
    with_local_recorder(&recorder, record_metrics);
    with_local_recorder(&recorder, record_metrics);
    let mut exported = Exported::new();
    for (key, unit, help, value) in recorder.snapshotter().snapshot().into_vec() {
        let (kind, key) = key.into_parts();
        let (info, expected) = info(key.name());
        let name = key.name().to_owned();
        let unit = unit.expect("each figure has a unit");
        assert_eq!(unit == metrics::Unit::Seconds, expected == "s", "{name}");
        assert_eq!(help.as_deref(), Some(info.help));
        let is_counter = info.kind != FigureKind::Gauge && expected != "s";
        assert_eq!(kind == MetricKind::Counter, is_counter, "{name}");
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(_) => panic!("{name} is a histogram"),
        };
        let labels = key.labels().map(|label| (label.key(), label.value()));
        add(&mut exported, &name, labels, value);
    }
    check(&exported);
}
