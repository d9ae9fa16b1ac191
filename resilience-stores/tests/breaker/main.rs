//! Breakers that processes share: on a board in memory under virtual time, and on real servers among real
//! processes.

#![allow(clippy::unwrap_used, reason = "a panic is what a test is for")]

mod boards;
mod log;
mod memory;
mod outages;
mod process;
mod processes;
#[path = "../servers/mod.rs"]
mod servers;
mod store;
mod virtual_time;
