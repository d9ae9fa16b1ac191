//! A shared state in memory that fails, hangs, or changes at a chosen moment.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use resilience::stores::breaker::{EntryId, RemoteState, SharedEntry, SharedState};

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
    entries: HashMap<String, (EntryId, Option<Duration>)>,
    mode: Mode,
    calls: usize,
    written: Vec<(String, EntryId)>,
    /// Runs once, during the next read.
    during_read: Option<Box<dyn FnOnce() + Send>>,
}

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

    /// Returns the ids written under a name, in order. Functions of other tests in the same
    /// process may write under other names.
    pub(crate) fn written(&self, name: &str) -> Vec<EntryId> {
        let state = self.state();
        state.written.iter().filter(|(other, _)| other == name).map(|(_, id)| *id).collect()
    }

    pub(crate) fn during_read(&self, then: impl FnOnce() + Send + 'static) {
        self.state().during_read = Some(Box::new(then));
    }

    /// Writes an entry as another process would; `None` is a close.
    pub(crate) fn write(&self, name: &str, id: u64, left: Option<Duration>) {
        let mut state = self.state();
        let until = left.map(|left| state.now + left);
        state.entries.insert(name.into(), (EntryId(id), until));
    }

    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.state().entries.get(name).is_some_and(|(_, until)| until.is_some())
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

    async fn open(&mut self, name: &str, id: EntryId, left: Duration) -> io::Result<()> {
        self.answer().await?;
        {
            let mut state = self.state();
            let until = state.now + left;
            state.entries.insert(name.into(), (id, Some(until)));
            state.written.push((name.into(), id));
        }
        self.finish(()).await
    }

    async fn close(&mut self, name: &str, opening: EntryId, id: EntryId) -> io::Result<bool> {
        self.answer().await?;
        let is_known = {
            let mut state = self.state();
            let is_known = state
                .entries
                .get(name)
                .is_some_and(|(known, until)| *known == opening && until.is_some());
            if is_known {
                state.entries.insert(name.into(), (id, None));
                state.written.push((name.into(), id));
            }
            is_known
        };
        self.finish(is_known).await
    }

    async fn read(&mut self, names: &[&str]) -> io::Result<Vec<Option<SharedEntry>>> {
        self.answer().await?;
        let entries = {
            let state = self.state();
            let entry = |name: &&str| {
                let (id, until) = *state.entries.get(*name)?;
                let remote = match until {
                    Some(until) => RemoteState::Open(until.saturating_sub(state.now)),
                    None => RemoteState::Closed,
                };
                Some(SharedEntry { id, state: remote })
            };
            names.iter().map(entry).collect()
        };
        let during_read = self.state().during_read.take();
        if let Some(then) = during_read {
            then();
        }
        self.finish(entries).await
    }
}
