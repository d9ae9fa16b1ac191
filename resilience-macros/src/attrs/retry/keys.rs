//! The keys of `#[retry]`, and the checks between keys.

use std::time::Duration;

use proc_macro2::Ident;
use resilience_rules::retry as rules;
use syn::{Expr, ExprLit, Lit};

use super::{bind, carried};
use crate::args::{Keyed, Value, value_of};
use crate::budget::Budget;
use crate::diagnostics::Errors;
use crate::keys::keys;
use crate::log_level::LogLevel;
use crate::value::{self, Constant, literal_of};

keys! {
    /// The keys of `#[retry]`.
    pub(super) struct Keys {
        policy {
            attempts: constant(Attempts, attempts),
            backoff: partly_known(Backoff, is_list, |key, value| backoff(value.expression(key)?)),
            initial_delay: time,
            base_delay: time,
            max_delay: time,
            factor: number("1.5") [rule factor],
            jitter: partly_known(Jitter, |_| true, jitter),
            deadline: time [rule deadline],
            idempotent: flag,
            max_retry_after: time,
            budget: argument(Budget, Budget::read),
            on_rejection: choice(bool, ON_REJECTION),
            nested: choice(bool, NESTED),
        }
        function {
            on: callable,
            on_ok: callable,
            exhausted: callable,
            error_sink: callable,
            on_retry: callable,
            on_give_up: callable,
            bind: value(Ident, bind),
            log: choice(LogLevel, RETRY_LEVELS),
            log_give_up: choice(LogLevel, GIVE_UP_LEVELS),
            clone: argument(Vec<Ident>, value::clones),
            carry: argument(Vec<Ident>, carried),
            name: policy_name,
        }
    }
}

pub(super) enum Attempts {
    Unlimited,
    Count(Constant<u32>),
}

pub(super) enum Backoff {
    Growth(Growth),
    List(Vec<Constant<Duration>>),
    Custom(Expr),
}

/// A built-in growth of the delays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    Exponential,
    Fixed,
    Linear,
    Fibonacci,
}

pub(super) enum Jitter {
    Kind(JitterKind),
    Ratio(f64),
    UpTo(Duration),
    Expr(Expr),
}

/// A kind of jitter without a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum JitterKind {
    Full,
    Equal,
    Decorrelated,
    None,
}

const GROWTHS: &[(&str, Growth)] = &[
    ("exponential", Growth::Exponential),
    ("fixed", Growth::Fixed),
    ("linear", Growth::Linear),
    ("fibonacci", Growth::Fibonacci),
];

const JITTERS: &[(&str, JitterKind)] = &[
    ("full", JitterKind::Full),
    ("equal", JitterKind::Equal),
    ("decorrelated", JitterKind::Decorrelated),
    ("none", JitterKind::None),
];

/// Whether a retry waits for a local rejection.
const ON_REJECTION: &[(&str, bool)] = &[("stop", false), ("wait", true)];

/// Whether only the outermost of several nested retries repeats the call.
const NESTED: &[(&str, bool)] = &[("multiply", false), ("outer_only", true)];

/// The levels of `log`.
const RETRY_LEVELS: &[(&str, LogLevel)] = &[
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("off", LogLevel::Off),
];

/// The levels of `log_give_up`.
const GIVE_UP_LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("off", LogLevel::Off),
];

impl Keys {
    /// Returns the levels of a retry and of giving up. Below a fallback a call that gives up is no
    /// error yet: the default is one level lower.
    pub(super) fn levels(&self, has_fallback: bool) -> (LogLevel, LogLevel) {
        let retry = value_of(self.log.as_ref()).copied().unwrap_or(LogLevel::Warn);
        let default = match retry {
            LogLevel::Off => LogLevel::Off,
            _ if has_fallback => LogLevel::Warn,
            _ => LogLevel::Error,
        };
        (retry, value_of(self.log_give_up.as_ref()).copied().unwrap_or(default))
    }

