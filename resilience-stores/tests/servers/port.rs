//! Ports for servers.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port of the loopback that nobody listens on.
///
/// From below the range that systems take for outgoing connections: a port that a server has left for a
/// moment is not taken by a client.
pub fn free_port() -> u16 {
    const FIRST: u32 = 16_000;
    const COUNT: u32 = 16_000;
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    // Processes that run at the same time begin at different places.
    let start = process::id().wrapping_mul(97);
    let drawn = |_| start.wrapping_add(DRAWN.fetch_add(1, Ordering::Relaxed)) % COUNT + FIRST;
    let mut ports = (0..COUNT).map(drawn).filter_map(|port| u16::try_from(port).ok());
    ports.find(free).expect("a free port")
}
