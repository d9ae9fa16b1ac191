//! A store of idempotency records in files: an example of a custom store.
//!
//! Each record is a file in a directory on a local disk. A lock file serializes the steps of all
//! processes of the machine. `purge` and `interrupted` read every file, so the store suits some
//! thousands of records.
//!
//! The store passes the conformance suite: `cargo test --test custom_stores file`. Run the example
//! with `cargo run --features idempotent --example file_store`.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use resilience::idempotent::{
    Capabilities, Claim, ClaimRequest, Fingerprint, Interrupted, RecordKey, Store, StoreError,
    StoreId, StoreResult, Takeover, Token, WriteOutcome,
};
use resilience::{Rejected, idempotent};
use serde::{Deserialize, Serialize};

/// A store of idempotency records in a directory. Clones share the store.
#[derive(Clone, Debug)]
pub(crate) struct FileStore {
    directory: Arc<Directory>,
    id: StoreId,
}

#[derive(Debug)]
struct Directory {
    path: PathBuf,
}

/// The head of a record, as the first line of its file. The outcome follows.
#[derive(Serialize, Deserialize)]
struct Head {
    state: State,
    owner: u128,
    fence: u64,
    fingerprint: [u8; 32],
    attempt: u32,
    /// In microseconds since 1970, by the clock of the machine.
    lease_until: u64,
    expires_at: u64,
    label: String,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum State {
    InFlight,
    Completed,
    Released,
}

impl Head {
    fn is_expired(&self) -> bool {
        now() >= self.expires_at
    }

    fn is_interrupted(&self) -> bool {
        self.state == State::InFlight && now() >= self.lease_until && !self.is_expired()
    }
}

fn now() -> u64 {
    micros(UNIX_EPOCH.elapsed().unwrap_or_default())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn after(time: Duration) -> u64 {
    now().saturating_add(micros(time))
}

/// Returns the hexadecimal form of a key, which is the name of a file.
fn name(key: &RecordKey) -> String {
    key.0.iter().fold(String::new(), |name, byte| name + &format!("{byte:02x}"))
}

fn key_of(file: &Path) -> Option<RecordKey> {
    let name = file.file_name()?.to_str()?;
    let byte = |at: usize| u8::from_str_radix(name.get(at * 2..at * 2 + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes?.try_into().ok().map(RecordKey)
}

fn store_error(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull => StoreError::full(error),
        io::ErrorKind::InvalidData => StoreError::corrupt(error),
        _ => StoreError::unavailable(error),
    }
}

impl Directory {
    fn file(&self, key: &RecordKey) -> PathBuf {
        self.path.join(name(key))
    }

    /// Runs a step while no other thread and no other process runs a step.
    fn locked<T>(&self, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let lock = File::options().create(true).append(true).open(self.path.join("lock"))?;
        #[expect(clippy::incompatible_msrv, reason = "examples may use a newer compiler")]
        lock.lock()?;
        // The lock ends with the file, also when the process dies.
        step()
    }

    fn read(&self, key: &RecordKey) -> io::Result<Option<(Head, Vec<u8>)>> {
        let bytes = match fs::read(self.file(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (head, outcome) = bytes.split_at(end.ok_or(io::ErrorKind::InvalidData)?);
        let head = serde_json::from_slice(head)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Some((head, outcome[1..].to_vec())))
    }

    /// Replaces a file as a whole: a crash leaves the old or the new content.
    fn replace(&self, file: &Path, content: &[&[u8]]) -> io::Result<()> {
        let temporary = self.path.join("temporary");
        let mut written = File::create(&temporary)?;
        content.iter().try_for_each(|part| written.write_all(part))?;
        written.sync_all()?;
        fs::rename(&temporary, file)?;
        File::open(&self.path)?.sync_all()
    }

    fn write(&self, key: &RecordKey, head: &Head, outcome: &[u8]) -> io::Result<()> {
        let line = serde_json::to_vec(head)?;
        self.replace(&self.file(key), &[&line, b"\n", outcome])
    }

    /// Returns a fence above all fences so far, also of removed records.
    fn next_fence(&self) -> io::Result<u64> {
        let file = self.path.join("fence");
        let last: u64 = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            read => read?.parse().map_err(|_| io::ErrorKind::InvalidData)?,
        };
        let fence = now().max(last.saturating_add(1));
        self.replace(&file, &[fence.to_string().as_bytes()])?;
        Ok(fence)
    }

    /// T1 to T7 of the table of transitions.
    fn claim(&self, request: &OwnedRequest) -> io::Result<Claim> {
        let found = self.read(&request.key)?.filter(|(head, _)| !head.is_expired());
        let Some((head, outcome)) = found else { return self.take(request, 1) };
        let token = Token { owner: head.owner, fence: head.fence };
        Ok(match head.state {
            _ if head.fingerprint != request.fingerprint.0 => Claim::Mismatch,
            State::Completed => Claim::Replay(outcome.into()),
            State::InFlight if head.owner == request.owner => {
                Claim::Acquired { token, attempt: head.attempt }
            }
            State::InFlight if now() < head.lease_until => {
                let left = Duration::from_micros(head.lease_until.saturating_sub(now()).max(1));
                Claim::InFlight { lease_left: left }
            }
            State::InFlight if request.takeover == Takeover::Never => {
                Claim::Interrupted { attempt: head.attempt }
            }
            State::InFlight | State::Released => {
                return self.take(request, head.attempt.saturating_add(1));
            }
        })
    }

    fn take(&self, request: &OwnedRequest, attempt: u32) -> io::Result<Claim> {
        let token = Token { owner: request.owner, fence: self.next_fence()? };
        let lease_until = after(request.lease);
        let head = Head {
            state: State::InFlight,
            owner: token.owner,
            fence: token.fence,
            fingerprint: request.fingerprint.0,
            attempt,
            lease_until,
            expires_at: after(request.retention).max(lease_until),
            label: request.label.clone(),
        };
        self.write(&request.key, &head, b"")?;
        Ok(Claim::Acquired { token, attempt })
    }

    /// T8 to T12: changes the record of the token. `change` returns whether the state allows the
    /// change.
    fn change(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: Option<&[u8]>,
        change: impl FnOnce(&mut Head) -> bool,
    ) -> io::Result<WriteOutcome> {
        let Some((mut head, stored)) = self.read(key)? else { return Ok(WriteOutcome::Fenced) };
        let is_complete = head.state == State::Completed;
        if (Token { owner: head.owner, fence: head.fence }) != token || !change(&mut head) {
            return Ok(WriteOutcome::Fenced);
        }
        // T9': the answer to the first completion was lost.
        if !is_complete {
            self.write(key, &head, outcome.unwrap_or(&stored))?;
        }
        Ok(WriteOutcome::Applied)
    }

    /// Returns the records that `choose` selects, at most `limit`.
    fn find(
        &self,
        limit: usize,
        choose: impl Fn(&Head) -> bool,
    ) -> io::Result<Vec<(RecordKey, Head)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            if found.len() >= limit {
                break;
            }
            let Some(key) = key_of(&entry?.path()) else { continue };
            found.extend(self.read(&key)?.map(|(head, _)| (key, head)).filter(|(_, h)| choose(h)));
        }
        Ok(found)
    }
}

/// A claim request for another thread.
struct OwnedRequest {
    key: RecordKey,
    fingerprint: Fingerprint,
    owner: u128,
    lease: Duration,
    retention: Duration,
    takeover: Takeover,
    label: String,
}

impl FileStore {
    /// Opens a directory, and creates the directory if missing.
    ///
    /// # Errors
    /// The [`io::Error`] of the file system.
    pub(crate) fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        fs::create_dir_all(&path)?;
        Ok(Self { directory: Arc::new(Directory { path }), id: StoreId::new() })
    }

