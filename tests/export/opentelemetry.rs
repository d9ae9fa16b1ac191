//! Instruments of OpenTelemetry, collected by the exporter in memory of the SDK.

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use resilience::FigureKind;
use resilience::export::register_instruments;

use crate::{Exported, add, check, figures, info};

/// Adds the points of an instrument, after a check of its description.
fn add_points<T: Copy>(
    to: &mut Exported,
    name: &str,
    points: impl Iterator<Item = SumDataPoint<T>>,
    number: impl Fn(T) -> f64,
) {
    for point in points {
        let labels: Vec<_> = point
            .attributes()
            .map(|label| (label.key.as_str().to_owned(), label.value.as_str().into_owned()))
            .collect();
        let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        add(to, name, labels, number(point.value()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "the numbers of the test are small")]
fn exported(collected: &ResourceMetrics) -> Exported {
    let mut exported = Exported::new();
    for metric in collected.scope_metrics().flat_map(ScopeMetrics::metrics) {
        let name = metric.name();
        let (info, unit) = info(name);
        assert_eq!((metric.unit(), metric.description()), (unit, info.help));
        let is_counter = info.kind != FigureKind::Gauge;
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                assert!(is_counter && sum.is_monotonic(), "{name}");
                add_points(&mut exported, name, sum.data_points().cloned(), |value| value as f64);
            }
            AggregatedMetrics::F64(MetricData::Sum(sum)) => {
                assert!(is_counter && sum.is_monotonic() && unit == "s", "{name}");
                add_points(&mut exported, name, sum.data_points().cloned(), |value| value);
            }
            AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                assert!(!is_counter && !sum.is_monotonic(), "{name}");
                add_points(&mut exported, name, sum.data_points().cloned(), |value| value as f64);
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    exported
}

fn provider(exporter: &InMemoryMetricExporter) -> SdkMeterProvider {
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    register_instruments(&provider.meter("resilience"));
    provider
}

fn collect(provider: &SdkMeterProvider, exporter: &InMemoryMetricExporter) -> Exported {
    exporter.reset();
    provider.force_flush().expect("the exporter in memory takes everything");
    let collected = exporter.get_finished_metrics().expect("no lock is poisoned");
    exported(collected.first().expect("one collection"))
}

#[test]
fn the_instruments_show_the_figures_at_collection() {
    figures();
    let exporter = InMemoryMetricExporter::default();
    let provider = provider(&exporter);
    check(&collect(&provider, &exporter));
    // The second collection reads the registry again.
    check(&collect(&provider, &exporter));
    provider.shutdown().expect("the provider ends once");
}

#[test]
fn two_providers_do_not_disturb_each_other() {
    figures();
    let exporters = [InMemoryMetricExporter::default(), InMemoryMetricExporter::default()];
    let providers = exporters.each_ref().map(provider);
    for _ in 0..2 {
        for (provider, exporter) in providers.iter().zip(&exporters) {
            check(&collect(provider, exporter));
        }
    }
}
