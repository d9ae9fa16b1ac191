//! What `#[circuit_breaker]` does with a service that dies and comes back.
//!
//! `cargo run --example circuit_breaker`. The clock is virtual, so that a minute takes no time.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use resilience::{Rejected, StateChange, circuit_breaker, testing};

/// Opens after three failures in a row; each probe that fails doubles the open time.
#[circuit_breaker(
    failure_threshold = 3,
    reset_timeout = "10s",
    max_reset_timeout = "1m",
    on_state_change = tell,
    name = "bank"
)]
fn charge(bank: &Bank, cents: u64) -> Result<u64, ChargeError> {
    bank.charge(cents)
}

fn tell(change: &StateChange) {
    let time = change.open_for.map_or_else(String::new, |time| format!(" for {time:?}"));
    println!("        the breaker: {} -> {}{time}", change.from, change.to);
}

/// The bank did not answer, or was not asked.
#[derive(Debug)]
enum ChargeError {
    NoAnswer,
    Rejected(Rejected),
}

impl From<Rejected> for ChargeError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl fmt::Display for ChargeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("no answer"),
            Self::Rejected(rejected) => write!(f, "turned away: {rejected}"),
        }
    }
}

/// A bank that can be down.
#[derive(Default)]
struct Bank {
    is_down: Cell<bool>,
    asked: Cell<u32>,
}

impl Bank {
    fn charge(&self, cents: u64) -> Result<u64, ChargeError> {
        self.asked.set(self.asked.get() + 1);
        if self.is_down.get() { Err(ChargeError::NoAnswer) } else { Ok(cents) }
    }
}

fn main() {
    let (clock, bank) = (testing::clock(), Bank::default());
    for second in 0..45 {
        match second {
            4 => println!("-- the bank dies"),
            22 => println!("-- the bank comes back"),
            _ => {}
        }
        bank.is_down.set((4..22).contains(&second));
        // One call a second, of which not all are shown.
        match charge(&bank, 250) {
            Ok(cents) if second < 4 || (36..39).contains(&second) => {
                println!("{second:>4}s   charged {cents} cents");
            }
            Err(ChargeError::Rejected(_)) if second % 5 != 0 => {}
            Ok(_) => {}
            Err(error) => println!("{second:>4}s   {error}"),
        }
        clock.advance(Duration::from_secs(1));
    }
    let asked = bank.asked.get();
    println!("\n45 calls, of which the bank saw {asked}; while it was down it saw 4.");
    let breaker = circuit_breaker("bank").expect("it has been called");
    println!("The breaker by name: {}.", breaker.state());
    assert_eq!(asked, 4 + 4 + 9, "the example tells another story than its output");
}
