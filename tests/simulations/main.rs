//! Published simulations of retries, run again with this crate's own types under virtual time.
//!
//! They prove that a backoff, a jitter and a budget here mean what the field means by them.
//! `cargo test --test simulations -- --nocapture` prints every table beside the published one.

mod amplification;
mod backoff;
mod closed_forms;
mod contention;
mod deadline;
mod layers;
mod load;
mod mistakes;
mod random;
mod table;
