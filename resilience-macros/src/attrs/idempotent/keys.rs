//! The keys of `#[idempotent]`, and the checks between keys.

use std::time::Duration;

use proc_macro2::Ident;
use resilience_rules::idempotent as rules;
use syn::Expr;

use super::{fingerprint, identity, store, transaction};
use crate::args::{Keyed, value_of};
use crate::diagnostics::Errors;
use crate::keys::keys;
use crate::value::{self, CallForm, Constant};

keys! {
    /// The keys of `#[idempotent]`.
    pub(super) struct Keys {
        policy {
            ttl: time [literal ttl],
            lease: time [literal lease],
            max_renewal: time [literal max_renewal],
            store_timeout: time [literal store_timeout],
            version: count,
            min_key_length: count [literal min_key_length],
            max_outcome: count,
            concurrent: form(Concurrent, |expr| concurrent(&expr)),
            on_store_error: choice(OnStoreError, ON_STORE_ERROR),
            on_lease_lost: choice(OnLeaseLost, ON_LEASE_LOST),
            on_unsaved: choice(OnUnsaved, ON_UNSAVED),
            name: policy_name,
        }
        function {
            key: key_of_call,
            scope: value(identity::Scope, identity::scope),
            optional_key: argument((), |key, value| identity::optional_key(key, &value)),
            step: value(Expr, identity::step),
            store: value(Expr, store::read),
            fingerprint: argument(Vec<Expr>, fingerprint::read),
        }
        deferred {
            keep: value(Keep, |expr| keep(&expr)),
            on_interrupted: value(OnInterrupted, |expr| on_interrupted(&expr)),
            on: callable,
            error: callable,
            transaction: value(Expr, transaction::read),
        }
    }
}

/// The behavior of a call during a running call with the same key.
#[derive(Clone)]
pub(super) enum Concurrent {
    Reject,
    Wait(Constant<Duration>),
}

#[derive(Clone, Copy)]
pub(super) enum OnStoreError {
    FailClosed,
    FailOpen,
}

#[derive(Clone, Copy)]
pub(super) enum OnLeaseLost {
    Continue,
    Cancel,
}

#[derive(Clone, Copy)]
pub(super) enum OnUnsaved {
    Return,
    Error,
}

/// The behavior of a call after an interrupted call with an unknown outcome.
#[derive(Clone)]
pub(super) enum OnInterrupted {
    Rerun,
    Unknown,
    /// Calls a function to find the outcome.
    Reconcile(Expr),
}

/// The stored outcomes.
#[derive(Clone)]
pub(super) enum Keep {
    Ok,
    OkAndPermanent,
    Nothing,
    With(Expr),
}

const ON_STORE_ERROR: &[(&str, OnStoreError)] =
    &[("fail_closed", OnStoreError::FailClosed), ("fail_open", OnStoreError::FailOpen)];

const ON_LEASE_LOST: &[(&str, OnLeaseLost)] =
    &[("continue", OnLeaseLost::Continue), ("cancel", OnLeaseLost::Cancel)];

const ON_UNSAVED: &[(&str, OnUnsaved)] =
    &[("return", OnUnsaved::Return), ("error", OnUnsaved::Error)];

/// Reads `"reject"` or `wait("5s")`.
fn concurrent(expr: &Expr) -> syn::Result<Concurrent> {
    let form = CallForm {
        word: "wait",
        example: "\"5s\"",
        read: |time| value::duration_after("concurrent = wait(…), ", time).map(Concurrent::Wait),
    };
    value::choice_or_call("concurrent", expr, &[("reject", Concurrent::Reject)], &form)
}

/// Reads `"ok"`, `"ok_and_permanent"`, `"nothing"` or `with(path)`.
fn keep(expr: &Expr) -> syn::Result<Keep> {
    let words =
        [("ok", Keep::Ok), ("ok_and_permanent", Keep::OkAndPermanent), ("nothing", Keep::Nothing)];
    let form = CallForm { word: "with", example: "path", read: |path| Ok(Keep::With(path)) };
    value::choice_or_call("keep", expr, &words, &form)
}

