//! Observable instruments of OpenTelemetry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use resilience_core::{FigureInfo, FigureKind, FigureValue, count_successes};

use crate::series::{SeriesLabels, families};

/// Registers an observable instrument for each figure of [`FigureInfo::all`]. The meter provider
/// reads the figures at each collection; between collections the exporter does nothing.
///
/// Counters are monotonic. Gauges are up-down counters, because values of several processes can be
/// added. Call the function once for each meter provider: the instruments live as long as the
/// provider. The recommended name of the meter is `resilience`.
///
/// ```
/// use opentelemetry::metrics::MeterProvider as _;
/// use opentelemetry_sdk::metrics::SdkMeterProvider;
/// use resilience::export::register_instruments;
///
/// let provider = SdkMeterProvider::builder().build(); // with a reader
/// register_instruments(&provider.meter("resilience"));
/// ```
pub fn register_instruments(meter: &Meter) {
    count_successes();
    let collection = Arc::new(Mutex::new(Collection::default()));
    for info in FigureInfo::all() {
        let collection = Arc::clone(&collection);
        let series = move || {
            // The registry runs no code of the user under this lock.
            let mut collection = collection.lock().unwrap_or_else(PoisonError::into_inner);
            collection.take(info)
        };
        match (info.kind, info.unit) {
            (FigureKind::Counter, "s") => {
                let builder = meter.f64_observable_counter(info.name);
                let builder = builder.with_unit(info.unit).with_description(info.help);
                let seconds = move |to: &dyn AsyncInstrument<f64>| {
                    observe(to, series(), FigureValue::as_f64);
                };
                builder.with_callback(seconds).build();
            }
            (FigureKind::Counter, unit) => {
                let builder = meter.u64_observable_counter(info.name);
                let builder = builder.with_unit(unit).with_description(info.help);
                let count = move |to: &dyn AsyncInstrument<u64>| {
                    observe(to, series(), FigureValue::as_u64);
                };
                builder.with_callback(count).build();
            }
            (_, unit) => {
                let builder = meter.i64_observable_up_down_counter(info.name);
                let builder = builder.with_unit(unit).with_description(info.help);
                let value = move |to: &dyn AsyncInstrument<i64>| {
                    observe(to, series(), |value| {
                        i64::try_from(value.as_u64()).unwrap_or(i64::MAX)
                    });
                };
                builder.with_callback(value).build();
            }
        }
    }
}

fn observe<T>(
    instrument: &dyn AsyncInstrument<T>,
    series: Vec<(SeriesLabels, FigureValue)>,
    number: impl Fn(FigureValue) -> T,
) {
    for (labels, value) in series {
        let label = |(name, value)| KeyValue::new::<&str, &str>(name, value);
        let labels: Vec<_> = labels.into_iter().map(label).collect();
        instrument.observe(number(value), &labels);
    }
}

/// The series of a collection. The provider calls the instruments in turn, and all instruments
/// share a reading of the registry.
#[derive(Default)]
struct Collection(BTreeMap<&'static str, Vec<(SeriesLabels, FigureValue)>>);

impl Collection {
    /// Returns the series of a figure. The second request for a figure begins the next
    /// collection: the registry is read again.
    fn take(&mut self, info: &'static FigureInfo) -> Vec<(SeriesLabels, FigureValue)> {
        if !self.0.contains_key(info.name) {
            let series = |family: crate::series::Family| {
                (family.info.name, family.series.into_iter().collect())
            };
            self.0 = families().into_iter().map(series).collect();
        }
        self.0.remove(info.name).unwrap_or_default()
    }
}