    /// Reports literals that break a rule, and keys that exclude each other.
    pub(super) fn check(&self, errors: &mut Errors) {
        self.check_conflicts(errors);
        if let Some(Attempts::Count(count)) = value_of(self.attempts.as_ref()) {
            if let Some(literal) = count.literal() {
                // One call may still wait for a rejection.
                let waits = value_of(self.on_rejection.as_ref()) == Some(&true);
                if errors.check(count, rules::attempts(*literal)) && !waits {
                    errors.check(count, rules::retries(*literal));
                }
            }
        }
        self.check_rules(errors);
        if let (Some(initial), Some(deadline)) = (&self.initial_delay, &self.deadline) {
            if let (Some(time), Some(end)) = (initial.value.literal(), deadline.value.literal()) {
                if !end.is_zero() {
                    errors.check(&initial.value, rules::initial_within_deadline(*time, *end));
                }
            }
        }
        let Some(base) = value_of(self.base_delay.as_ref()) else { return };
        let Some(base_time) = base.literal() else { return };
        if let Some(max) = literal_of(self.max_delay.as_ref()) {
            errors.check(base, rules::base_within_max(*base_time, max));
        }
        if let (Some(deadline), true) = (&self.deadline, self.is_scheduled()) {
            if let Some(time) = deadline.value.literal().filter(|time| !time.is_zero()) {
                errors.check(&deadline.value, rules::base_within_deadline(*base_time, *time));
            }
        }
    }

    /// Reports waits that a timeout above never lets end.
    pub(super) fn check_timeout(&self, timeout: Duration, errors: &mut Errors) {
        if let Some(initial) = &self.initial_delay {
            if let Some(time) = initial.value.literal() {
                errors.check(&initial.value, rules::initial_within_timeout(*time, timeout));
            }
        }
        let Some((delay, at)) = self.shortest_delay() else { return };
        match (rules::delay_within_timeout(delay, timeout), at) {
            (rule, Some(at)) => {
                errors.check(at, rule);
            }
            (Err(broken), None) => errors.on_attribute(broken.to_string()),
            (Ok(()), None) => {}
        }
    }

    /// Returns the shortest delay before the first retry, as far as literals show the delay, and
    /// the value that determines the delay.
    fn shortest_delay(&self) -> Option<(Duration, Option<&Constant<Duration>>)> {
        let backoff = value_of(self.backoff.as_ref());
        let (nominal, at) = match backoff {
            Some(Backoff::Custom(_)) => return None,
            Some(Backoff::List(delays)) => {
                let first = delays.first()?;
                (*first.literal()?, Some(first))
            }
            Some(Backoff::Growth(_)) | None => match &self.base_delay {
                None => (rules::BASE_DELAY, None),
                Some(base) => (*base.value.literal()?, Some(&base.value)),
            },
        };
        let is_exact = matches!(backoff, Some(Backoff::List(_) | Backoff::Growth(Growth::Fixed)));
        let shortest = match value_of(self.jitter.as_ref()) {
            None if is_exact => nominal,
            None | Some(Jitter::Kind(JitterKind::Full)) => Duration::ZERO,
            Some(Jitter::Kind(JitterKind::Equal)) => nominal / 2,
            Some(Jitter::Expr(_)) => return None,
            Some(_) => nominal,
        };
        let ceiling = match &self.max_delay {
            None => shortest,
            Some(max) => *max.value.literal()?,
        };
        Some((shortest.min(ceiling), at))
    }

    /// Returns whether no first delay is shorter than `base_delay`.
    pub(super) fn starts_with_base_delay(&self) -> bool {
        let growth = match value_of(self.backoff.as_ref()) {
            Some(Backoff::Growth(growth)) => *growth,
            None => Growth::Exponential,
            Some(Backoff::List(_) | Backoff::Custom(_)) => return false,
        };
        match value_of(self.jitter.as_ref()) {
            None => growth == Growth::Fixed,
            Some(Jitter::Kind(kind)) => {
                matches!(kind, JitterKind::None | JitterKind::Decorrelated)
            }
            Some(Jitter::Ratio(_) | Jitter::UpTo(_)) => true,
            Some(Jitter::Expr(_)) => false,
        }
    }

