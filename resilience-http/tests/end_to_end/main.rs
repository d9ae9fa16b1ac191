//! Real clients against misbehaving servers. The tests count the requests received by the server.

mod blocking;
mod damaged_bodies;
#[path = "../support/effects.rs"]
mod effects_of_a_test;
mod http2;
mod hyper_util;
mod keys_and_cooldown;
mod layers;
mod proxies;
mod redirects;
mod reqwest;
mod reqwest_012;
mod server;

use std::time::Duration;

use http::Method;
use server::Act::{self, *};

/// A server script, and the expected number of received requests.
struct Scenario {
    name: &'static str,
    script: &'static [Act],
    /// For GET, and for POST with `idempotent = false`.
    received: [usize; 2],
    /// The final status; `None` is an error.
    ended: [Option<u16>; 2],
}

const fn scenario(
    name: &'static str,
    script: &'static [Act],
    received: [usize; 2],
    ended: [Option<u16>; 2],
) -> Scenario {
    Scenario { name, script, received, ended }
}

const OK: Act = Respond(200, "");

/// A response whose second chunk has no size.
const MALFORMED_CHUNK: &[u8] =
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\nworld\r\n0\r\n\r\n";

/// Each scenario allows three attempts.
static SCENARIOS: [Scenario; 30] = [
    scenario("success", &[OK], [1, 1], [Some(200); 2]),
    scenario("created", &[Respond(201, "")], [1, 1], [Some(201); 2]),
    scenario("reset before the request is read", &[ResetUnread, OK], [1, 0], [Some(200), None]),
    scenario("reset after it was read", &[Reset, OK], [2, 1], [Some(200), None]),
    scenario("closed after it was read", &[Close, OK], [2, 1], [Some(200), None]),
    scenario("closed for good", &[Close], [3, 1], [None; 2]),
    scenario("hangs", &[Hang, OK], [2, 1], [Some(200), None]),
    scenario("half a response", &[Half, OK], [2, 1], [Some(200), None]),
    scenario("a malformed chunk", &[Raw(MALFORMED_CHUNK), OK], [2, 1], [Some(200), None]),
    scenario("garbage", &[Garbage, OK], [1, 1], [None; 2]),
    scenario("500", &[Respond(500, ""), OK], [2, 1], [Some(200), Some(500)]),
    scenario("500 for good", &[Respond(500, "")], [3, 1], [Some(500); 2]),
    scenario("501", &[Respond(501, ""), OK], [1, 1], [Some(501); 2]),
    scenario("502", &[Respond(502, ""), OK], [2, 1], [Some(200), Some(502)]),
    scenario("503", &[Respond(503, ""), OK], [2, 1], [Some(200), Some(503)]),
    scenario("503 and closed", &[RespondAndClose(503), OK], [2, 1], [Some(200), Some(503)]),
    scenario("504", &[Respond(504, ""), OK], [2, 1], [Some(200), Some(504)]),
    scenario("522, the origin was not reached", &[Respond(522, ""), OK], [2, 2], [Some(200); 2]),
    scenario("408", &[Respond(408, ""), OK], [2, 1], [Some(200), Some(408)]),
    scenario("421", &[Respond(421, ""), OK], [2, 2], [Some(200); 2]),
    scenario("421 for good", &[Respond(421, "")], [2, 2], [Some(421); 2]),
    scenario("425", &[Respond(425, ""), OK], [2, 2], [Some(200); 2]),
    scenario("429", &[Respond(429, ""), OK], [2, 2], [Some(200); 2]),
    scenario("429, later", &[Respond(429, "retry-after: 30\r\n"), OK], [2, 2], [Some(200); 2]),
    scenario("429, too late", &[Respond(429, "retry-after: 61\r\n"), OK], [1, 1], [Some(429); 2]),
    scenario("400", &[Respond(400, ""), OK], [1, 1], [Some(400); 2]),
    scenario("404", &[Respond(404, "retry-after: 1\r\n"), OK], [1, 1], [Some(404); 2]),
    scenario("409", &[Respond(409, "retry-after: 1\r\n"), OK], [1, 1], [Some(409); 2]),
    scenario(
        "retry forbidden",
        &[Respond(503, "x-should-retry: false\r\n"), OK],
        [1, 1],
        [Some(503); 2],
    ),
    scenario(
        "retry allowed",
        &[Respond(409, "stripe-should-retry: true\r\n"), OK],
        [2, 1],
        [Some(200), Some(409)],
    ),
];

/// The second request arrives on the connection of the first request and gets no response.
const KEPT_SCRIPT: [Act; 3] = [OK, Close, OK];

/// The number of requests received for two calls, and the result of the second call.
const KEPT: [(Method, usize, Option<u16>); 2] =
    [(Method::GET, 3, Some(200)), (Method::POST, 2, None)];

impl Scenario {
    /// Returns the limit of an attempt: short for a hanging server, and long enough for a busy
    /// machine otherwise.
    fn limit(&self) -> Duration {
        let hangs = self.script.iter().any(|act| matches!(act, Hang));
        Duration::from_millis(if hangs { 150 } else { 10_000 })
    }
}

/// Compares the outcome of a scenario with the expectation.
fn check(scenario: &Scenario, post: bool, server: &server::Server, ended: Option<u16>) {
    let Scenario { name, .. } = scenario;
    let which = usize::from(post);
    let method = if post { "POST" } else { "GET" };
    assert_eq!(ended, scenario.ended[which], "{method}: {name}: the end");
    assert_eq!(server.requests(), scenario.received[which], "{method}: {name}: received");
}
