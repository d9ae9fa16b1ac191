//! What `#[rate_limit]` does with calls that come too fast.
//!
//! `cargo run --example rate_limit`. The clock is virtual, so that nothing here takes time.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use resilience::{Rejected, rate_limit, testing};

/// Two a second, three at once from rest; what comes too early is turned away.
#[rate_limit(rate = 2, burst = 3, name = "search")]
fn search() -> Result<&'static str, Rejected> {
    Ok("found")
}

/// Ten a second, and a call waits for its turn.
#[rate_limit(rate = 10, wait = "1s")]
fn send() -> Result<(), Rejected> {
    Ok(())
}

/// One for each user.
#[rate_limit(rate = 1, per = "1m", key = user, name = "sign-in")]
fn sign_in(user: &str) -> Result<String, Rejected> {
    Ok(format!("welcome, {user}"))
}

fn main() {
    let clock = testing::clock();
    println!("Two a second with a burst of three, called every 200 ms:");
    for _ in 0..8 {
        let at = clock.elapsed().as_millis();
        let words = search().map_or_else(|rejected| rejected.to_string(), str::to_owned);
        println!("  {at:>5} ms  {words}");
        clock.advance(Duration::from_millis(200));
    }

    let start = clock.elapsed();
    let sent = (0..10).filter(|_| send().is_ok()).count();
    let took = clock.elapsed().saturating_sub(start);
    println!("\nTen a second, and calls may wait: {sent} sent in {took:?}");

    println!("\nOne a minute for each user:");
    for user in ["ada", "ben", "ada"] {
        println!("  {}", sign_in(user).unwrap_or_else(|rejected| rejected.to_string()));
    }
}
