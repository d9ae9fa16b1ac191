//! The text format of Prometheus.

use core::fmt::{self, Write as _};
use std::collections::BTreeMap;

use resilience_core::{FigureInfo, FigureKind, FigureValue, KeysReport, PolicyKind, policies};

use crate::parts::parts;
use crate::series::{policy_labels, read};

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
    let reading = read();
    // Each policy has a dozen series or more with these labels.
    let policies: Vec<_> = reading.policies.iter().map(|policy| opened(*policy)).collect();
    for family in reading.families() {
        let name = prometheus_name(family.info);
        let kind = match family.info.kind {
            FigureKind::Counter => "counter",
            FigureKind::Histogram => "histogram",
            _ => "gauge",
        };
        // Writing to a string never fails.
        let _ = writeln!(text, "# HELP {name} {}", Escaped(family.info.help, false));
        let _ = writeln!(text, "# TYPE {name} {kind}");
        let labels: Vec<_> = family.info.labels.iter().map(|label| underscored(label)).collect();
        for part in parts(family.info) {
            // `resilience.call.duration.bucket`: the suffix follows the unit.
            let part_name = part.name();
            let suffix = part_name.strip_prefix(family.info.name).unwrap_or_default();
            let name = format!("{name}{}", underscored(suffix));
            part.each(family, |series, bucket, value| {
                text.push_str(&name);
                text.push_str(policies.get(series.policy).map_or("{", String::as_str));
                for (label, (_, value)) in labels.iter().zip(series.labels.iter()) {
                    push_label(&mut text, label, value);
                }
                if let Some((label, value)) = bucket {
                    push_label(&mut text, label, value);
                }
                text.push_str("} ");
                let _ = match value {
                    FigureValue::Time(time) => writeln!(text, "{}", time.as_secs_f64()),
                    value => writeln!(text, "{}", value.as_u64()),
                };
            });
        }
    }
    text
}

/// Returns the calls of the busiest and of the most rejecting keys in the same format, with the key
/// as the label `resilience_key`: for a scrape that asks for keys, behind [`prometheus_text`].
///
/// A policy has at most 20 keys here, those of its [`KeysReport`]. Of keys with one label only the
/// busiest is shown. A key that leaves the table starts again at zero, so the series are gauges.
///
/// ```
/// use resilience::export::{prometheus_keys_text, prometheus_text};
/// use resilience::rate_limit;
///
/// #[rate_limit(rate = 5, key = tenant, key_label = tenant, name = "prometheus_keys_example")]
/// fn search(tenant: &str) -> Option<()> {
///     Some(())
/// }
///
/// search("acme");
/// let scrape = prometheus_text() + &prometheus_keys_text();
/// let line = "resilience_key_calls{resilience_policy_name=\"prometheus_keys_example\",\
///     resilience_policy_kind=\"rate_limit\",resilience_key=\"acme\"} 1";
/// assert!(scrape.lines().any(|known| known == line));
/// ```
#[must_use]
pub fn prometheus_keys_text() -> String {
    let mut series = BTreeMap::new();
    for policy in policies() {
        for (key, [calls, rejected]) in policy.keys.map(shown_keys).unwrap_or_default() {
            // Policies of the same name and kind share a series.
            let sums: &mut [u64; 2] = series.entry((policy.name, policy.kind, key)).or_default();
            let [all_calls, all_rejected] = *sums;
            *sums = [all_calls.saturating_add(calls), all_rejected.saturating_add(rejected)];
        }
    }
    let mut text = String::new();
    let calls = ("resilience_key_calls", "Calls with the key since it was added to the table.");
    let rejected = ("resilience_key_rejected_calls", "The rejected calls among these.");
    for (index, (name, help)) in [calls, rejected].into_iter().enumerate() {
        if !series.is_empty() {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        }
        for ((policy, kind, key), sums) in &series {
            text.push_str(name);
            text.push_str(&opened((policy, *kind)));
            push_label(&mut text, "resilience_key", key);
            let _ = writeln!(text, "}} {}", sums.get(index).copied().unwrap_or_default());
        }
    }
    text
}

/// Returns the keys of a report with their calls and rejected calls. A key can be among the busiest
/// and among the most rejecting keys.
fn shown_keys(keys: KeysReport) -> BTreeMap<String, [u64; 2]> {
    let mut shown = BTreeMap::new();
    for key in keys.busiest.into_iter().chain(keys.rejecting) {
        shown.entry(key.key).or_insert([key.calls, key.rejected]);
    }
    shown
}

/// Returns the labels of a policy, with the bracket before them.
fn opened(policy: (&'static str, PolicyKind)) -> String {
    let mut text = String::new();
    for (label, value) in policy_labels(policy) {
        push_label(&mut text, &underscored(label), value);
    }
    text.replacen(',', "{", 1)
}

/// Adds a label with a comma before it. Without `format!`: a large process has ten thousands of
/// labels.
fn push_label(text: &mut String, label: &str, value: &str) {
    text.push(',');
    text.push_str(label);
    text.push_str("=\"");
    if value.bytes().any(|byte| matches!(byte, b'\\' | b'\n' | b'"')) {
        let _ = write!(text, "{}", Escaped(value, true));
    } else {
        text.push_str(value);
    }
    text.push('"');
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
