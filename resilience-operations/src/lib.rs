//! Exporters of figures and the admin page of `resilience-rs`.
//!
//! Depend on `resilience-rs`: the modules `resilience::export` and `resilience::admin` are those of
//! this crate. Every exporter reads the figures of the registry; no figure is counted twice.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "prometheus"))]
mod parts;
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "prometheus"))]
mod series;

#[cfg(feature = "admin")]
pub mod admin;
pub mod export;
