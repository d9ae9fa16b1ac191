//! Explanations: the effects of the policies of a function on a call.

use core::fmt;
use core::panic::Location;
use core::time::Duration;

use super::facts::{Facts, Repeats};
use super::report::{PolicyKind, SourceLocation};
use super::{count_successes, list};
use crate::duration::RoundedUp;

/// The effects of the policies of a function on a call, in words by `Display` and as data. Returned
/// by [`explain`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Explanation {
    /// The name of the policies.
    pub name: &'static str,
    /// The policies, outermost first.
    pub layers: Vec<LayerExplanation>,
    /// The largest number of runs of the body in one call; `None` is unlimited.
    pub max_calls: Option<u64>,
    /// The longest delays between attempts, at most ten, without a delay of the server.
    pub delays: Vec<Duration>,
    /// The longest time of a call without throttled failures. `None` without a bound: without a
    /// timeout, the body may take any time.
    pub longest: Option<Duration>,
    /// The longest time of a call, if the server throttles each attempt and asks for the longest
    /// delay that is allowed.
    pub longest_throttled: Option<Duration>,
}

/// A policy in an [`Explanation`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LayerExplanation {
    /// The kind of the policy.
    pub kind: PolicyKind,
    /// The place in the source code.
    pub location: SourceLocation,
    /// The effect in words.
    pub text: String,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        for layer in &self.layers {
            writeln!(f, "  {}: {}", layer.kind, layer.text)?;
        }
        match self.max_calls {
            None => f.write_str("  at worst: any number of calls")?,
            Some(1) => f.write_str("  at worst: 1 call")?,
            Some(calls) => write!(f, "  at worst: {calls} calls")?,
        }
        match (self.longest, self.longest_throttled) {
            (None, _) => f.write_str(", without a limit of time"),
            (Some(longest), Some(throttled)) if throttled > longest => {
                let (longest, throttled) = (RoundedUp(longest), RoundedUp(throttled));
                write!(f, " in {longest}; in {throttled} with the longest delays of the server")
            }
            (Some(longest), _) => write!(f, " in {}", RoundedUp(longest)),
        }
    }
}

/// Explains the policies of this name: the delays, the largest number of calls and the longest
/// time of a call, and the conditions under which each policy rejects. One explanation for each
/// function of the name.
///
/// A policy is known from its first event on, as for [`policies`](super::policies). With the
/// feature `figures`, a function is known from its first call after the first use of the registry.
/// The policies stand in the order of the attributes. A policy with a name of its own, by
/// `name = "…"`, is explained under its own name.
///
/// ```
/// use core::time::Duration;
/// use resilience::{circuit_breaker, explain, retry, testing};
///
/// #[retry(attempts = 3)]
/// #[circuit_breaker(failure_threshold = 5)]
/// fn charge() -> Option<u32> {
///     None
/// }
///
/// let _waits = testing::no_waits();
/// charge();
/// let explanations = explain(concat!(module_path!(), "::charge"));
/// assert_eq!(explanations[0].max_calls, Some(3));
/// assert_eq!(explanations[0].delays, [100, 200].map(Duration::from_millis));
/// assert_eq!(explanations[0].layers[1].text, "opens after 5 failures in a row, for 30s");
/// ```
#[must_use]
pub fn explain(name: &str) -> Vec<Explanation> {
    count_successes();
    let known = |entry: &list::Entry| {
        entry.with(|policy, record| {
            let facts = || record.facts_of(policy);
            let is_layer = record.kind != PolicyKind::Function;
            (is_layer && record.name == name).then(|| {
                let (place, depth) = (record.place(), record.depth);
                (depth, (record.name, record.kind, place, facts()))
            })
        })?
    };
    let mut layers: Vec<_> = list::all().iter().filter_map(known).collect();
    let place = |place: &SourceLocation| (place.file, place.line, place.column);
    layers.sort_by_key(|(depth, (_, _, at, _))| (place(at), *depth));
    let mut functions: Vec<Vec<Layer>> = Vec::new();
    for (_, layer) in layers {
        // All attributes of a function have the place of the outermost.
        let is_same = |last: &Vec<Layer>| last.iter().all(|(_, _, at, _)| *at == layer.2);
        match functions.last_mut().filter(|last| is_same(last)) {
            Some(last) => last.push(layer),
            None => functions.push(vec![layer]),
        }
    }
    let explained =
        |layers: &Vec<Layer>| layers.first().map(|(name, ..)| explanation(name, layers));
    functions.iter().filter_map(explained).collect()
}

