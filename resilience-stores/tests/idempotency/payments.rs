//! A function with the attribute whose executions are counted: each execution appends a line to a
//! file.

use std::fs::OpenOptions;
use std::future::pending;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use resilience::idempotent::{IdempotencyContext, Reconciled, Store};
use resilience::{Rejected, RejectedKind, idempotent};

use crate::child::report;

const TENANT: &str = "tenant-acme";

pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// Whether a call ends, or reports a phase and hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HangAt {
    Never,
    BeforeEffect,
    AfterEffect,
}

#[derive(Clone, Debug)]
pub(crate) struct Payments<S> {
    store: S,
    journal: PathBuf,
    pub(crate) hang_at: HangAt,
}

impl<S: Store + Clone> Payments<S> {
    pub(crate) fn new(store: S, journal: impl AsRef<Path>) -> Self {
        Self { store, journal: journal.as_ref().to_owned(), hang_at: HangAt::Never }
    }

    #[idempotent(
        store = self.store, key = request, scope = TENANT, fingerprint(cents),
        lease = "1s", ttl = "1h", name = "payments.charge"
    )]
    pub(crate) async fn rerun(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    #[idempotent(
        store = self.store, key = request, scope = TENANT, fingerprint(cents),
        lease = "1s", ttl = "1h", on_interrupted = "unknown", name = "payments.charge"
    )]
    pub(crate) async fn unknown(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    #[idempotent(
        store = self.store, key = request, scope = TENANT, fingerprint(cents),
        lease = "1s", ttl = "1h", name = "payments.charge",
        on_interrupted = reconcile(async |call| self.ask_bank(&call))
    )]
    pub(crate) async fn reconcile(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    /// Uses a store timeout of 100 ms per step.
    #[idempotent(
        store = self.store, key = request, scope = TENANT, fingerprint(cents),
        lease = "1s", ttl = "1h", store_timeout = "100ms", name = "payments.charge"
    )]
    pub(crate) async fn short_timeout(
        &self,
        request: &str,
        cents: u64,
    ) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    /// Runs without a record if the store does not answer.
    #[idempotent(
        store = self.store, key = request, scope = TENANT, fingerprint(cents),
        lease = "1s", ttl = "1h", on_store_error = "fail_open", name = "payments.charge"
    )]
    pub(crate) async fn fail_open(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    /// Uses a lease that outlasts the restart of a server, and waits for slow answers.
    #[idempotent(
        store = self.store, key = request, scope = TENANT, fingerprint(cents),
        lease = "20s", ttl = "1h", concurrent = wait("20s"), store_timeout = "10s",
        name = "payments.charge"
    )]
    pub(crate) async fn long_lease(&self, request: &str, cents: u64) -> Result<String, Rejected> {
        self.effect(cents).await
    }

    async fn effect(&self, cents: u64) -> Result<String, Rejected> {
        if self.hang_at == HangAt::BeforeEffect {
            return self.hang().await;
        }
        let call = IdempotencyContext::current().unwrap();
        let key = call.child_key("bank");
        self.append(&format!("paid {key} {cents}")).unwrap();
        if self.hang_at == HangAt::AfterEffect {
            return self.hang().await;
        }
        Ok(format!("{key} {}", call.attempt()))
    }

    async fn hang(&self) -> Result<String, Rejected> {
        report("here");
        pending().await
    }

    /// Returns the answer of the bank about a payment.
    fn ask_bank(&self, call: &IdempotencyContext) -> Reconciled<Result<String, Rejected>> {
        self.append("asked").unwrap();
        let key = call.child_key("bank");
        let is_paid = self.lines().iter().any(|line| line.starts_with(&format!("paid {key}")));
        if is_paid { Reconciled::Done(Ok(format!("{key} found"))) } else { Reconciled::NotApplied }
    }

    /// Appends with a single write, so that lines of several processes do not mix.
    fn append(&self, line: &str) -> io::Result<()> {
        let mut journal = OpenOptions::new().create(true).append(true).open(&self.journal)?;
        journal.write_all(format!("{line}\n").as_bytes())
    }

    /// Returns the recorded lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let journal = fs::read_to_string(&self.journal).unwrap_or_default();
        journal.lines().map(str::to_owned).collect()
    }
}

/// Returns the reason of a rejection.
pub(crate) fn rejection_kind(result: Result<String, Rejected>) -> RejectedKind {
    result.unwrap_err().kind()
}
