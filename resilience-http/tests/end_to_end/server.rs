//! A server that misbehaves by script.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::effects_of_a_test::Effects;

/// The treatment of a request. The last act of a script repeats.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Answers with this status, these header lines (each with a line end) and a short body. The
    /// connection stays open.
    Respond(u16, &'static str),
    /// Answers, and closes the connection without an announcement.
    RespondAndClose(u16),
    /// Resets the connection before the request is read.
    ResetUnread,
    /// Reads the request, then resets the connection.
    Reset,
    /// Reads the request, then closes the connection cleanly.
    Close,
    /// Reads the request, and never answers.
    Hang,
    /// Announces ten bytes, sends three, and closes.
    Half,
    /// Answers with bytes outside of HTTP.
    Garbage,
    /// Answers with these bytes, and closes.
    Raw(&'static [u8]),
}

/// A server until the end of the test process.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    script: Mutex<VecDeque<Act>>,
    connections: AtomicUsize,
    requests: Effects,
    keys: Mutex<Vec<String>>,
    lines: Mutex<Vec<String>>,
}

impl Server {
    pub(crate) fn new(script: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Seen::default());
        seen.script.lock().expect("a script").extend(script);
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                shared.connections.fetch_add(1, SeqCst);
                let seen = Arc::clone(&shared);
                thread::spawn(move || seen.serve(stream));
            }
        });
        Self { address, seen }
    }

    /// Returns the URL of a port without a listener.
    pub(crate) fn unused_url() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}/", listener.local_addr().expect("an address"))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Returns the number of requests received completely.
    pub(crate) fn requests(&self) -> usize {
        self.seen.requests.count()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(SeqCst)
    }

    /// Returns the number of received requests with this method.
    pub(crate) fn requests_with(&self, method: &str) -> usize {
        self.seen.requests.count();
        let lines = self.seen.lines.lock().expect("lines");
        lines.iter().filter(|line| line.starts_with(&method.to_ascii_lowercase())).count()
    }

    /// Returns the idempotency keys of the received requests, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.seen.requests.count();
        self.seen.keys.lock().expect("keys").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.seen.requests.settle();
    }
}

impl Seen {
    fn next(&self) -> Option<Act> {
        let mut script = self.script.lock().expect("a script");
        if script.len() > 1 { script.pop_front() } else { script.front().copied() }
    }

    fn serve(&self, mut stream: TcpStream) {
        loop {
            // The script advances only after a request has begun.
            if !matches!(stream.peek(&mut [0]), Ok(1)) {
                return;
            }
            let Some(act) = self.next() else { return };
            if matches!(act, Act::ResetUnread) {
                return; // unread data makes the kernel send a reset
            }
            let keep = usize::from(matches!(act, Act::Reset));
            let Some(request) = read(&mut stream, keep) else { return };
            let key = request.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
            self.keys.lock().expect("keys").extend(key.map(str::to_owned));
            self.lines.lock().expect("lines").extend(request.lines().next().map(str::to_owned));
            self.requests.increment();
            if !act.perform(&mut stream) {
                return;
            }
        }
    }
}

impl Act {
    /// Answers, and returns whether the connection stays open.
    fn perform(self, stream: &mut TcpStream) -> bool {
        let text = match self {
            Self::ResetUnread | Self::Reset | Self::Close => return false,
            Self::Hang => {
                // Waits until the client disconnects.
                while matches!(stream.read(&mut [0; 64]), Ok(1..)) {}
                return false;
            }
            Self::Respond(status, headers) => {
                format!("HTTP/1.1 {status} Scripted\r\n{headers}content-length: 5\r\n\r\nhello")
            }
            Self::RespondAndClose(status) => {
                format!("HTTP/1.1 {status} Scripted\r\ncontent-length: 5\r\n\r\nhello")
            }
            Self::Half => "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel".to_owned(),
            Self::Garbage => "??? what ???\r\n\r\n".to_owned(),
            Self::Raw(_) => String::new(),
        };
        let response = if let Self::Raw(bytes) = self { bytes } else { text.as_bytes() };
        let sent = stream.write_all(response).and_then(|()| stream.flush());
        sent.is_ok() && matches!(self, Self::Respond(..))
    }
}

/// Reads a request with the body, except the last `keep` bytes. Unread bytes make the kernel reset
/// the connection.
fn read(stream: &mut TcpStream, keep: usize) -> Option<String> {
    let mut buffer = vec![0; 4096];
    let length = loop {
        let seen = stream.peek(&mut buffer).ok().filter(|seen| *seen > 0)?;
        let text = String::from_utf8_lossy(buffer.get(..seen)?).to_ascii_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let body = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let whole = head + 4 + body.map_or(0, |body| body.parse().unwrap_or(0));
            if seen >= whole {
                break whole;
            }
        }
        thread::yield_now();
    };
    let request = String::from_utf8_lossy(buffer.get(..length)?).to_ascii_lowercase();
    stream.read_exact(buffer.get_mut(..length - keep)?).ok()?;
    Some(request)
}
