//! The facade `metrics`.

use metrics::Unit;
use resilience_core::{FigureKind, FigureValue};

use crate::series::families;

/// Writes the figures of all policies to the recorder of the `metrics` facade.
///
/// The facade has no way to ask for values, so the program calls this function: before each scrape,
/// or at an interval. Counters are set to absolute values. The facade has counters of whole numbers
/// only, so a sum of times is a gauge in seconds. Names and labels are those of
/// [`FigureInfo`](resilience_core::FigureInfo); an exporter may change dots to underscores.
///
/// ```
/// use std::time::Duration;
/// use resilience::export::record_metrics;
///
/// # async fn start() {
/// tokio::spawn(async {
///     let mut interval = tokio::time::interval(Duration::from_secs(5));
///     loop {
///         interval.tick().await;
///         record_metrics();
///     }
/// });
/// # }
/// record_metrics();
/// ```
pub fn record_metrics() {
    for family in families().iter().filter(|family| !family.series.is_empty()) {
        let info = family.info;
        let unit = if info.unit == "s" { Unit::Seconds } else { Unit::Count };
        let is_counter = info.kind == FigureKind::Counter && info.unit != "s";
        if is_counter {
            metrics::describe_counter!(info.name, unit, info.help);
        } else {
            metrics::describe_gauge!(info.name, unit, info.help);
        }
        for (labels, value) in &family.series {
            match value {
                FigureValue::Count(count) if is_counter => {
                    metrics::counter!(info.name, labels).absolute(*count);
                }
                value => metrics::gauge!(info.name, labels).set(value.as_f64()),
            }
        }
    }
}