type Layer = (&'static str, PolicyKind, SourceLocation, Facts);

/// The bounds of a call.
#[derive(Clone, Copy)]
struct Bounds {
    calls: Option<u64>,
    longest: Option<Duration>,
    longest_throttled: Option<Duration>,
}

/// Explains a policy by itself.
pub(crate) fn explain_policy(
    name: &'static str,
    kind: PolicyKind,
    location: &'static Location<'static>,
    facts: Facts,
) -> Explanation {
    explanation(name, &[(name, kind, SourceLocation::of(location), facts)])
}

fn explanation(name: &'static str, layers: &[Layer]) -> Explanation {
    // The body may take any time.
    let mut bounds = Bounds { calls: Some(1), longest: None, longest_throttled: None };
    let mut delays = Vec::new();
    let mut has_timeout = false;
    for (.., facts) in layers.iter().rev() {
        match facts {
            Facts::Unknown | Facts::Rejects(_) | Facts::Replaces | Facts::Off => {}
            Facts::Ends(limit) => {
                has_timeout |= limit.is_some();
                bounds.longest = shorter(bounds.longest, *limit);
                bounds.longest_throttled = shorter(bounds.longest_throttled, *limit);
            }
            Facts::Waits { longest: wait, .. } => {
                let longer = |time: Option<Duration>| Some(time?.saturating_add((*wait)?));
                bounds.longest = longer(bounds.longest);
                bounds.longest_throttled = longer(bounds.longest_throttled);
            }
            Facts::Hedges(max) => {
                // At worst each attempt starts with the failure of the one before.
                let attempts = u32::from(*max).saturating_add(1);
                let all = |time: Option<Duration>| Some(time?.saturating_mul(attempts));
                bounds.calls = bounds.calls.map(|calls| calls.saturating_mul(attempts.into()));
                bounds.longest = all(bounds.longest);
                bounds.longest_throttled = all(bounds.longest_throttled);
            }
            Facts::Repeats(repeats) => {
                bounds = repeated(bounds, repeats, has_timeout);
                delays = repeats.listed_delays();
            }
        }
    }
    let layers = layers.iter().map(|(_, kind, location, facts)| LayerExplanation {
        kind: *kind,
        location: *location,
        text: facts.to_string(),
    });
    Explanation {
        name,
        layers: layers.collect(),
        max_calls: bounds.calls,
        delays,
        longest: bounds.longest,
        longest_throttled: bounds.longest_throttled,
    }
}

fn shorter(time: Option<Duration>, limit: Option<Duration>) -> Option<Duration> {
    match (time, limit) {
        (Some(time), Some(limit)) => Some(time.min(limit)),
        (time, limit) => time.or(limit),
    }
}

/// Returns the bounds of all attempts together.
fn repeated(one: Bounds, repeats: &Repeats, has_timeout: bool) -> Bounds {
    let attempts = repeats.attempts;
    let calls =
        attempts.zip(one.calls).map(|(attempts, calls)| calls.saturating_mul(attempts.into()));
    let all = |attempt: Option<Duration>, delays: Option<Duration>| {
        let in_attempts = attempts.zip(attempt).map(|(count, time)| time.saturating_mul(count));
        let by_number = Some(in_attempts?.saturating_add(delays?));
        let by_number = by_number.filter(|_| !repeats.waits_for_rejections);
        // No attempt starts after the deadline, and a timeout inside ends the last attempt then.
        let by_deadline = repeats.deadline.and_then(|deadline| {
            if has_timeout { Some(deadline) } else { Some(deadline.saturating_add(attempt?)) }
        });
        shorter(by_number, by_deadline)
    };
    let deadline_only = |attempt| all(attempt, None);
    let first = repeats.initial_delay.unwrap_or_default();
    let delays = |at_least| Some(first.saturating_add(repeats.all_delays(at_least)?));
    let longest = all(one.longest, delays(Duration::ZERO));
    let with_server = all(one.longest_throttled, delays(repeats.max_retry_after));
    Bounds {
        calls,
        longest: longest.or_else(|| deadline_only(one.longest)),
        longest_throttled: with_server.or_else(|| deadline_only(one.longest_throttled)),
    }
}
