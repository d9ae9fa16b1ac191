//! Breakers shared between processes: in memory under virtual time, and on real servers between
//! real processes.

#![allow(clippy::incompatible_msrv, reason = "the databases need a later version of Rust")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod contract;
#[path = "../shared/failing_statements.rs"]
mod failing_statements;
mod log;
#[path = "../shared/log_lines.rs"]
mod log_lines;
mod memory;
mod nonsense;
mod outages;
mod process;
mod processes;
mod quorum;
#[path = "../shared/server.rs"]
mod server;
#[path = "../servers/mod.rs"]
mod servers;
mod store;
mod virtual_time;
