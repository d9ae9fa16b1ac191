//! Idempotent calls through the public API.

mod calls;
mod conformance;
mod defects;
mod identity;
mod interruptions;
mod model;
mod recovery;
mod schedules;
