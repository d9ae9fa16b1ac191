//! The kinds of value a key can have, each read with a message that writes the fix.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, Stmt, UnOp};

use crate::hint::nearest;

/// A value that must be known at compile time.
pub(crate) enum Constant<T> {
    /// A literal, checked here.
    Literal(T, Expr),
    /// Any other expression, checked by the runtime's `const fn`.
    Expr(Expr),
    /// An expression in braces, which may name what the attribute cannot see to be generic.
    Braced(Expr),
}

impl<T> Constant<T> {
    pub(crate) fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(value, _) => Some(value),
            Self::Expr(_) | Self::Braced(_) => None,
        }
    }

    /// Anything but a literal.
    fn expression(expr: Expr) -> Self {
        match expr {
            Expr::Block(mut block) if block.block.stmts.len() == 1 => {
                match block.block.stmts.pop() {
                    Some(Stmt::Expr(inner, None)) => Self::Braced(inner),
                    stmt => {
                        block.block.stmts.extend(stmt);
                        Self::Braced(Expr::Block(block))
                    }
                }
            }
            Expr::Block(_) => Self::Braced(expr),
            other => Self::Expr(other),
        }
    }

    /// As written.
    pub(crate) fn source(&self) -> &Expr {
        match self {
            Self::Literal(_, expr) | Self::Expr(expr) | Self::Braced(expr) => expr,
        }
    }
}

impl<T> ToTokens for Constant<T> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.source().to_tokens(tokens);
    }
}

fn error<T>(tokens: impl ToTokens, message: impl std::fmt::Display) -> syn::Result<T> {
    Err(syn::Error::new_spanned(tokens, message))
}

/// The literal, where the expression is one.
fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// Whether this is a literal, a closure or another shape that can be no constant of a number.
fn is_hopeless(expr: &Expr) -> bool {
    let negative = matches!(expr, Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) if literal(expr).is_some());
    negative || matches!(expr, Expr::Lit(_) | Expr::Closure(_) | Expr::Array(_) | Expr::Tuple(_))
}

/// A whole number, like `4` or `MAX_ATTEMPTS`.
pub(crate) fn count(key: &str, expr: Expr) -> syn::Result<Constant<u32>> {
    match literal(&expr) {
        Some(Lit::Int(int)) if int.suffix().is_empty() || int.suffix() == "u32" => {
            match int.base10_parse() {
                Ok(value) => Ok(Constant::Literal(value, expr)),
                Err(_) => error(&expr, format!("`{key}` is at most {}", u32::MAX)),
            }
        }
        _ if is_hopeless(&expr) => {
            error(&expr, format!("expected a whole number, like `{key} = 4`"))
        }
        _ => Ok(Constant::expression(expr)),
    }
}

/// A number, like `1.5`, `2` or `GROWTH`.
pub(crate) fn number(key: &str, example: &str, expr: Expr) -> syn::Result<Constant<f64>> {
    let words = || format!("expected a number, like `{key} = {example}`");
    match literal(&expr) {
        Some(lit @ (Lit::Int(_) | Lit::Float(_))) => match decimal(lit) {
            Some(value) => Ok(Constant::Literal(value, expr)),
            None => error(&expr, words()),
        },
        _ if is_hopeless(&expr) => error(&expr, words()),
        _ => Ok(Constant::expression(expr)),
    }
}

/// The value of a numeric literal.
pub(crate) fn decimal(lit: &Lit) -> Option<f64> {
    match lit {
        Lit::Int(int) => int.base10_parse().ok(),
        Lit::Float(float) => float.base10_parse().ok(),
        _ => None,
    }
}

/// A duration, like `"250ms"`, or a constant of type `Duration`.
pub(crate) fn duration(key: &str, expr: Expr) -> syn::Result<Constant<Duration>> {
    duration_behind(&format!("{key} = "), expr)
}

/// The same behind something else than a key.
pub(crate) fn duration_behind(key: &str, expr: Expr) -> syn::Result<Constant<Duration>> {
    match literal(&expr) {
        Some(Lit::Str(text)) => Ok(Constant::Literal(duration_text(text)?, expr)),
        Some(lit @ (Lit::Int(_) | Lit::Float(_))) => {
            let written = lit.to_token_stream().to_string();
            if parse_duration(&written).is_ok() {
                return error(&expr, format!("a duration is quoted: `{key}\"{written}\"`"));
            }
            error(&expr, unit_missing(&written))
        }
        _ if is_hopeless(&expr) => {
            error(&expr, format!("expected a duration, like `{key}\"250ms\"`"))
        }
        _ => Ok(Constant::expression(expr)),
    }
}

fn unit_missing(number: &str) -> String {
    format!("missing unit: write `\"{number}ms\"` or `\"{number}s\"`")
}

/// Reads a duration in quotes.
pub(crate) fn duration_text(text: &LitStr) -> syn::Result<Duration> {
    parse_duration(&text.value()).map_err(|message| syn::Error::new_spanned(text, message))
}

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