    /// Returns whether a failure without a class is never retried.
    pub(super) fn is_never_repeated(&self) -> bool {
        matches!(
            value_of(self.idempotent.as_ref()),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. })) if !flag.value
        )
    }

    /// Returns whether the delays start from `base_delay`.
    fn is_scheduled(&self) -> bool {
        !matches!(self.backoff, Some(Keyed { value: Backoff::List(_) | Backoff::Custom(_), .. }))
    }

    fn check_conflicts(&self, errors: &mut Errors) {
        self.check_jitter(errors);
        if !self.is_scheduled() {
            let unused = [
                self.base_delay.as_ref().map(|keyed| &keyed.key),
                self.factor.as_ref().map(|keyed| &keyed.key),
            ];
            for key in unused.into_iter().flatten() {
                errors.add(
                    key,
                    format!(
                        "`{key}` and this `backoff` exclude each other: `backoff` determines the \
                         delays; remove `{key}`"
                    ),
                );
            }
        } else if let (Some(factor), Some(Keyed { value: Backoff::Growth(growth), .. })) =
            (&self.factor, &self.backoff)
        {
            if *growth != Growth::Exponential {
                let name = GROWTHS.iter().find(|(_, other)| other == growth);
                let name = name.map_or("", |(name, _)| name);
                errors.add(
                    &factor.key,
                    format!(
                        "`factor` and `backoff = \"{name}\"` exclude each other: only exponential \
                         delays have a factor; remove one of them"
                    ),
                );
            }
        }
        if let Some(Keyed { value: Jitter::Kind(JitterKind::Decorrelated), .. }) = &self.jitter {
            let backoff = self
                .backoff
                .as_ref()
                .filter(|keyed| !matches!(keyed.value, Backoff::Growth(Growth::Exponential)));
            let factor = self.factor.as_ref().map(|keyed| &keyed.key);
            for key in [backoff.map(|keyed| &keyed.key), factor].into_iter().flatten() {
                errors.add(
                    key,
                    format!(
                        "`{key}` and `jitter = \"decorrelated\"` exclude each other: decorrelated \
                         delays grow on their own from `base_delay` to `max_delay`; remove `{key}`"
                    ),
                );
            }
        }
    }
}

/// The checks of the jitter and of the keys for values.
impl Keys {
    /// Reports `exhausted` without `on_ok`.
    pub(super) fn check_exhausted(&self, errors: &mut Errors) {
        if let (Some(exhausted), None) = (&self.exhausted, &self.on_ok) {
            errors.add(
                &exhausted.key,
                "`exhausted` makes an error from the last value that `on_ok` declines; add `on_ok = …`",
            );
        }
    }

    /// Reports a jitter on top of the first delay that exceeds the ceiling.
    fn check_jitter(&self, errors: &mut Errors) {
        let Some(max) = literal_of(self.max_delay.as_ref()).filter(|_| self.is_scheduled()) else {
            return;
        };
        let base = match &self.base_delay {
            None => rules::BASE_DELAY,
            Some(base) => match base.value.literal() {
                Some(base) => *base,
                None => return,
            },
        };
        let Some(Keyed { key, value: jitter }) = &self.jitter else { return };
        let Some(width) = jitter.width(base) else { return };
        if base <= max {
            errors.check(key, rules::jitter_within_max(base, width, max));
        }
    }
}

impl Jitter {
    /// Returns the longest time that a jitter on top adds to `base`.
    pub(super) fn width(&self, base: Duration) -> Option<Duration> {
        match self {
            Self::Ratio(ratio) => Some(rules::ratio_width(base, *ratio)),
            Self::UpTo(width) => Some(*width),
            Self::Kind(_) | Self::Expr(_) => None,
        }
    }
}

/// Reads a whole number or `"unlimited"`.
fn attempts(expr: Expr) -> syn::Result<Attempts> {
    let expected = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "unlimited" => {
            return Ok(Attempts::Unlimited);
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().parse::<u32>().is_err() => {
            "expected a whole number or `\"unlimited\"`, like `attempts = 4`"
        }
        // In some libraries -1 means no limit.
        _ if value::decimal(&expr).is_some_and(f64::is_sign_negative) => {
            "`attempts` cannot be negative; for no limit write `attempts = \"unlimited\"`"
        }
        _ => return value::count("attempts", expr).map(Attempts::Count),
    };
    Err(syn::Error::new_spanned(expr, expected))
}

