//! `#[rate_limit]` with calls above the rate.
//!
//! `cargo run --example rate_limit`. The clock is virtual, and the program ends immediately.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::time::Duration;

use resilience::{Rejected, rate_limit, testing};

/// Two calls per second with a burst of three; further calls are rejected.
#[rate_limit(rate = 2, burst = 3, name = "search")]
fn search() -> Result<&'static str, Rejected> {
    Ok("found")
}

/// Ten calls per second; a call above the rate waits.
#[rate_limit(rate = 10, wait = "1s")]
fn send() -> Result<(), Rejected> {
    Ok(())
}

/// One call per minute for each user.
#[rate_limit(rate = 1, per = "1m", key = user, name = "sign-in")]
fn sign_in(user: &str) -> Result<String, Rejected> {
    Ok(format!("welcome, {user}"))
}

fn main() {
    let clock = testing::clock();
    println!("Two calls per second with a burst of three, called every 200 ms:");
    for _ in 0..8 {
        let at = clock.elapsed().as_millis();
        let text = search().map_or_else(|rejected| rejected.to_string(), str::to_owned);
        println!("  {at:>5} ms  {text}");
        clock.advance(Duration::from_millis(200));
    }

    let start = clock.elapsed();
    let sent = (0..10).filter(|_| send().is_ok()).count();
    let took = clock.elapsed().saturating_sub(start);
    println!("\nTen calls per second, and calls wait: {sent} sent in {took:?}");

    println!("\nOne call per minute for each user:");
    for user in ["ada", "ben", "ada"] {
        println!("  {}", sign_in(user).unwrap_or_else(|rejected| rejected.to_string()));
    }
}
