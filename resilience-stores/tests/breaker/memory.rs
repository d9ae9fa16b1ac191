//! A shared state in memory that fails, hangs, or changes at a chosen moment.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use resilience::stores::breaker::{ProcessId, SharedState, Vote, VoteId, VoteState, Votes};

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

#[derive(Default)]
struct State {
    /// The clock of the store, invisible to the processes.
    now: Duration,
    fleets: HashMap<String, Fleet>,
    mode: Mode,
    calls: usize,
    written: Vec<(String, VoteId)>,
    /// Runs once, during the next read.
    during_read: Option<Box<dyn FnOnce() + Send>>,
}

impl State {
    fn votes(&mut self, name: &str, process: ProcessId) -> Votes {
        let now = self.now;
        let fleet = self.fleets.entry(name.into()).or_default();
        fleet.seen.insert(process.0, now);
        fleet.seen.retain(|_, seen| now.saturating_sub(*seen) < Memory::MEMBERSHIP);
        let vote = |(process, (id, until)): (&u64, &(VoteId, Option<Duration>))| {
            let state = match until {
                Some(until) => VoteState::Open(until.saturating_sub(now)),
                None => VoteState::Closed,
            };
            (ProcessId(*process), Vote { id: *id, state })
        };
        let members = u32::try_from(fleet.seen.len()).unwrap();
        Votes { members, votes: fleet.votes.iter().map(vote).collect() }
    }
}

/// The members and the votes of a name.
#[derive(Default)]
struct Fleet {
    seen: BTreeMap<u64, Duration>,
    votes: BTreeMap<u64, (VoteId, Option<Duration>)>,
}

/// The process that [`Memory::write`] represents.
const OTHER: u64 = 7;

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.state().now += by;
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.state().mode = mode;
    }

    /// Returns the number of calls.
    pub(crate) fn calls(&self) -> usize {
        self.state().calls
    }

    /// Returns the ids of the votes about a name, in order. Functions of other tests in the same
    /// process may write under other names.
    pub(crate) fn written(&self, name: &str) -> Vec<VoteId> {
        let state = self.state();
        state.written.iter().filter(|(other, _)| other == name).map(|(_, id)| *id).collect()
    }

    pub(crate) fn during_read(&self, then: impl FnOnce() + Send + 'static) {
        self.state().during_read = Some(Box::new(then));
    }

    /// Loses all data.
    pub(crate) fn clear(&self) {
        self.state().fleets.clear();
    }

    /// Writes a vote as another process would; `None` is a close.
    pub(crate) fn write(&self, name: &str, id: u64, left: Option<Duration>) {
        let mut state = self.state();
        let until = left.map(|left| state.now + left);
        let fleet = state.fleets.entry(name.into()).or_default();
        fleet.votes.insert(OTHER, (VoteId(id), until));
    }

    /// Returns whether a process of this name has voted for an open state.
    pub(crate) fn is_open(&self, name: &str) -> bool {
        let state = self.state();
        let fleet = state.fleets.get(name);
        fleet.is_some_and(|fleet| fleet.votes.values().any(|(_, until)| until.is_some()))
    }

    async fn answer(&self) -> io::Result<()> {
        let mode = {
            let mut state = self.state();
            state.calls += 1;
            state.mode
        };
        match mode {
            Mode::Working | Mode::NoAnswer => Ok(()),
            Mode::Failing => Err(io::ErrorKind::ConnectionRefused.into()),
            Mode::Hanging => std::future::pending().await,
        }
    }

    async fn finish<T>(&self, value: T) -> io::Result<T> {
        let mode = self.state().mode;
        if mode == Mode::NoAnswer {
            std::future::pending::<()>().await;
        }
        Ok(value)
    }
}

impl SharedState for Memory {
    type Error = io::Error;

    async fn vote(&mut self, name: &str, process: ProcessId, vote: Vote) -> io::Result<()> {
        self.answer().await?;
        {
            let mut state = self.state();
            let until = match vote.state {
                VoteState::Open(left) => Some(state.now.saturating_add(left)),
                VoteState::Closed => None,
            };
            let fleet = state.fleets.entry(name.into()).or_default();
            fleet.votes.insert(process.0, (vote.id, until));
            state.written.push((name.into(), vote.id));
        }
        self.finish(()).await
    }

    async fn read(&mut self, process: ProcessId, names: &[&str]) -> io::Result<Vec<Votes>> {
        self.answer().await?;
        let entries = names.iter().map(|name| self.state().votes(name, process)).collect();
        let during_read = self.state().during_read.take();
        if let Some(then) = during_read {
            then();
        }
        self.finish(entries).await
    }
}