/// A list stands in a constant. A custom backoff is an expression of the call.
fn is_list(expr: &Expr) -> bool {
    matches!(expr, Expr::Array(_))
}

/// Reads a growth in quotes, a list of delays, or an expression with a `Backoff` impl.
fn backoff(expr: Expr) -> syn::Result<Backoff> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            value::choice("backoff", &expr, GROWTHS).map(Backoff::Growth)
        }
        Expr::Lit(other) => Err(syn::Error::new_spanned(
            other,
            "expected one of `\"exponential\"`, `\"fixed\"`, `\"linear\"`, `\"fibonacci\"`, a list like \
             `[\"100ms\", \"1s\"]`, or an expression with a `Backoff` impl",
        )),
        Expr::Array(list) => {
            if let (true, Err(broken)) = (list.elems.is_empty(), rules::delays(&[])) {
                return Err(syn::Error::new_spanned(list, broken));
            }
            let delays = list.elems.into_iter().map(|delay| value::duration("backoff", delay));
            delays.collect::<syn::Result<_>>().map(Backoff::List)
        }
        custom => {
            value::unquoted("backoff", &custom, GROWTHS)?;
            Ok(Backoff::Custom(custom))
        }
    }
}

/// Reads `jitter`, or `jitter = …`.
fn jitter(key: &Ident, value: Value) -> syn::Result<Jitter> {
    match value {
        Value::Bare => Ok(Jitter::Kind(JitterKind::Full)),
        Value::Expr(expr) => jitter_value(expr),
        Value::Names(_) | Value::List(_) => Err(syn::Error::new_spanned(
            key,
            "`jitter` takes no parentheses; write `jitter`, `jitter = \"equal\"` or `jitter = 0.5`",
        )),
    }
}

fn jitter_value(expr: Expr) -> syn::Result<Jitter> {
    if let Some(ratio) = value::decimal(&expr) {
        return match (rules::jitter(ratio), &expr) {
            (Ok(()), _) => Ok(Jitter::Ratio(ratio)),
            (Err(broken), Expr::Lit(ExprLit { lit, .. })) => {
                let written = value::plain(lit);
                let message =
                    format!("{broken}; for a time write `\"{written}ms\"` or `\"{written}s\"`");
                Err(syn::Error::new_spanned(lit, message))
            }
            (Err(broken), _) => Err(syn::Error::new_spanned(expr, broken)),
        };
    }
    if let Some(number) = value::number_in_quotes(&expr) {
        let message = match rules::jitter(number) {
            Ok(()) => format!("a number has no quotes: write `jitter = {number}`"),
            Err(_) => JITTER_EXPECTED.to_owned(),
        };
        return Err(syn::Error::new_spanned(expr, message));
    }
    let Expr::Lit(ExprLit { lit, .. }) = &expr else {
        value::unquoted("jitter", &expr, JITTERS)?;
        return Ok(Jitter::Expr(expr));
    };
    match lit {
        Lit::Bool(flag) => {
            let instead = if flag.value { "`jitter` alone" } else { "`jitter = \"none\"`" };
            Err(syn::Error::new_spanned(
                flag,
                format!("`jitter` takes no `true` or `false`; write {instead}"),
            ))
        }
        Lit::Str(text) if text.value().starts_with(|first: char| first.is_ascii_digit()) => {
            value::duration_text(text).map(Jitter::UpTo)
        }
        Lit::Str(_) => value::choice("jitter", &expr, JITTERS).map(Jitter::Kind),
        other => Err(syn::Error::new_spanned(other, JITTER_EXPECTED)),
    }
}

const JITTER_EXPECTED: &str =
    "expected a kind, a ratio or a time: `jitter = \"equal\"`, `jitter = 0.5`, `jitter = \"1s\"`";
