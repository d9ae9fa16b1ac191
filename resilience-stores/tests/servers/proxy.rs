//! A proxy between a client and a server, which disturbs the traffic.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A proxy with a loopback port. Dropping the proxy closes the connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Both sides of every connection.
    open: Mutex<Vec<TcpStream>>,
    /// The delay of an answer, in nanoseconds.
    delay: AtomicU64,
    swallows: AtomicBool,
    is_silent: AtomicBool,
    /// Whether the last piece of the traffic was a request.
    is_asking: AtomicBool,
    round_trips: AtomicUsize,
    swallowed: AtomicUsize,
    ended: AtomicBool,
    /// The port of the server for new connections.
    server: AtomicU16,
}

impl Proxy {
    /// Starts a proxy for the server at this port. The server may start later.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let shared = Arc::new(Shared::default());
        shared.server.store(server, SeqCst);
        let listener_state = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if listener_state.ended.load(SeqCst) {
                    break;
                }
                // Without a server, the connection of the client is closed.
                let server = listener_state.server.load(SeqCst);
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
                    listener_state.join(client, server);
                }
            }
        });
        Self { port, shared }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads new connections to another server. Open connections stay.
    pub fn lead_to(&self, server: u16) {
        self.shared.server.store(server, SeqCst);
    }

    /// Closes every connection. New connections pass.
    pub fn cut(&self) {
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Delays every later piece of an answer.
    pub fn delay(&self, by: Duration) {
        self.shared.delay.store(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), SeqCst);
    }

    /// Forwards requests but no answers from now on.
    pub fn swallow(&self) {
        self.shared.swallows.store(true, SeqCst);
    }

    /// Accepts connections, and forwards nothing in either direction from now on.
    pub fn fall_silent(&self) {
        self.shared.is_silent.store(true, SeqCst);
    }

    /// Returns the number of round trips: requests that follow an answer, or the begin.
    pub fn round_trips(&self) -> usize {
        self.shared.round_trips.load(SeqCst)
    }

    /// Returns the number of swallowed answer bytes. A positive number means that the server has
    /// executed the request.
    pub fn swallowed(&self) -> usize {
        self.shared.swallowed.load(SeqCst)
    }

    /// Forwards everything immediately from now on.
    pub fn pass(&self) {
        self.shared.swallows.store(false, SeqCst);
        self.shared.is_silent.store(false, SeqCst);
        self.delay(Duration::ZERO);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        // Wakes the accept loop.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        self.cut();
    }
}

impl Shared {
    /// Forwards in both directions until one side closes.
    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let copy = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        let (to_client, to_server) = (copy(&client), copy(&server));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.extend([copy(&client), copy(&server)]);
        drop(open);
        let shared = Arc::clone(self);
        let requests = Arc::clone(self);
        thread::spawn(move || carry(client, to_server, |_| requests.lets_request_pass()));
        thread::spawn(move || carry(server, to_client, |count| shared.lets_pass(count)));
    }

    /// Counts a round trip, and returns whether to forward the request.
    fn lets_request_pass(&self) -> bool {
        if !self.is_asking.swap(true, SeqCst) {
            self.round_trips.fetch_add(1, SeqCst);
        }
        !self.is_silent.load(SeqCst)
    }

    /// Delays an answer, and returns whether to forward the answer.
    fn lets_pass(&self, count: usize) -> bool {
        thread::sleep(Duration::from_nanos(self.delay.load(SeqCst)));
        self.is_asking.store(false, SeqCst);
        let passes = !self.swallows.load(SeqCst) && !self.is_silent.load(SeqCst);
        if !passes {
            self.swallowed.fetch_add(count, SeqCst);
        }
        passes
    }
}

/// Forwards one direction.
fn carry(mut from: TcpStream, mut to: TcpStream, passes: impl Fn(usize) -> bool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if passes(count) && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