/// What people write for the units.
const SYNONYMS: &[(&str, &str)] = &[
    ("msec", "ms"),
    ("millis", "ms"),
    ("usec", "us"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
];

/// Reads `250ms`, `1.5s`, `1m30s`: numbers with units, the larger unit first.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let example = "expected a duration, like `\"250ms\"`, `\"5s\"` or `\"1m30s\"`";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(example.into());
    }
    let mut total = Duration::ZERO;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(example.into());
        }
        if unit.is_empty() {
            return Err(unit_missing(number));
        }
        let unit = if unit == "µs" { "us" } else { unit };
        let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let other = SYNONYMS.iter().find(|(name, _)| *name == unit);
            if let Some((_, known)) = other {
                return Err(format!("unknown unit `{unit}`; write `\"{number}{known}\"`"));
            }
            let units = UNITS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("`, `");
            return Err(format!("unknown unit `{unit}`; the units are `{units}`"));
        };
        if *nanos >= smallest {
            return Err(format!("`{unit}` after a smaller or the same unit: {example}"));
        }
        smallest = *nanos;
        total = part(number, *nanos)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| format!("`{number}{unit}` is no length of time that can be told"))?;
        rest = after.trim_start();
    }
    Ok(total)
}

/// `number` times a unit of `nanos`, exactly where it has no fraction.
fn part(number: &str, nanos: u64) -> Option<Duration> {
    if let Ok(whole) = number.parse::<u64>() {
        let total = u128::from(whole) * u128::from(nanos);
        let seconds = u64::try_from(total / 1_000_000_000).ok()?;
        return Some(Duration::new(seconds, u32::try_from(total % 1_000_000_000).ok()?));
    }
    let number = number.parse::<f64>().ok()?;
    Duration::try_from_secs_f64(number * Duration::from_nanos(nanos).as_secs_f64()).ok()
}

/// The tokens of a duration that is known here.
pub(crate) fn duration_tokens(value: Duration, at: &Expr, private: &TokenStream) -> TokenStream {
    let (seconds, nanos) = (value.as_secs(), value.subsec_nanos());
    quote_spanned!(at.span()=> #private::Duration::new(#seconds, #nanos))
}

/// The tokens of a time: a literal as it was read.
pub(crate) fn time_tokens(value: &Constant<Duration>, private: &TokenStream) -> TokenStream {
    match value {
        Constant::Literal(time, at) => duration_tokens(*time, at, private),
        other => other.to_token_stream(),
    }
}

/// The tokens of a number: a literal as the `f64` that it is meant for.
pub(crate) fn number_tokens(value: &Constant<f64>) -> TokenStream {
    match value {
        Constant::Literal(number, at) => quote_spanned!(at.span()=> #number),
        other => other.to_token_stream(),
    }
}

/// A predicate or hook: a path or a closure.
pub(crate) fn callable(key: &str, expr: Expr) -> syn::Result<Expr> {
    if is_hopeless(&expr) && !matches!(expr, Expr::Closure(_)) {
        let (path, argument) = match key {
            "on" => ("is_transient", "error"),
            "on_ok" => ("is_busy", "value"),
            "error" => ("turned_away", "rejected"),
            "with" => ("instead", "error"),
            _ => ("notify", "event"),
        };
        return error(
            &expr,
            format!(
                "expected a path or a closure, like `{key} = {path}` or `{key} = |{argument}| …`"
            ),
        );
    }
    Ok(expr)
}

/// `true`, `false`, or any other expression of type `bool`.
pub(crate) fn flag(key: &str, expr: Expr) -> syn::Result<Expr> {
    match literal(&expr) {
        Some(Lit::Bool(_)) => Ok(expr),
        _ if is_hopeless(&expr) => {
            error(&expr, format!("expected `true`, `false` or a condition: `{key} = false`"))
        }
        _ => Ok(expr),
    }
}

/// A name in quotes.
pub(crate) fn text(key: &str, expr: Expr) -> syn::Result<LitStr> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
        other => error(&other, format!("expected a text in quotes: `{key} = \"…\"`")),
    }
}

/// One of a few names that was written without its quotes.
pub(crate) fn unquoted<T>(key: &str, expr: &Expr, names: &[(&str, T)]) -> syn::Result<()> {
    let word = match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    };
    match word.filter(|word| names.iter().any(|(name, _)| name == word)) {
        Some(word) => error(expr, format!("write it in quotes: `{key} = \"{word}\"`")),
        None => Ok(()),
    }
}

/// One of a few names, and nothing else.
pub(crate) fn choice<T: Copy>(key: &str, expr: Expr, names: &[(&str, T)]) -> syn::Result<T> {
    unquoted(key, &expr, names)?;
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => named(key, &text, names),
        other => {
            let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            error(&other, format!("expected one of `\"{}\"`", known.join("\"`, `\"")))
        }
    }
}

/// One of a few names in quotes.
pub(crate) fn named<T: Copy>(key: &str, text: &LitStr, names: &[(&str, T)]) -> syn::Result<T> {
    let written = text.value();
    if let Some((_, found)) = names.iter().find(|(name, _)| *name == written) {
        return Ok(*found);
    }
    let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let hint = match nearest(&written.to_lowercase(), &known) {
        Some(near) => format!("did you mean `\"{near}\"`?"),
        None => format!("there are `\"{}\"`", known.join("\"`, `\"")),
    };
    error(text, format!("unknown {key} `\"{written}\"`; {hint}"))
}
