//! The text format of Prometheus.

use core::fmt::{self, Write as _};

use resilience_core::{FigureInfo, FigureKind, FigureValue};

use crate::parts::parts;
use crate::series::families;

/// The content type of [`prometheus_text`].
pub const PROMETHEUS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the figures of all policies in the text format of Prometheus, version 0.0.4.
///
/// Names follow the [rules of OpenTelemetry for Prometheus][rules]; see [`prometheus_name`].
/// Policies of the same name and kind share a series with the sum. Counts successful calls from the
/// first use on, as [`policies`](resilience_core::policies) does.
///
/// ```
/// use resilience::CircuitBreaker;
/// use resilience::export::prometheus_text;
///
/// let search = CircuitBreaker::new().name("prometheus_example");
/// search.force_open();
/// assert!(search.try_acquire().is_err());
/// let line = "resilience_calls_total{resilience_policy_name=\"prometheus_example\",\
///     resilience_policy_kind=\"circuit_breaker\",resilience_outcome=\"rejected\"} 1";
/// assert!(prometheus_text().lines().any(|known| known == line));
/// ```
///
/// [rules]: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
#[must_use]
pub fn prometheus_text() -> String {
    let mut text = String::new();
    for family in families().iter().filter(|family| !family.series.is_empty()) {
        let name = prometheus_name(family.info);
        let kind = match family.info.kind {
            FigureKind::Counter => "counter",
            FigureKind::Histogram => "histogram",
            _ => "gauge",
        };
        // Writing to a string never fails.
        let _ = writeln!(text, "# HELP {name} {}", Escaped(family.info.help, false));
        let _ = writeln!(text, "# TYPE {name} {kind}");
        for part in parts(family.info) {
            // `resilience.call.duration.bucket`: the suffix follows the unit.
            let suffix =
                underscored(part.name().strip_prefix(family.info.name).unwrap_or_default());
            part.each(family, |series, bucket, value| {
                text.push_str(&name);
                text.push_str(&suffix);
                write_labels(&mut text, series.labels().chain(bucket));
                let _ = match value {
                    FigureValue::Time(time) => writeln!(text, "{}", time.as_secs_f64()),
                    value => writeln!(text, "{}", value.as_u64()),
                };
            });
        }
    }
    text
}

/// Writes labels, and the space before the value. Without the machinery of `format!`: a large
/// process has ten thousands of labels.
fn write_labels(text: &mut String, labels: impl Iterator<Item = (&'static str, &'static str)>) {
    let mut separator = '{';
    for (label, value) in labels {
        text.push(separator);
        for (index, part) in label.split('.').enumerate() {
            if index > 0 {
                text.push('_');
            }
            text.push_str(part);
        }
        text.push_str("=\"");
        if value.bytes().any(|byte| matches!(byte, b'\\' | b'\n' | b'"')) {
            let _ = write!(text, "{}", Escaped(value, true));
        } else {
            text.push_str(value);
        }
        text.push('"');
        separator = ',';
    }
    text.push_str("} ");
}

/// Returns the name of a figure for Prometheus: dots become underscores, the unit of a time is
/// `_seconds`, and a counter ends in `_total`. The series of a histogram have the further suffixes
/// `_bucket`, `_sum` and `_count`.
///
/// ```
/// use resilience::FigureInfo;
/// use resilience::export::prometheus_name;
///
/// let wait = FigureInfo::all().iter().find(|info| info.name == "resilience.wait.time").unwrap();
/// assert_eq!(prometheus_name(wait), "resilience_wait_time_seconds_total");
/// ```
#[must_use]
pub fn prometheus_name(info: &FigureInfo) -> String {
    let mut name = underscored(info.name);
    if info.unit == "s" {
        name.push_str("_seconds");
    }
    if info.kind == FigureKind::Counter {
        name.push_str("_total");
    }
    name
}

fn underscored(name: &str) -> String {
    name.replace('.', "_")
}

/// A text with the escapes of the format; within quotes also of quotes.
struct Escaped<'t>(&'t str, bool);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, is_quoted) = *self;
        text.chars().try_for_each(|char| match char {
            '\\' => f.write_str("\\\\"),
            '\n' => f.write_str("\\n"),
            '"' if is_quoted => f.write_str("\\\""),
            char => f.write_char(char),
        })
    }
}
