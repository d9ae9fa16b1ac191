//! Collections of OpenTelemetry in a process whose policies use few of the figures: most
//! instruments have no series.
#![cfg(feature = "opentelemetry")]

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics, SumDataPoint};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use resilience::CircuitBreaker;
use resilience::export::register_instruments;

/// Returns a provider with two readers: each collection calls every instrument.
fn provider(exporters: &[InMemoryMetricExporter; 2]) -> SdkMeterProvider {
    let reader =
        |exporter: &InMemoryMetricExporter| PeriodicReader::builder(exporter.clone()).build();
    let [first, second] = exporters.each_ref().map(reader);
    let provider = SdkMeterProvider::builder().with_reader(first).with_reader(second).build();
    register_instruments(&provider.meter("resilience"));
    provider
}

/// Returns the rejected calls in the last collection.
fn rejected(exporter: &InMemoryMetricExporter) -> u64 {
    let collected = exporter.get_finished_metrics().expect("no lock is poisoned");
    let last = collected.last().expect("a collection");
    let mut metrics = last.scope_metrics().flat_map(ScopeMetrics::metrics);
    let calls = metrics.find(|metric| metric.name() == "resilience.calls").expect("calls");
    let AggregatedMetrics::U64(MetricData::Sum(sum)) = calls.data() else { panic!("{calls:?}") };
    let rejected = sum.data_points().filter(|point| {
        let mut values = point.attributes().map(|label| label.value.as_str());
        values.any(|value| value == "rejected")
    });
    rejected.map(SumDataPoint::value).sum()
}

#[test]
fn a_collection_shows_the_calls_before_it() {
    let breaker = CircuitBreaker::new().name("collected");
    breaker.force_open();
    let exporters = [InMemoryMetricExporter::default(), InMemoryMetricExporter::default()];
    let provider = provider(&exporters);
    for calls in 1..4 {
        breaker.try_acquire().expect_err("forced open");
        provider.force_flush().expect("the exporters in memory take everything");
        assert_eq!(exporters.each_ref().map(rejected), [calls, calls]);
    }
}
