//! Health: the policies with an open circuit or a full bulkhead.

use std::sync::{Mutex, PoisonError};

use resilience_rules::health as rules;

use super::report::{PolicyKind, PolicyReport, SourceLocation};
use super::{pattern, policies};
use crate::figures::table::{self, FigureInfo};
use crate::switch;

/// The health of the policies of this process. Returned by [`health`].
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Health {
    /// The policies at or above their threshold. Empty if all are healthy.
    pub degraded: Vec<DegradedPolicy>,
}

impl Health {
    /// Returns whether no policy is degraded.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.degraded.is_empty()
    }
}

/// A policy at or above its threshold.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DegradedPolicy {
    /// The name of the policy.
    pub name: &'static str,
    /// The kind of the policy.
    pub kind: PolicyKind,
    /// The place in the source code.
    pub location: SourceLocation,
    /// The load of the policy; see [`health`].
    pub load: f64,
    /// The threshold that the load has reached.
    pub threshold: f64,
    /// The reason in words, such as `circuit open`.
    pub reason: String,
}

/// The thresholds by pattern, the last one first.
static THRESHOLDS: Mutex<Vec<(String, f64)>> = Mutex::new(Vec::new());

/// Sets the load from which the policies of a name are degraded, in place of the default. A `*` in
/// the pattern stands for any text. The last call for a name wins. A threshold above 1 excludes the
/// policies from [`health`].
///
/// ```
/// resilience::set_health_threshold("reports::*", f64::INFINITY); // not part of the health
/// ```
pub fn set_health_threshold(pattern: &str, threshold: f64) {
    let mut thresholds = THRESHOLDS.lock().unwrap_or_else(PoisonError::into_inner);
    thresholds.retain(|(known, _)| known != pattern);
    thresholds.insert(0, (pattern.to_owned(), threshold));
}

/// Returns the policies that reject calls now, or are about to.
///
/// Each policy has a load from 0 to 1, and is degraded once the load reaches its threshold:
///
/// | policy | load | default threshold |
/// |---|---|---|
/// | circuit breaker | 1 while open, half-open or forced open | 1 |
/// | circuit breaker with a key | the share of the keys whose circuit is not closed | 0.1 |
/// | bulkhead | permits in use, divided by the limit | 1 |
///
/// A rate limit, a retry, a timeout and a fallback have no load. A policy in shadow mode, or
/// switched off by [`control`](crate::control), rejects no call and has no load either. An open
/// circuit whose open time is over counts as open until the next call. Change a threshold with
/// [`set_health_threshold`].
///
/// ```
/// use resilience::{CircuitBreaker, health};
///
/// let api = CircuitBreaker::new().name("health_example");
/// api.force_open();
/// let health = health();
/// let problem = health.degraded.iter().find(|policy| policy.name == "health_example").unwrap();
/// assert_eq!(problem.reason, "circuit forced open");
/// assert!(!health.is_healthy());
/// ```
#[must_use]
pub fn health() -> Health {
    let thresholds = THRESHOLDS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let set = |name: &str| {
        let known = thresholds.iter().find(|(pattern, _)| pattern::matches(pattern, name));
        known.map(|(_, threshold)| *threshold)
    };
    // Switched off, policies reject no call.
    let policies = if switch::is_enabled() { policies() } else { Vec::new() };
    let degraded = policies.into_iter().filter_map(|policy| {
        let (load, threshold, reason) = load(&policy)?;
        let threshold = set(policy.name).unwrap_or(threshold);
        (load >= threshold && load > 0.0).then_some(DegradedPolicy {
            name: policy.name,
            kind: policy.kind,
            location: policy.location,
            load,
            threshold,
            reason,
        })
    });
    Health { degraded: degraded.collect() }
}

/// Returns the load of a policy, the default threshold, and the load in words.
fn load(policy: &PolicyReport) -> Option<(f64, f64, String)> {
    if policy.setting("shadow") == Some("true") || policy.setting("enabled") == Some("false") {
        return None;
    }
    match (policy.kind, &policy.keys, policy.state) {
        (PolicyKind::CircuitBreaker, Some(keys), _) => {
            let load = share(keys.open.into(), keys.keys.into());
            let reason = format!("circuits not closed: {} of {} keys", keys.open, keys.keys);
            Some((load, rules::KEYS_THRESHOLD, reason))
        }
        (PolicyKind::CircuitBreaker, None, Some(state)) => {
            let load = if state.admits_all() { 0.0 } else { 1.0 };
            Some((load, rules::THRESHOLD, format!("circuit {state}")))
        }
        (PolicyKind::Bulkhead, None, _) => {
            let gauge = |info: &FigureInfo| policy.gauge(info.name);
            let running = gauge(&table::IN_FLIGHT)?;
            let limit = gauge(&table::LIMIT)?;
            let reason = match gauge(&table::QUEUED) {
                Some(queued) if queued > 0 => {
                    format!("{running} of {limit} permits in use, {queued} calls wait")
                }
                _ => format!("{running} of {limit} permits in use"),
            };
            Some((share(running, limit), rules::THRESHOLD, reason))
        }
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of keys and permits have 32 bits")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
