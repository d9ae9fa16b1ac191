//! A function whose executions are counted, through the attribute: a line of a file for each.

use std::fs::OpenOptions;
use std::future::pending;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use resilience::idempotent::{IdempotencyContext, Reconciled, Store};
use resilience::{Rejected, RejectedKind, idempotent};

use crate::child::say;

pub(crate) const LEASE: Duration = Duration::from_millis(300);

/// Whether a call ends, or says how far it has come and stays there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stays {
    Never,
    BeforeTheEffect,
    AfterTheEffect,
}

#[derive(Clone, Debug)]
pub(crate) struct Payments<S> {
    store: S,
    journal: PathBuf,
    pub(crate) stays: Stays,
}

impl<S: Store + Clone> Payments<S> {
    pub(crate) fn new(store: S, journal: impl AsRef<Path>) -> Self {
        Self { store, journal: journal.as_ref().to_owned(), stays: Stays::Never }
    }

    #[idempotent(
        store = self.store, key = request, scope = "tenant-acme", fingerprint(cents),
        lease = "300ms", ttl = "1h", name = "payments.charge"
    )]
    pub(crate) async fn rerun(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    #[idempotent(
        store = self.store, key = request, scope = "tenant-acme", fingerprint(cents),
        lease = "300ms", ttl = "1h", on_interrupted = "unknown", name = "payments.charge"
    )]
    pub(crate) async fn unknown(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    #[idempotent(
        store = self.store, key = request, scope = "tenant-acme", fingerprint(cents),
        lease = "300ms", ttl = "1h", name = "payments.charge",
        on_interrupted = reconcile(async |call| self.asked(&call))
    )]
    pub(crate) async fn reconcile(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    /// With a store that has a tenth of a second for each step.
    #[idempotent(
        store = self.store, key = request, scope = "tenant-acme", fingerprint(cents),
        lease = "300ms", ttl = "1h", store_timeout = "100ms", name = "payments.charge"
    )]
    pub(crate) async fn in_time(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    /// Where the store does not answer, it runs.
    #[idempotent(
        store = self.store, key = request, scope = "tenant-acme", fingerprint(cents),
        lease = "300ms", ttl = "1h", on_store_error = "fail_open", name = "payments.charge"
    )]
    pub(crate) async fn open(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    /// With a lease that outlasts a server's restart.
    #[idempotent(
        store = self.store, key = request, scope = "tenant-acme", fingerprint(cents),
        lease = "20s", ttl = "1h", concurrent = wait("20s"), name = "payments.charge"
    )]
    pub(crate) async fn patient(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    async fn effect(&self, cents: u64) -> Result<String, Rejected> {
        if self.stays == Stays::BeforeTheEffect {
            return self.stay().await;
        }
        let call = IdempotencyContext::current().unwrap();
        let key = call.child_key("bank");
        self.note(&format!("paid {key} {cents}")).unwrap();
        if self.stays == Stays::AfterTheEffect {
            return self.stay().await;
        }
        Ok(format!("{key} {}", call.attempt()))
    }

    async fn stay(&self) -> Result<String, Rejected> {
        say("here");
        pending().await
    }

    /// What the bank says of a payment.
    fn asked(&self, call: &IdempotencyContext) -> Reconciled<Result<String, Rejected>> {
        self.note("asked").unwrap();
        let key = call.child_key("bank");
        let is_paid = self.lines().iter().any(|line| line.starts_with(&format!("paid {key}")));
        if is_paid { Reconciled::Done(Ok(format!("{key} found"))) } else { Reconciled::NotApplied }
    }

    /// One write, which does not mix with that of another process.
    fn note(&self, line: &str) -> io::Result<()> {
        let mut journal = OpenOptions::new().create(true).append(true).open(&self.journal)?;
        journal.write_all(format!("{line}\n").as_bytes())
    }

    /// What was noted.
    pub(crate) fn lines(&self) -> Vec<String> {
        let journal = fs::read_to_string(&self.journal).unwrap_or_default();
        journal.lines().map(str::to_owned).collect()
    }
}

/// Why a call was turned away.
pub(crate) fn why(turned_away: Result<String, Rejected>) -> RejectedKind {
    turned_away.unwrap_err().kind()
}
