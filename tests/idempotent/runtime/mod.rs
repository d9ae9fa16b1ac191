//! Idempotent calls without the attribute.

mod calls;
mod conformance;
mod defects;
mod departures;
mod figures;
mod identity;
mod interruptions;
mod limits;
mod model;
mod recovery;
mod schedules;
mod skipped_waits;
mod takeovers;
mod trait_objects;
mod transactions;
