//! Counters of the maintenance of a store, with the facade `metrics`. Without the feature `metrics`
//! the function does nothing.
//!
//! The maintenance belongs to no policy, so the registry has no figures for it. The facade is a
//! dependency of this crate: a feature of an optional sister crate would bring that crate into the
//! lock file of each user of `metrics`.

/// Adds to a counter of the recorder of the program.
#[cfg(feature = "metrics")]
pub fn count_maintenance(counter: &'static str, labels: &[(&'static str, &str)], by: u64) {
    let label =
        |(name, value): &(&'static str, &str)| metrics::Label::new(*name, (*value).to_owned());
    let labels: Vec<metrics::Label> = labels.iter().map(label).collect();
    metrics::counter!(counter, labels).increment(by);
}

/// Counts nothing.
#[cfg(not(feature = "metrics"))]
pub fn count_maintenance(_counter: &'static str, _labels: &[(&'static str, &str)], _by: u64) {}
