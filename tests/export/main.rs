//! Exporters: each shows the figures of the registry under the names of the documented table.
#![cfg(all(feature = "metrics", feature = "opentelemetry", feature = "prometheus"))]

#[cfg(feature = "duration-histograms")]
mod durations;
mod grafana;
mod metrics;
mod opentelemetry;
mod prometheus;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, FigureInfo, FigureKind, FigureValue, RateLimiter,
    circuit_breaker, count_successes, policies, rate_limit, register, retry, testing,
};

/// A name with every character that a format must escape.
const HOSTILE: &str = "a\"b\\c\nd{e}=<script>";

#[retry(attempts = 3, base_delay = "100ms", jitter = "none", name = "exported")]
fn failing() -> Result<(), &'static str> {
    Err("down")
}

/// A part of the labels of two keys.
const LABEL: &str = "of-the-label-test";

#[circuit_breaker(key = tenant, key_label = tenant, failure_threshold = 1, name = "labels")]
fn tenant_call(tenant: &str) -> Option<u32> {
    None
}

#[rate_limit(rate = 1, per = "1m", key = user, key_label = user, name = "asked")]
fn search(user: &str) -> Option<()> {
    Some(())
}

/// Of the same name as [`search`].
#[rate_limit(rate = 1, per = "1m", key = user, key_label = user, name = "asked")]
fn order(user: &str) -> Option<()> {
    Some(())
}

/// Makes figures of each type. The figures do not change afterwards.
fn figures() {
    struct Made {
        _breakers: [Arc<CircuitBreaker>; 3],
        _bulkhead: Arc<Bulkhead>,
        _limiter: Arc<RateLimiter>,
    }
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let _clock = testing::clock();
        count_successes();
        assert_eq!(failing(), Err("down"));
        for tenant in ["one", "other"].map(|tenant| format!("{tenant}-{LABEL}")) {
            assert_eq!((tenant_call(&tenant), tenant_call(&tenant)), (None, None));
        }
        for number in 0..30 {
            search(&format!("user {number}"));
        }
        // In both functions one admitted and two rejected calls.
        for _ in 0..3 {
            let _ = (search(HOSTILE), order(HOSTILE));
        }
        let breaker = |name| Arc::new(CircuitBreaker::new().failure_threshold(2).name(name));
        // Two breakers of one name: 2 and 3 rejected calls.
        let breakers = [breaker("exported"), breaker("exported"), breaker(HOSTILE)];
        for (breaker, calls) in breakers.iter().zip([2, 3, 1]) {
            register(breaker);
            breaker.force_open();
            for _ in 0..calls {
                breaker.try_acquire().expect_err("forced open");
            }
        }
        let bulkhead = Arc::new(Bulkhead::new(7).name("exported"));
        let limiter = Arc::new(RateLimiter::new(5, Duration::from_secs(1)).name("exported"));
        register(&bulkhead);
        register(&limiter);
        Made { _breakers: breakers, _bulkhead: bulkhead, _limiter: limiter }
    });
}

/// Returns the names of the figures that `figures` makes.
fn expected_names() -> Vec<&'static str> {
    let mut names: Vec<_> = policies()
        .iter()
        .flat_map(|policy| policy.figures.clone())
        .map(|it| it.info.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The parts of a distribution, as suffixes of the name.
const PARTS: [&str; 3] = [".bucket", ".sum", ".count"];

/// Returns the figure of an instrument, and the unit of the instrument.
fn info(name: &str) -> (&'static FigureInfo, &'static str) {
    let known = |name: &str| FigureInfo::all().iter().find(|info| info.name == name).copied();
    if let Some(info) = known(name) {
        return (info, info.unit);
    }
    let part = |suffix: &'static str| Some((suffix, known(name.strip_suffix(suffix)?)?));
    let (suffix, info) = PARTS.into_iter().find_map(part).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(info.kind, FigureKind::Histogram, "{name}");
    (info, if suffix == ".sum" { info.unit } else { "{call}" })
}

/// The series of an exporter: `name{label=value,…}` and the value, in a common form.
type Exported = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Adds a series.
fn add<'l>(
    to: &mut Exported,
    name: &str,
    labels: impl IntoIterator<Item = (&'l str, &'l str)>,
    value: f64,
) {
    let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let double = to.insert((name.to_owned(), labels.collect()), value);
    assert_eq!(double, None, "a series of `{name}` is there twice");
}

