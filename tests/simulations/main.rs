//! Published simulations of retries and breakers, reproduced with this crate's types under virtual time.
//!
//! The simulations prove that the backoff, jitter and budgets of this crate agree with the
//! literature. `cargo test --test simulations -- --nocapture` prints every table next to the
//! published table.

mod amplification;
mod backoff;
mod closed_forms;
mod contention;
mod deadline;
mod layers;
mod load;
mod metastable;
mod mistakes;
mod random;
mod table;
