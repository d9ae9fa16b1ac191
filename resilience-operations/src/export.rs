//! Exporters of the figures of all policies: Prometheus, `metrics`, OpenTelemetry.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
#[cfg(feature = "prometheus")]
mod prometheus;

#[cfg(feature = "metrics")]
pub use self::metrics::record_metrics;
#[cfg(feature = "opentelemetry")]
pub use self::opentelemetry::register_instruments;
#[cfg(feature = "prometheus")]
pub use self::prometheus::{
    PROMETHEUS_CONTENT_TYPE, prometheus_keys_text, prometheus_name, prometheus_text,
};
