//! A client that sends raw bytes.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The limit for a single wait in a test.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(20);

/// A response as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl RawResponse {
    /// Returns the values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&[u8]> {
        let lines = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_slice()).collect()
    }

    /// Returns the first value of a text header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(|value| std::str::from_utf8(value).expect("text"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    /// Returns the last part of the problem type.
    pub(crate) fn problem(&self) -> Option<String> {
        let json: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        json["type"].as_str()?.rsplit([':', '/']).next().map(str::to_owned)
    }
}

/// Makes a POST to `/pay` with these header lines.
pub(crate) fn request(lines: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST /pay HTTP/1.1\r\nhost: api\r\ncontent-length: {length}\r\nconnection: close\r\n{lines}\r\n{body}").into()
}

/// Sends a request to `/pay` with this key.
pub(crate) async fn pay(address: SocketAddr, key: &str) -> RawResponse {
    send(address, &request(&format!("idempotency-key: {key}\r\n"), "10 EUR")).await
}

/// Sends bytes, and reads the response.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> RawResponse {
    read(&exchange(address, bytes).await)
}

/// Sends bytes, and reads until the end of the connection, with or without a response.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a server");
    stream.write_all(bytes).await.expect("the server reads");
    let mut response = Vec::new();
    let read = stream.read_to_end(&mut response);
    _ = timeout(TIME_LIMIT, read).await.expect("a response in time");
    response
}

fn read(bytes: &[u8]) -> RawResponse {
    let end = position(bytes, b"\r\n\r\n").expect("a head");
    let mut lines = bytes[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = std::str::from_utf8(lines.next().expect("a line")).expect("text");
    let status = first.split(' ').nth(1).expect("a status").parse().expect("a number");
    let header = |line: &[u8]| {
        let colon = position(line, b":").expect("a colon");
        let name = String::from_utf8(line[..colon].to_vec()).expect("a name");
        (name, line[colon + 1..].trim_ascii().to_vec())
    };
    let headers: Vec<_> = lines.map(header).collect();
    let mut response = RawResponse { status, headers, body: bytes[end + 4..].to_vec() };
    if response.header("transfer-encoding") == Some("chunked") {
        response.body = unchunked(&response.body);
    }
    response
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = position(bytes, b"\r\n") {
        let length = std::str::from_utf8(&bytes[..end]).expect("digits");
        let length = usize::from_str_radix(length, 16).expect("a length");
        if length == 0 {
            break;
        }
        body.extend(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 2 + length + 2..];
    }
    body
}

pub(crate) fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
