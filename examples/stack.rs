//! The whole stack over a service that degrades, dies and comes back.
//!
//! `cargo run --example stack` prints a timeline. The clock is tokio's, paused, so that more than
//! a minute takes no time; the service is a struct in this program.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

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

/// The price of an item: the top attribute is the outermost layer.
#[fallback(with = |error| last_known(item, &error), on = ShopError::is_outage)]
#[retry(attempts = 3, base_delay = "200ms", jitter = "none", on_retry = tell_retry)]
#[circuit_breaker(
    failure_threshold = 6,
    reset_timeout = "10s",
    max_reset_timeout = "40s",
    on_state_change = tell_change
)]
#[rate_limit(rate = 50, burst = 10, wait = "100ms")]
#[bulkhead(max = 8)]
#[timeout("1s")]
async fn price(shop: &Shop, item: u32) -> Result<Price, ShopError> {
    let cents = shop.ask(item).await?;
    Ok(Price { cents, is_fresh: true })
}

/// What stands in when the shop cannot be asked.
fn last_known(item: u32, error: &ShopError) -> Price {
    tell(&format!("    stand-in, because of: {error}"));
    Price { cents: item * 100, is_fresh: false }
}

struct Price {
    cents: u32,
    is_fresh: bool,
}

// ── Its error, which knows what it means ────────────────────────────────────────────────────────

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

// ── What is told ────────────────────────────────────────────────────────────────────────────────

static START: OnceLock<Instant> = OnceLock::new();

fn tell(words: &str) {
    let elapsed = START.get_or_init(Instant::now).elapsed();
    println!("{:>6.1}s  {words}", elapsed.as_secs_f64());
}

fn tell_retry(event: &RetryEvent<'_, ShopError>) {
    let error = event.error.map_or_else(String::new, ToString::to_string);
    tell(&format!("    attempt {}: {error}; again in {:?}", event.attempt, event.delay));
}

fn tell_change(change: &StateChange) {
    let time = change.open_for.map_or_else(String::new, |time| format!(" for {time:?}"));
    tell(&format!("    BREAKER {} -> {}{time}", change.from, change.to));
}

// ── The service ─────────────────────────────────────────────────────────────────────────────────

/// Answers in 50 ms while it is well; fails every second call from 10 s on, hangs or fails from 20 s
/// on, and is well again at 60 s.
#[derive(Default)]
struct Shop {
    asked: Cell<u32>,
}

impl Shop {
    async fn ask(&self, item: u32) -> Result<u32, ShopError> {
        let call = self.asked.get() + 1;
        self.asked.set(call);
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

// ── The story ───────────────────────────────────────────────────────────────────────────────────

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    START.get_or_init(Instant::now);
    let shop = Shop::default();
    let (mut fresh, mut stale) = (0, 0);
    let mut chapters = [
        (0, "the shop is well"),
        (10, "it degrades: every second call fails"),
        (20, "it is down: calls hang or fail"),
        (60, "it is well again"),
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
                tell(&format!("{cents} cents"));
            }
            Ok(Price { cents, .. }) => {
                stale += 1;
                tell(&format!("{cents} cents, the last known price"));
            }
            Err(error) => tell(&format!("error: {error}")),
        }
        sleep(Duration::from_secs(4)).await;
    }
    println!("\n18 calls: {fresh} fresh, {stale} by a stand-in, 1 error of the caller's own.");
    println!("The shop was asked {} times.", shop.asked.get());
    assert_eq!(fresh + stale, 17, "the stack tells another story than its output");
}
