//! The facade `metrics`.

use std::sync::Arc;

use metrics::{Label, Unit};
use resilience_core::FigureValue;

use crate::parts::{Form, parts};
use crate::series::read;

/// Writes the figures of all policies to the recorder of the `metrics` facade.
///
/// The facade has no way to ask for values, so the program calls this function: before each scrape,
/// or at an interval. Counters are set to absolute values. The facade has counters of whole numbers
/// only, so a sum of times is a gauge in seconds. Histograms of the facade take single durations,
/// so a figure of the kind [`Histogram`](resilience_core::FigureKind::Histogram) is a counter
/// `….bucket` with the label `le`, a gauge `….sum` in seconds, and a counter `….count`. Names and
/// labels are those of [`FigureInfo`](resilience_core::FigureInfo); an exporter may change dots to
/// underscores.
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
    let reading = read();
    for family in reading.families() {
        for part in parts(family.info) {
            // Each series has the name in its key.
            let name: Arc<str> = part.name().into();
            let help = family.info.help;
            let unit = if part.unit() == "s" { Unit::Seconds } else { Unit::Count };
            let is_counter = part.form() == Form::Count;
            if is_counter {
                metrics::describe_counter!(Arc::clone(&name), unit, help);
            } else {
                metrics::describe_gauge!(Arc::clone(&name), unit, help);
            }
            let label = |(name, value)| Label::from_static_parts(name, value);
            for (labels, value) in part.series(&reading, family, label) {
                match value {
                    FigureValue::Count(count) if is_counter => {
                        metrics::counter!(Arc::clone(&name), labels).absolute(count);
                    }
                    value => metrics::gauge!(Arc::clone(&name), labels).set(value.as_f64()),
                }
            }
        }
    }
}
