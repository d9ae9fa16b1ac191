//! `#[timeout]` for a call, for each attempt of a retry, and under a deadline.
//!
//! `cargo run --example timeout`. The tokio clock is paused, and the program ends immediately.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::time::Duration;

use resilience::{Rejected, RetryEvent, retry, timeout};
use tokio::time::{Instant, sleep};

/// A timeout for the call.
#[timeout("200ms")]
async fn fetch(takes: Duration) -> Result<&'static str, Rejected> {
    sleep(takes).await;
    Ok("a page")
}

/// A timeout known only at run time.
#[timeout(limit)]
async fn fetch_within(limit: Duration, takes: Duration) -> Result<&'static str, Rejected> {
    sleep(takes).await;
    Ok("a page")
}

/// Below a retry: a timeout for each attempt. The last attempt gets the rest of the deadline.
#[retry(attempts = 4, backoff = "fixed", base_delay = "50ms", deadline = "600ms", on_retry = print_retry)]
#[timeout("200ms")]
async fn fetch_in_attempts() -> Result<&'static str, Rejected> {
    std::future::pending().await
}

fn print_retry(event: &RetryEvent<'_, Rejected>) {
    let error = event.error.map_or_else(String::new, ToString::to_string);
    println!("  attempt {}: {error}", event.attempt);
}

async fn show(title: &str, call: impl Future<Output = Result<&'static str, Rejected>>) {
    println!("{title}");
    let start = Instant::now();
    match call.await {
        Ok(page) => println!("  {page}"),
        Err(rejected) => println!("  {rejected}"),
    }
    println!("  => after {:?}\n", start.elapsed());
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let ms = Duration::from_millis;
    show("A call that takes 150 ms of its 200 ms:", fetch(ms(150))).await;
    show("A call that would take a minute:", fetch(ms(60_000))).await;
    show("A limit from the configuration, 1 s:", fetch_within(ms(1000), ms(900))).await;
    show("A hanging service, with 200 ms for each attempt:", fetch_in_attempts()).await;
}
