//! Rate limits shared between processes: in memory under virtual time, and on real servers between
//! real processes.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod fleet;
mod memory;
mod virtual_time;
