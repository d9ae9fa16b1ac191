//! `#[bulkhead]` with more concurrent calls than permits.
//!
//! `cargo run --example bulkhead`. The tokio clock is paused, so that the program ends
//! immediately.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::time::Duration;

use resilience::{Bulkhead, Rejected, bulkhead};
use tokio::time::{Instant, sleep};

/// Two concurrent reports; two more wait in the queue for at most 150 ms.
#[bulkhead(max = 2, queue = 2, wait = "150ms", name = "reports")]
async fn render(start: Instant, number: u32) -> Result<String, Rejected> {
    println!("  {:>5} ms  report {number} begins", start.elapsed().as_millis());
    sleep(Duration::from_millis(100)).await;
    Ok(format!("report {number}"))
}

/// A bulkhead for two functions, async and sync.
static DATABASE: Bulkhead = Bulkhead::new(1).name("database");

#[bulkhead(bulkhead = DATABASE)]
async fn copy_all() -> Result<&'static str, Rejected> {
    sleep(Duration::from_secs(60)).await;
    Ok("copied")
}

#[bulkhead(bulkhead = DATABASE)]
fn load() -> Result<&'static str, Rejected> {
    Ok("loaded")
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    println!("Five reports: two run concurrently, two wait:");
    let start = Instant::now();
    let calls = (1..=5).map(|number| async move {
        let result = render(start, number).await;
        let text =
            result.map_or_else(|rejected| rejected.to_string(), |done| format!("{done} is done"));
        println!("  {:>5} ms  {text}", start.elapsed().as_millis());
    });
    futures::future::join_all(calls).await;

    println!("\nA database with one permit, held by a long copy:");
    let copy = tokio::spawn(copy_all());
    tokio::task::yield_now().await;
    println!("  running: {}", DATABASE.running());
    println!("  {}", load().map_or_else(|rejected| rejected.to_string(), str::to_owned));
    copy.abort();
    println!("  the copy is cancelled: {}", copy.await.is_err_and(|error| error.is_cancelled()));
    println!("  {}", load().map_or_else(|rejected| rejected.to_string(), str::to_owned));
}
