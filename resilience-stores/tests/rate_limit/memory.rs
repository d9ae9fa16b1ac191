//! A lease store in memory that fails or hangs, with the clock of tokio.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use resilience::stores::rate_limit::{Lease, LeaseRequest, LeaseStore, Share};
use tokio::time::Instant;

const YEAR: Duration = Duration::from_hours(365 * 24);

/// The reaction to a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Working,
    /// Returns an error.
    Failing,
    /// Never answers.
    Hanging,
    /// Executes the call and never answers.
    NoAnswer,
}

/// The time of a request on the way to a fast store, and of the answer on the way back.
const ONE_WAY: Duration = Duration::from_millis(1);

struct State {
    mode: Mode,
    one_way: Duration,
    calls: usize,
    /// The share, the demand and the end of each lease, by name and member.
    leases: HashMap<String, BTreeMap<u64, (u32, Share, Instant)>>,
}

impl Default for State {
    fn default() -> Self {
        Self { mode: Mode::Working, one_way: ONE_WAY, calls: 0, leases: HashMap::new() }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

/// A connection to the store that can break for one process.
#[derive(Clone)]
pub(crate) struct Link {
    store: Memory,
    mode: Arc<Mutex<Mode>>,
}

impl Link {
    pub(crate) fn set_mode(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn link(&self) -> Link {
        Link { store: self.clone(), mode: Arc::default() }
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.state().mode = mode;
    }

    /// Makes the way to the store, and the way back, take this time.
    pub(crate) fn slow_down(&self, one_way: Duration) {
        self.state().one_way = one_way;
    }

    pub(crate) fn calls(&self) -> usize {
        self.state().calls
    }

    /// Loses all data.
    pub(crate) fn clear(&self) {
        self.state().leases.clear();
    }

    fn grant(&self, name: &str, request: LeaseRequest) -> Lease {
        let LeaseRequest { member, demand, wanted, length } = request;
        let mut state = self.state();
        let leases = state.leases.entry(name.to_owned()).or_default();
        let now = Instant::now();
        leases.retain(|id, (_, _, end)| *end > now && *id != member.0);
        let taken: u32 = leases.values().map(|(share, ..)| share).sum();
        let granted = wanted.billionths().min(Share::WHOLE.billionths().saturating_sub(taken));
        let others = leases.values().map(|(_, demand, _)| *demand).collect();
        leases.insert(member.0, (granted, demand, now + length.min(YEAR)));
        Lease { granted: Share::from_billionths(granted), others }
    }
}

impl LeaseStore for Link {
    type Error = io::Error;

    async fn lease(&mut self, name: &str, request: LeaseRequest) -> io::Result<Lease> {
        let own = *self.mode.lock().unwrap();
        let (mode, one_way) = {
            let mut state = self.store.state();
            state.calls += 1;
            (if own == Mode::Working { state.mode } else { own }, state.one_way)
        };
        tokio::time::sleep(one_way).await;
        match mode {
            Mode::Failing => return Err(io::ErrorKind::ConnectionRefused.into()),
            Mode::Hanging => std::future::pending().await,
            Mode::Working | Mode::NoAnswer => {}
        }
        let lease = self.store.grant(name, request);
        if mode == Mode::NoAnswer {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(one_way).await;
        Ok(lease)
    }
}
