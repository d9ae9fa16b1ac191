//! The figures and settings of a policy in the registry.

use resilience_core::__internal::{Exact, Record, Site, idempotent_site};
use resilience_core::Setting;

use crate::policy::{IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};

impl IdempotencyPolicy {
    /// Returns the identity in the registry.
    pub(super) const fn site(&self) -> Site {
        idempotent_site(self.name, self.location, self.depth)
    }

    /// Returns the record in the registry.
    pub(super) fn record(&self) -> &'static Record {
        let record = self.site().record();
        record.keep_settings(|| self.settings());
        record
    }

    fn settings(&self) -> Vec<Setting> {
        let concurrent =
            self.wait.map_or_else(|| "reject".to_owned(), |wait| format!("wait({})", Exact(wait)));
        let mut settings = vec![
            Setting::code("version", self.version),
            Setting::code("ttl", Exact(self.ttl)),
            Setting::code("lease", Exact(self.lease)),
            Setting::code("concurrent", concurrent),
            Setting::code("store_timeout", Exact(self.store_timeout)),
        ];
        settings.extend(self.max_renewal.map(|time| Setting::code("max_renewal", Exact(time))));
        let on_interrupted = match self.on_interrupted {
            OnInterrupted::Rerun => "rerun",
            OnInterrupted::Unknown => "unknown",
            OnInterrupted::Reconcile => "reconcile",
        };
        let on_store_error = match self.on_store_error {
            OnStoreError::FailClosed => "fail_closed",
            OnStoreError::FailOpen => "fail_open",
        };
        let on_lease_lost = match self.on_lease_lost {
            OnLeaseLost::Continue => "continue",
            OnLeaseLost::Cancel => "cancel",
        };
        let on_unsaved = match self.on_unsaved {
            OnUnsaved::Return => "return",
            OnUnsaved::Error => "error",
        };
        settings.extend([
            Setting::code("on_interrupted", on_interrupted),
            Setting::code("on_store_error", on_store_error),
            Setting::code("on_lease_lost", on_lease_lost),
            Setting::code("on_unsaved", on_unsaved),
        ]);
        settings
    }
}
