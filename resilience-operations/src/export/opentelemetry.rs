//! Observable instruments of OpenTelemetry.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use resilience_core::{FigureInfo, FigureValue, count_successes};

use crate::parts::{Form, parts};
use crate::series::{Family, read};

/// Registers an observable instrument for each figure of [`FigureInfo::all`]. The meter provider
/// reads the figures at each collection; between collections the exporter does nothing.
///
/// Counters are monotonic. Gauges are up-down counters, because values of several processes can be
/// added. OpenTelemetry has no observable histogram, so a figure of the kind
/// [`Histogram`](resilience_core::FigureKind::Histogram) is three observable counters: `….bucket`
/// with the attribute `le`, `….sum` in seconds, and `….count`. Call the function once for each
/// meter provider: the instruments live as long as the provider. The recommended name of the meter
/// is `resilience`.
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
    let collection = Arc::new(Mutex::new(Collection::new()));
    for (index, part) in FigureInfo::all().iter().copied().flat_map(parts).enumerate() {
        let (name, unit, help) = (part.name(), part.unit(), part.info.help);
        let collection = Arc::clone(&collection);
        let series = move || {
            // The registry runs no code of the user under this lock.
            let mut collection = collection.lock().unwrap_or_else(PoisonError::into_inner);
            collection.take(index)
        };
        match part.form() {
            Form::Seconds => {
                let builder = meter.f64_observable_counter(name);
                let builder = builder.with_unit(unit).with_description(help);
                let seconds = move |to: &dyn AsyncInstrument<f64>| {
                    observe(to, series(), FigureValue::as_f64);
                };
                builder.with_callback(seconds).build();
            }
            Form::Count => {
                let builder = meter.u64_observable_counter(name);
                let builder = builder.with_unit(unit).with_description(help);
                let count = move |to: &dyn AsyncInstrument<u64>| {
                    observe(to, series(), FigureValue::as_u64);
                };
                builder.with_callback(count).build();
            }
            Form::Gauge => {
                let builder = meter.i64_observable_up_down_counter(name);
                let builder = builder.with_unit(unit).with_description(help);
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
    series: Vec<(Vec<KeyValue>, FigureValue)>,
    number: impl Fn(&FigureValue) -> T,
) {
    for (labels, value) in series {
        instrument.observe(number(&value), &labels);
    }
}

/// The series of a collection, in the order of the instruments. The provider calls the instruments
/// in this order, and all instruments share a reading of the registry.
struct Collection {
    series: Vec<Vec<(Vec<KeyValue>, FigureValue)>>,
    /// The first instrument that has not been called since the reading.
    next: usize,
}

impl Collection {
    /// Creates a collection that begins with a reading, whichever instrument is called first.
    fn new() -> Self {
        Self { series: Vec::new(), next: usize::MAX }
    }

    /// Returns the series of an instrument. A call out of order belongs to another collection: the
    /// registry is read again.
    fn take(&mut self, index: usize) -> Vec<(Vec<KeyValue>, FigureValue)> {
        if index < self.next {
            let reading = read();
            let label = |(name, value)| KeyValue::new::<&str, &str>(name, value);
            let of_family = |family: &Family| {
                let parts = parts(family.info);
                parts.map(|part| part.series(&reading, family, label)).collect::<Vec<_>>()
            };
            self.series = reading.families.iter().flat_map(of_family).collect();
        }
        self.next = index.saturating_add(1);
        self.series.get_mut(index).map(mem::take).unwrap_or_default()
    }
}
