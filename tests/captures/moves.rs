//! Arguments that the body consumes or assigns.

use std::future::ready;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::executor::block_on;
use resilience::{Rejected, bulkhead, circuit_breaker, fallback, idempotent, rate_limit, timeout};

use super::is_send;

#[derive(Debug)]
struct Failed;

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        "failed".into_response()
    }
}

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self
    }
}

/// The request is `Send`, but not `Sync`.
#[fallback(value = format!("cached {state}"))]
#[timeout("1s")]
async fn handler(State(state): State<u32>, request: Request) -> Result<String, Failed> {
    let headers = request.headers().len();
    ready(()).await;
    Ok(format!("{state}{headers}"))
}

#[test]
fn a_handler_with_a_key_that_names_an_argument_stays_a_handler() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler)).with_state(1);
}

type Receiver = std::sync::mpsc::Receiver<u32>;

macro_rules! consumes {
    ($id:ident, $($name:ident: #[$attribute:meta],)*) => {$(
        #[$attribute]
        async fn $name($id: String, receiver: Receiver) -> Result<u32, String> {
            ready(()).await;
            let first = receiver.recv().map_err(|_| $id.clone())?;
            ready(()).await;
            drop(receiver);
            Ok(first)
        }
    )*};
}

consumes! {
    id,
    breaker: #[circuit_breaker(error = |rejected| id.clone() + &rejected.to_string())],
    breaker_on: #[circuit_breaker(error = |_| String::new(), on = |error| *error != id)],
    timed: #[timeout("1s", error = |rejected| id.clone() + &rejected.to_string())],
    limited: #[rate_limit(rate = 9, error = |rejected| id.clone() + &rejected.to_string())],
    bulk: #[bulkhead(max = 9, error = |rejected| id.clone() + &rejected.to_string())],
    replaced: #[fallback(with = |error| if id.is_empty() { Ok(0) } else { Err(error) })],
    once: #[idempotent(
        key = 1, scope = "global", fingerprint(), name = "captures",
        error = |rejected| id.clone() + &rejected.to_string()
    )],
}

#[test]
fn arguments_that_no_key_names_are_moved_in() {
    let receiver = || {
        let (sender, receiver) = std::sync::mpsc::channel();
        sender.send(7).expect("the receiver is there");
        receiver
    };
    let id = String::new;
    assert_eq!(block_on(is_send(breaker(id(), receiver()))), Ok(7));
    assert_eq!(block_on(is_send(breaker_on(id(), receiver()))), Ok(7));
    assert_eq!(block_on(is_send(timed(id(), receiver()))), Ok(7));
    assert_eq!(block_on(is_send(limited(id(), receiver()))), Ok(7));
    assert_eq!(block_on(is_send(bulk(id(), receiver()))), Ok(7));
    assert_eq!(block_on(is_send(replaced(id(), receiver()))), Ok(7));
    assert_eq!(block_on(is_send(once(id(), receiver()))), Ok(7));
}

struct Session {
    receiver: Receiver,
}

impl Session {
    #[fallback(value = default)]
    async fn finish(self, default: u32) -> Result<u32, String> {
        ready(()).await;
        self.receiver.recv().map_err(|error| error.to_string())
    }
}

#[async_trait::async_trait]
trait Finish {
    async fn finish_boxed(self, default: u32, receiver: Receiver) -> Result<u32, String>;
}

#[async_trait::async_trait]
impl Finish for Session {
    #[fallback(value = default)]
    async fn finish_boxed(self, default: u32, receiver: Receiver) -> Result<u32, String> {
        ready(()).await;
        let out = self.receiver.recv().or(receiver.recv());
        out.map_err(|error| error.to_string())
    }
}

#[test]
fn a_receiver_that_no_key_names_is_moved_in() {
    let receiver = || {
        let (_, receiver) = std::sync::mpsc::channel();
        receiver
    };
    let session = || Session { receiver: receiver() };
    assert_eq!(block_on(is_send(session().finish(3))), Ok(3));
    assert_eq!(block_on(session().finish_boxed(4, receiver())), Ok(4));
}

macro_rules! assigns {
    ($($name:ident: #[$attribute:meta],)*) => {$(
        #[$attribute]
        async fn $name(mut text: &str, mut list: Vec<&str>) -> Result<usize, Rejected> {
            let local = format!("{text}!");
            text = &local;
            list.push(text);
            ready(()).await;
            Ok(list.len() + text.len())
        }
    )*};
}

assigns! {
    assigned_timeout: #[timeout("1s")],
    assigned_breaker: #[circuit_breaker],
    assigned_bulkhead: #[bulkhead(max = 9)],
    assigned_limit: #[rate_limit(rate = 9)],
    assigned_fallback: #[fallback(value = 0)],
    assigned_once: #[idempotent(key = 1, scope = "global", fingerprint(), name = "assigned")],
}

#[test]
fn a_mut_argument_may_hold_a_borrow_of_a_local() {
    assert_eq!(block_on(is_send(assigned_timeout("a", vec!["b"]))).ok(), Some(4));
    assert_eq!(block_on(is_send(assigned_breaker("a", vec!["b"]))).ok(), Some(4));
    assert_eq!(block_on(is_send(assigned_bulkhead("a", vec!["b"]))).ok(), Some(4));
    assert_eq!(block_on(is_send(assigned_limit("a", vec!["b"]))).ok(), Some(4));
    assert_eq!(block_on(is_send(assigned_fallback("a", vec!["b"]))).ok(), Some(4));
    assert_eq!(block_on(is_send(assigned_once("a", vec!["b"]))).ok(), Some(4));
}
