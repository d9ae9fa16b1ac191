//! A board in memory that fails, hangs and is written to at the moment a test wants.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use resilience::stores::breaker::{EntryId, RemoteState, SharedEntry, SharedState};

/// What the board does when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// Answers with an error.
    Down,
    /// Does not answer.
    Silent,
    /// Does what it is asked, and does not say so.
    Mute,
}

#[derive(Default)]
struct Inside {
    /// The board's own clock, which no process sees.
    now: Duration,
    entries: HashMap<String, (EntryId, Option<Duration>)>,
    mood: Mood,
    asked: usize,
    written: Vec<(String, EntryId)>,
    /// Done once, while somebody reads.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Inside>>);

impl Memory {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.inside().now += by;
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.inside().mood = mood;
    }

    /// How often it was asked anything.
    pub(crate) fn asked(&self) -> usize {
        self.inside().asked
    }

    /// The tags that were written under a name, in order. Under others functions of other tests may
    /// write, which every exchange of the process finds.
    pub(crate) fn written(&self, name: &str) -> Vec<EntryId> {
        let inside = self.inside();
        inside.written.iter().filter(|(other, _)| other == name).map(|(_, tag)| *tag).collect()
    }

    pub(crate) fn meanwhile(&self, then: impl FnOnce() + Send + 'static) {
        self.inside().meanwhile = Some(Box::new(then));
    }

    /// What somebody else writes; `None` is a closing.
    pub(crate) fn put(&self, name: &str, tag: u64, left: Option<Duration>) {
        let mut inside = self.inside();
        let until = left.map(|left| inside.now + left);
        inside.entries.insert(name.into(), (EntryId(tag), until));
    }

    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.inside().entries.get(name).is_some_and(|(_, until)| until.is_some())
    }

    async fn answer(&self) -> io::Result<()> {
        let mood = {
            let mut inside = self.inside();
            inside.asked += 1;
            inside.mood
        };
        match mood {
            Mood::Well | Mood::Mute => Ok(()),
            Mood::Down => Err(io::ErrorKind::ConnectionRefused.into()),
            Mood::Silent => std::future::pending().await,
        }
    }

    async fn done<T>(&self, value: T) -> io::Result<T> {
        let mood = self.inside().mood;
        if mood == Mood::Mute {
            std::future::pending::<()>().await;
        }
        Ok(value)
    }
}

impl SharedState for Memory {
    type Error = io::Error;

    async fn open(&mut self, name: &str, tag: EntryId, left: Duration) -> io::Result<()> {
        self.answer().await?;
        {
            let mut inside = self.inside();
            let until = inside.now + left;
            inside.entries.insert(name.into(), (tag, Some(until)));
            inside.written.push((name.into(), tag));
        }
        self.done(()).await
    }

    async fn close(&mut self, name: &str, opening: EntryId, tag: EntryId) -> io::Result<bool> {
        self.answer().await?;
        let is_known = {
            let mut inside = self.inside();
            let is_known = inside
                .entries
                .get(name)
                .is_some_and(|(known, until)| *known == opening && until.is_some());
            if is_known {
                inside.entries.insert(name.into(), (tag, None));
                inside.written.push((name.into(), tag));
            }
            is_known
        };
        self.done(is_known).await
    }

    async fn read(&mut self, names: &[&str]) -> io::Result<Vec<Option<SharedEntry>>> {
        self.answer().await?;
        let entries = {
            let inside = self.inside();
            let entry = |name: &&str| {
                let (tag, until) = *inside.entries.get(*name)?;
                let stand = match until {
                    Some(until) => RemoteState::Open(until.saturating_sub(inside.now)),
                    None => RemoteState::Closed,
                };
                Some(SharedEntry { tag, stand })
            };
            names.iter().map(entry).collect()
        };
        let meanwhile = self.inside().meanwhile.take();
        if let Some(then) = meanwhile {
            then();
        }
        self.done(entries).await
    }
}
