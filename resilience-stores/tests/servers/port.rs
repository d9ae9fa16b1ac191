//! Ports for servers.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Returns a loopback port without a listener.
///
/// The port is below the range for outgoing connections, so that no client takes the port of a
/// stopped server.
pub fn free_port() -> u16 {
    const FIRST: u32 = 16_000;
    const COUNT: u32 = 16_000;
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    // Concurrent processes start at different ports.
    let start = process::id().wrapping_mul(97);
    let drawn = |_| start.wrapping_add(DRAWN.fetch_add(1, Ordering::Relaxed)) % COUNT + FIRST;
    let mut ports = (0..COUNT).map(drawn).filter_map(|port| u16::try_from(port).ok());
    ports.find(free).expect("a free port")
}
