//! A timeout of five seconds, which never ends a call.

use std::time::Duration;

use resilience::timeout;
use tokio::task::yield_now;

use crate::{Failure, Result, Row, with_timer, work};

const NAME: &str = "timeout, the body is ready at once";
const NAME_WAITING: &str = "timeout, the body waits once";

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: NAME,
        subject: "resilience `#[timeout]`",
        run: |calls| with_timer(calls, ready_ours),
    },
    Row { name: NAME, subject: "tokio `timeout`", run: |calls| with_timer(calls, ready_by_tokio) },
    Row {
        name: NAME_WAITING,
        subject: "resilience `#[timeout]`",
        run: |calls| with_timer(calls, waiting_ours),
    },
    Row {
        name: NAME_WAITING,
        subject: "tokio `timeout`",
        run: |calls| with_timer(calls, waiting_by_tokio),
    },
];

async fn ready(input: u32) -> Result<u32> {
    work(input)
}

async fn waiting(input: u32) -> Result<u32> {
    yield_now().await;
    work(input)
}

#[timeout("5s")]
async fn ready_ours(input: u32) -> Result<u32> {
    ready(input).await
}

async fn ready_by_tokio(input: u32) -> Result<u32> {
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, ready(input)).await.unwrap_or(Err(Failure::Rejected))
}

#[timeout("5s")]
async fn waiting_ours(input: u32) -> Result<u32> {
    waiting(input).await
}

async fn waiting_by_tokio(input: u32) -> Result<u32> {
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, waiting(input)).await.unwrap_or(Err(Failure::Rejected))
}