    /// Runs a step on a thread for blocking work.
    async fn step<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Directory) -> io::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let directory = Arc::clone(&self.directory);
        let step = move || directory.locked(|| step(&directory));
        let done = tokio::task::spawn_blocking(step).await.map_err(StoreError::unavailable)?;
        done.map_err(store_error)
    }
}

impl Store for FileStore {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        let request = OwnedRequest {
            key: *request.key,
            fingerprint: *request.fingerprint,
            owner: request.owner,
            lease: request.lease,
            retention: request.retention,
            takeover: request.takeover,
            label: request.label.to_owned(),
        };
        self.step(move |directory| directory.claim(&request)).await
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        let key = *key;
        let step = move |directory: &Directory| {
            directory.change(&key, token, None, |head| {
                head.lease_until = after(lease);
                head.expires_at = head.expires_at.max(head.lease_until);
                head.state == State::InFlight
            })
        };
        self.step(step).await
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        let (key, outcome) = (*key, outcome.to_vec());
        let step = move |directory: &Directory| {
            directory.change(&key, token, Some(&outcome), |head| {
                let may_complete = head.state != State::Released;
                head.state = State::Completed;
                head.expires_at = after(retention);
                may_complete
            })
        };
        self.step(step).await
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        let key = *key;
        let step = move |directory: &Directory| {
            directory.change(&key, token, None, |head| {
                let may_release = head.state != State::Completed;
                head.state = State::Released;
                may_release
            })
        };
        self.step(step).await
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        let key = *key;
        let step = move |directory: &Directory| {
            directory.change(&key, token, None, |head| {
                head.lease_until = head.lease_until.min(now());
                head.state == State::InFlight
            })
        };
        self.step(step).await
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        let step = move |directory: &Directory| {
            let expired = directory.find(limit, Head::is_expired)?;
            expired.iter().try_for_each(|(key, _)| fs::remove_file(directory.file(key)))?;
            Ok(expired.len())
        };
        self.step(step).await
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        let key = *key;
        let step = move |directory: &Directory| match fs::remove_file(directory.file(&key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        };
        self.step(step).await
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        let step = move |directory: &Directory| directory.find(limit, Head::is_interrupted);
        let found = self.step(step).await?;
        let listed =
            |(key, head): (RecordKey, Head)| Interrupted::new(key, head.label, head.attempt);
        Ok(found.into_iter().map(listed).collect())
    }

    fn caps(&self) -> Capabilities {
        Capabilities::new().durable(true)
    }

    fn id(&self) -> StoreId {
        self.id
    }
}

struct Payments {
    store: FileStore,
}

impl Payments {
    #[idempotent(store = self.store, key = request, scope = tenant, name = "payments.charge")]
    async fn charge(&self, tenant: &str, request: &str, cents: u64) -> Result<u64, Rejected> {
        println!("charging {tenant}");
        Ok(cents)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let path = std::env::temp_dir().join(format!("file-store-{started}"));
    for _ in 0..2 {
        // The second store finds the records of the first, as after a restart.
        let payments = Payments { store: FileStore::open(&path)? };
        println!("charged {}", payments.charge("acme", "request-1", 500).await?);
    }
    fs::remove_dir_all(path)?;
    Ok(())
}