/// Reads `"rerun"`, `"unknown"` or `reconcile(path)`.
fn on_interrupted(expr: &Expr) -> syn::Result<OnInterrupted> {
    let words = [("rerun", OnInterrupted::Rerun), ("unknown", OnInterrupted::Unknown)];
    let form = CallForm {
        word: "reconcile",
        example: "path",
        read: |path| Ok(OnInterrupted::Reconcile(value::called(path))),
    };
    value::choice_or_call("on_interrupted", expr, &words, &form)
}

impl Keys {
    /// Returns the given settings of the policy. `on_interrupted` is a setting unless the key
    /// names a function.
    pub(super) fn policy_settings(&self) -> Vec<Ident> {
        let mut settings = self.settings();
        if let Some(Keyed { key, value }) = &self.on_interrupted {
            if !matches!(value, OnInterrupted::Reconcile(_)) {
                settings.push(key.clone());
            }
        }
        settings
    }

    /// Reports literals that break a rule.
    pub(super) fn check(&self, errors: &mut Errors) {
        if let Some(Keep::Nothing) = value_of(self.keep.as_ref()) {
            let keys = [self.version.as_ref(), self.max_outcome.as_ref()];
            for key in keys.into_iter().flatten().map(|keyed| &keyed.key) {
                errors.add(
                    key,
                    format!(
                        "`{key}` belongs to a stored value, and `keep = \"nothing\"` stores no \
                         value; remove `{key}`"
                    ),
                );
            }
        }
        if !self.check_rules(errors) {
            return;
        }
        let time = |keyed: &Option<Keyed<Constant<Duration>>>, default| match keyed {
            Some(keyed) => keyed.value.literal().copied(),
            None => Some(default),
        };
        let lease = time(&self.lease, rules::LEASE);
        if let (Some(lease), Some(max)) = (lease, &self.max_renewal) {
            let literal = max.value.literal();
            let checked = literal.map(|max| rules::lease_within_max_renewal(lease, *max));
            match (checked, &self.lease) {
                (Some(Err(broken)), Some(_)) => errors.add(&max.value, broken),
                (Some(Err(broken)), None) => errors.add(&max.value, broken.first_is_default()),
                (Some(Ok(())) | None, _) => {}
            }
        }
        let (Some(lease), Some(ttl)) = (lease, time(&self.ttl, rules::TTL)) else { return };
        let Err(broken) = rules::lease_within_ttl(lease, ttl) else { return };
        match (&self.lease, &self.ttl) {
            (Some(lease), Some(_)) => errors.add(&lease.value, broken),
            (Some(lease), None) => errors.add(&lease.value, broken.second_is_default()),
            (None, Some(ttl)) => errors.add(&ttl.value, broken.first_is_default()),
            (None, None) => {}
        }
    }

    /// Reports settings without a meaning inside a transaction: the transaction commits or discards
    /// the record. (`lease` bounds `ttl`, so both may stay.)
    pub(super) fn check_in_transaction(&self, errors: &mut Errors) {
        let keys = [
            self.store_timeout.as_ref().map(|keyed| &keyed.key),
            self.max_renewal.as_ref().map(|keyed| &keyed.key),
            self.on_store_error.as_ref().map(|keyed| &keyed.key),
            self.on_lease_lost.as_ref().map(|keyed| &keyed.key),
            self.on_unsaved.as_ref().map(|keyed| &keyed.key),
            self.on_interrupted.as_ref().map(|keyed| &keyed.key),
        ];
        for key in keys.into_iter().flatten() {
            errors.add(
                key,
                format!(
                    "`{key}` has no effect with `transaction`: the transaction commits the record or \
                     discards it; remove `{key}`"
                ),
            );
        }
    }

    /// Returns the name of the function in the store, if a key determines the name.
    pub(super) fn record_name(&self) -> Option<&Expr> {
        value_of(self.name.as_ref()).or(value_of(self.step.as_ref()))
    }

    /// Returns the function that finds the outcome of an interrupted call.
    pub(super) fn reconcile(&self) -> Option<&Expr> {
        match value_of(self.on_interrupted.as_ref()) {
            Some(OnInterrupted::Reconcile(function)) => Some(function),
            _ => None,
        }
    }
}
