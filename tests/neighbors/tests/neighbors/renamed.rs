//! The library under another name in `Cargo.toml`: `again = { package = "resilience-rs", … }`.