/// Returns the series that every exporter has to show: the sums of the reports.
fn reported() -> Exported {
    let mut exported = Exported::new();
    for policy in policies() {
        for figure in &policy.figures {
            let [name, kind] = FigureInfo::POLICY_LABELS;
            let of_policy = [(name, policy.name), (kind, policy.kind.as_str())];
            let labels = of_policy.iter().chain(figure.labels.iter());
            let labels = labels.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let labels: BTreeMap<_, _> = labels.collect();
            let mut add = |part: &str, labels, value| {
                let key = (format!("{}{part}", figure.info.name), labels);
                *exported.entry(key).or_default() += value;
            };
            let FigureValue::Histogram(histogram) = &figure.value else {
                add("", labels, figure.value.as_f64());
                continue;
            };
            for (bound, count) in histogram.cumulative() {
                let mut labels = labels.clone();
                let le = bound.map_or("+Inf".into(), |bound| bound.as_secs_f64().to_string());
                labels.insert("le".into(), le);
                add(".bucket", labels, FigureValue::Count(count).as_f64());
            }
            add(".sum", labels.clone(), histogram.sum().as_secs_f64());
            add(".count", labels, figure.value.as_f64());
        }
    }
    exported
}

/// Returns a series of the policies with the name `exported`.
fn series(exported: &Exported, name: &str, kind: &str, label: (&str, &str)) -> f64 {
    let labels = [("resilience.policy.name", "exported"), ("resilience.policy.kind", kind), label];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let key = (name.to_owned(), BTreeMap::from(labels));
    *exported.get(&key).unwrap_or_else(|| panic!("{key:?} in {exported:#?}"))
}

/// Checks the series of an exporter against the reports, and some against their known values.
fn check(exported: &Exported) {
    assert_eq!(*exported, reported());
    let outcome = ("resilience.outcome", "rejected");
    let of = |name, kind, label| series(exported, name, kind, label);
    assert_close(of("resilience.calls", "circuit_breaker", outcome), 5.0);
    assert_close(
        of("resilience.retry.stops", "retry", ("resilience.retry.stop_reason", "attempts")),
        1.0,
    );
    // 100 ms and 200 ms.
    let backoff = ("resilience.retry.delay_source", "backoff");
    assert_close(of("resilience.retry.delay.time", "retry", backoff), 0.3);
    let state = |state| {
        of(
            "resilience.circuit_breaker.state",
            "circuit_breaker",
            ("resilience.circuit_breaker.state", state),
        )
    };
    assert_close(state("forced_open"), 2.0);
    assert_close(state("closed"), 0.0);
    let hostile = exported.keys().any(|(_, labels)| labels.values().any(|value| value == HOSTILE));
    assert!(hostile, "the hostile name is not shown");
}

fn assert_close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, expected {expected}");
}

#[test]
fn the_figures_of_the_tests_cover_counters_gauges_and_times() {
    figures();
    let names = expected_names();
    let has = |kind, unit| {
        names.iter().map(|name| info(name).0).any(|info| info.kind == kind && info.unit == unit)
    };
    assert_eq!(has(FigureKind::Histogram, "s"), cfg!(feature = "duration-histograms"));
    assert!(has(FigureKind::Counter, "{call}") && has(FigureKind::Counter, "s"));
    assert!(has(FigureKind::Gauge, "1") && has(FigureKind::Gauge, "{permit}"));
    let open = policies().iter().filter(|it| it.state == Some(CircuitState::ForcedOpen)).count();
    assert_eq!(open, 3);
}
