//! All attributes on a service that degrades, fails and recovers.
//!
//! `cargo run --example stack` prints a timeline. The tokio clock is paused, so that more than a
//! minute passes immediately. The service is a struct in this program.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use resilience::{
    Classify, Rejected, RetryEvent, StateChange, bulkhead, circuit_breaker, fallback, rate_limit,
    retry, timeout,
};
use tokio::time::{Instant, sleep};

// ── The function you already have ───────────────────────────────────────────────────────────────

/// Returns the price of an item. The top attribute is the outermost layer.
#[fallback(with = |error| last_known(item, &error), on = ShopError::is_outage)]
#[retry(attempts = 3, base_delay = "200ms", jitter = "none", on_retry = print_retry)]
#[circuit_breaker(
    failure_threshold = 6,
    reset_timeout = "10s",
    max_reset_timeout = "40s",
    on_state_change = print_change
)]
#[rate_limit(rate = 50, burst = 10, wait = "100ms")]
#[bulkhead(max = 8)]
#[timeout("1s")]
async fn price(shop: &Shop, item: u32) -> Result<Price, ShopError> {
    let cents = shop.price(item).await?;
    Ok(Price { cents, is_fresh: true })
}

/// The fallback while the shop is unavailable.
fn last_known(item: u32, error: &ShopError) -> Price {
    print(&format!("    fallback after: {error}"));
    Price { cents: item * 100, is_fresh: false }
}

struct Price {
    cents: u32,
    is_fresh: bool,
}

// ── The error, with its classification ──────────────────────────────────────────────────────────

#[derive(Debug, Classify)]
enum ShopError {
    #[transient]
    Unavailable,
    #[permanent]
    NoSuchItem,
    #[forward]
    Rejected(Rejected),
}

impl ShopError {
    fn is_outage(&self) -> bool {
        !matches!(self, Self::NoSuchItem)
    }
}

impl From<Rejected> for ShopError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => f.write_str("503"),
            Self::NoSuchItem => f.write_str("404"),
            Self::Rejected(rejected) => write!(f, "{rejected}"),
        }
    }
}

// ── The printed events ──────────────────────────────────────────────────────────────────────────

static START: OnceLock<Instant> = OnceLock::new();

fn print(text: &str) {
    let elapsed = START.get_or_init(Instant::now).elapsed();
    println!("{:>6.1}s  {text}", elapsed.as_secs_f64());
}

fn print_retry(event: &RetryEvent<'_, ShopError>) {
    let error = event.error.map_or_else(String::new, ToString::to_string);
    print(&format!("    attempt {}: {error}; retry in {:?}", event.attempt, event.delay));
}

fn print_change(change: &StateChange) {
    let time = change.open_for.map_or_else(String::new, |time| format!(" for {time:?}"));
    print(&format!("    CIRCUIT {} -> {}{time}", change.from, change.to));
}

// ── The service ─────────────────────────────────────────────────────────────────────────────────

/// Answers within 50 ms while healthy. From 10 s on every second call fails, from 20 s on calls
/// hang or fail, and at 60 s the shop recovers.
#[derive(Default)]
struct Shop {
    calls: Cell<u32>,
}

impl Shop {
    async fn price(&self, item: u32) -> Result<u32, ShopError> {
        let call = self.calls.get() + 1;
        self.calls.set(call);
        sleep(Duration::from_millis(50)).await;
        let second = START.get_or_init(Instant::now).elapsed().as_secs();
        match (second, call % 2) {
            (10..60, 0) => Err(ShopError::Unavailable),
            (20..60, _) => std::future::pending().await,
            _ if item == 404 => Err(ShopError::NoSuchItem),
            _ => Ok(item * 101),
        }
    }
}

// ── The timeline ────────────────────────────────────────────────────────────────────────────────

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    START.get_or_init(Instant::now);
    let shop = Shop::default();
    let (mut fresh, mut stale) = (0, 0);
    let mut chapters = [
        (0, "the shop is healthy"),
        (10, "the shop degrades: every second call fails"),
        (20, "the shop is down: calls hang or fail"),
        (60, "the shop has recovered"),
    ]
    .into_iter()
    .peekable();
    for call in 0..18 {
        let due = START.get_or_init(Instant::now).elapsed().as_secs();
        while let Some((_, title)) = chapters.next_if(|(second, _)| *second <= due) {
            println!("\n-- {title}");
        }
        let item = if call == 2 { 404 } else { 7 };
        match price(&shop, item).await {
            Ok(Price { cents, is_fresh: true }) => {
                fresh += 1;
                print(&format!("{cents} cents"));
            }
            Ok(Price { cents, .. }) => {
                stale += 1;
                print(&format!("{cents} cents, the last known price"));
            }
            Err(error) => print(&format!("error: {error}")),
        }
        sleep(Duration::from_secs(4)).await;
    }
    println!("\n18 calls: {fresh} fresh, {stale} by the fallback, 1 permanent error.");
    println!("The shop received {} calls.", shop.calls.get());
    assert_eq!(fresh + stale, 17, "the output does not match");
}
