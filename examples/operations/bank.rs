//! The dependency of the service: a bank that changes between faults.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Duration;

use resilience::{Classify, FailureClass, Rejected};
use tokio::time::sleep;

/// The time of each fault.
const PHASE: Duration = Duration::from_secs(15);

/// The behavior of the bank.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
#[repr(u8)]
pub(crate) enum Fault {
    Healthy,
    Slow,
    Down,
    Overloaded,
}

const FAULTS: [Fault; 4] = [Fault::Healthy, Fault::Slow, Fault::Down, Fault::Overloaded];

static FAULT: AtomicU8 = AtomicU8::new(Fault::Healthy as u8);

/// Changes the fault every 15 s, or keeps one.
pub(crate) async fn change_faults(kept: Option<Fault>) {
    for fault in FAULTS.into_iter().cycle() {
        let fault = kept.unwrap_or(fault);
        FAULT.store(fault as u8, Relaxed);
        println!("the bank is {fault:?}");
        sleep(PHASE).await;
    }
}

/// The errors of the bank.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BankError {
    #[error("the bank is down")]
    Down,
    #[error("the bank is overloaded")]
    Overloaded,
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

impl Classify for BankError {
    fn classify(&self) -> FailureClass {
        match self {
            Self::Down => FailureClass::transient(),
            Self::Overloaded => FailureClass::throttled(Some(Duration::from_millis(400))),
            Self::Rejected(rejected) => rejected.classify(),
        }
    }
}

/// Answers a request, with the fault of the moment.
pub(crate) async fn answer(cents: u64) -> Result<u64, BankError> {
    let is_odd = cents % 2 == 1;
    match FAULTS[usize::from(FAULT.load(Relaxed)) % FAULTS.len()] {
        Fault::Healthy => sleep(Duration::from_millis(20)).await,
        Fault::Slow => sleep(Duration::from_millis(if is_odd { 900 } else { 200 })).await,
        Fault::Down => return Err(BankError::Down),
        Fault::Overloaded if is_odd => return Err(BankError::Overloaded),
        Fault::Overloaded => sleep(Duration::from_millis(80)).await,
    }
    Ok(cents)
}
