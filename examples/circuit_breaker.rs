//! `#[circuit_breaker]` with a service that fails and recovers.
//!
//! `cargo run --example circuit_breaker`. The clock is virtual, so that the program ends
//! immediately.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use resilience::{Rejected, StateChange, circuit_breaker, testing};

/// Opens after three failures in a row. Each failed trial call doubles the open time.
#[circuit_breaker(
    failure_threshold = 3,
    reset_timeout = "10s",
    max_reset_timeout = "1m",
    on_state_change = print_change,
    name = "bank"
)]
fn charge(bank: &Bank, cents: u64) -> Result<u64, ChargeError> {
    bank.charge(cents)
}

fn print_change(change: &StateChange) {
    let time = change.open_for.map_or_else(String::new, |time| format!(" for {time:?}"));
    println!("        circuit: {} -> {}{time}", change.from, change.to);
}

/// The bank did not answer, or the call was rejected.
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
            Self::Rejected(rejected) => write!(f, "rejected: {rejected}"),
        }
    }
}

/// A bank with a switch for outages.
#[derive(Default)]
struct Bank {
    is_down: Cell<bool>,
    calls: Cell<u32>,
}

impl Bank {
    fn charge(&self, cents: u64) -> Result<u64, ChargeError> {
        self.calls.set(self.calls.get() + 1);
        if self.is_down.get() { Err(ChargeError::NoAnswer) } else { Ok(cents) }
    }
}

fn main() {
    let (clock, bank) = (testing::clock(), Bank::default());
    for second in 0..45 {
        match second {
            4 => println!("-- the bank fails"),
            22 => println!("-- the bank recovers"),
            _ => {}
        }
        bank.is_down.set((4..22).contains(&second));
        // One call per second; the program prints only some of the calls.
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
    let calls = bank.calls.get();
    println!("\n45 calls; {calls} reached the bank, only 4 of them during the outage.");
    let breaker = circuit_breaker("bank").expect("the function was called");
    println!("The circuit by name: {}.", breaker.state());
    assert_eq!(calls, 4 + 4 + 9, "the output does not match");
}
