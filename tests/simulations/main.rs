//! Published simulations of retries, breakers and bulkheads, reproduced with this crate's types
//! under virtual time.
//!
//! The simulations prove that the backoff, jitter and budgets of this crate agree with the
//! literature. `cargo test --test simulations -- --nocapture` prints every table next to the
//! published table; `docs/proofs.md` has the results.

mod amplification;
mod backoff;
mod capacity_loss;
mod client_and_service;
mod closed_forms;
mod contention;
mod deadline;
mod hanging_calls;
mod hedging;
mod layers;
mod load;
mod load_spike;
mod local_budgets;
mod metastable;
mod mistakes;
mod protection;
mod random;
mod soak;
mod table;
mod trial_rates;
mod virtual_time;
