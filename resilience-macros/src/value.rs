//! The kinds of values. Each message about a value contains the fix.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use resilience_rules::nearest;
use resilience_rules::{duration, name as rules};
use syn::spanned::Spanned;
use syn::{
    BinOp, Expr, ExprBinary, ExprClosure, ExprLit, ExprUnary, Lit, LitStr, Stmt, UnOp,
    parse_quote_spanned,
};

use crate::args::{Keyed, Value, value_of};

/// A value known at compile time.
#[derive(Clone)]
pub(crate) enum Constant<T> {
    /// A literal, checked during expansion.
    Literal(T, Expr),
    /// An expression, checked by a `const fn` of the runtime.
    Expr(Expr),
    /// An expression in braces. The expression may name generic parameters of an `impl` block: the
    /// attribute cannot see them.
    Braced(Expr),
}

impl<T> Constant<T> {
    pub(crate) fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(value, _) => Some(value),
            Self::Expr(_) | Self::Braced(_) => None,
        }
    }

    /// Creates a constant from an expression except a literal.
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

    /// Returns the expression as written.
    pub(crate) fn source(&self) -> &Expr {
        match self {
            Self::Literal(_, expr) | Self::Expr(expr) | Self::Braced(expr) => expr,
        }
    }
}

/// Returns the literal of a key, if the key is given and the value is a literal.
pub(crate) fn literal_of<T: Copy>(keyed: Option<&Keyed<Constant<T>>>) -> Option<T> {
    value_of(keyed)?.literal().copied()
}

impl<T> ToTokens for Constant<T> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.source().to_tokens(tokens);
    }
}

fn error<T>(tokens: impl ToTokens, message: impl std::fmt::Display) -> syn::Result<T> {
    Err(syn::Error::new_spanned(tokens, message))
}

/// Returns the literal, if the expression is a literal.
fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// Returns the literal behind a minus.
fn negative(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => literal(expr).map(|_| &**expr),
        _ => None,
    }
}

/// Returns whether the expression cannot be a constant: a literal of another kind, a closure, an
/// array or a tuple.
fn cannot_be_const(expr: &Expr) -> bool {
    negative(expr).is_some()
        || matches!(expr, Expr::Lit(_) | Expr::Closure(_) | Expr::Array(_) | Expr::Tuple(_))
}

/// Reads a whole number, like `4` or `MAX_ATTEMPTS`.
pub(crate) fn count(key: &str, expr: Expr) -> syn::Result<Constant<u32>> {
    if let Some(Lit::Int(int)) = literal(&expr) {
        if int.suffix().is_empty() || int.suffix() == "u32" {
            return match int.base10_parse() {
                Ok(value) => Ok(Constant::Literal(value, expr)),
                Err(_) => error(&expr, format!("`{key}` must be at most {}", u32::MAX)),
            };
        }
    }
    if let Some(mistake) = mistake_of_count(key, &expr) {
        return error(&expr, mistake);
    }
    if cannot_be_const(&expr) {
        return error(&expr, format!("expected a whole number, like `{key} = 4`"));
    }
    Ok(Constant::expression(expr))
}

/// Returns the message for a number in another form than the form of a count: `5u64`, `3.0`, `"5"`
/// or `-1`.
pub(crate) fn mistake_of_count(key: &str, expr: &Expr) -> Option<String> {
    if negative(expr).is_some() {
        return Some(format!("`{key}` cannot be negative; write a whole number, like `{key} = 4`"));
    }
    let literal = literal(expr)?;
    let whole = |text: &str| text.parse::<u32>().ok();
    let (reason, count) = match literal {
        Lit::Int(int) => (format!("`{key}` is a `u32`"), whole(int.base10_digits())?),
        Lit::Float(float) => {
            let digits = float.base10_digits().trim_end_matches('0').trim_end_matches('.');
            (format!("`{key}` is a whole number"), whole(digits)?)
        }
        Lit::Str(text) => ("a number has no quotes".to_owned(), whole(text.value().trim())?),
        _ => return None,
    };
    Some(format!("{reason}: write `{key} = {count}`"))
}

/// Reads a name that processes share. `message` says what is expected.
pub(crate) fn shared_name(expr: Expr, message: &str) -> syn::Result<LitStr> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) if !name.value().is_empty() => Ok(name),
        other => Err(syn::Error::new_spanned(other, message)),
    }
}

/// Reads a number, like `1.5`, `2` or `GROWTH`.
pub(crate) fn number(key: &str, example: &str, expr: Expr) -> syn::Result<Constant<f64>> {
    if let Some(value) = decimal(&expr) {
        return Ok(Constant::Literal(value, expr));
    }
    if let Some(number) = number_in_quotes(&expr) {
        return error(&expr, format!("a number has no quotes: write `{key} = {number}`"));
    }
    if cannot_be_const(&expr) {
        return error(&expr, format!("expected a number, like `{key} = {example}`"));
    }
    Ok(Constant::expression(expr))
}

/// Returns the value of a numeric literal, also behind a minus.
pub(crate) fn decimal(expr: &Expr) -> Option<f64> {
    if let Some(positive) = negative(expr) {
        return decimal(positive).map(|value| -value);
    }
    match literal(expr)? {
        Lit::Int(int) => int.base10_parse().ok(),
        Lit::Float(float) => float.base10_parse().ok(),
        _ => None,
    }
}

/// Returns the number that a text means: `"1.5"`, or a share for `"50%"`.
pub(crate) fn number_in_quotes(expr: &Expr) -> Option<f64> {
    let Lit::Str(text) = literal(expr)? else { return None };
    let text = text.value();
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match text.trim().strip_suffix('%') {
        Some(percentage) => number(percentage).map(|percentage| percentage / 100.0),
        None => number(&text),
    }
}

/// Reads a duration, like `"250ms"`, or a constant of type `Duration`.
pub(crate) fn duration(key: &str, expr: Expr) -> syn::Result<Constant<Duration>> {
    duration_after(&format!("{key} = "), expr)
}

/// The wait of `"unlimited"`: the policies wait without a limit for this duration.
pub(crate) const UNLIMITED: Duration = Duration::MAX;

/// Reads the longest wait of a call: a duration or `"unlimited"`.
pub(crate) fn wait(key: &str, expr: Expr) -> syn::Result<Constant<Duration>> {
    match literal(&expr) {
        Some(Lit::Str(text)) if text.value() == "unlimited" => {
            Ok(Constant::Literal(UNLIMITED, expr))
        }
        Some(Lit::Str(text)) if duration::is_no_limit(&text.value()) => {
            let message =
                format!("for no limit write `{key} = \"unlimited\"`; for no wait remove `{key}`");
            error(&expr, message)
        }
        _ => duration(key, expr),
    }
}

/// Returns whether a wait has no limit.
pub(crate) fn is_unlimited(wait: Option<&Constant<Duration>>) -> bool {
    wait.and_then(Constant::literal) == Some(&UNLIMITED)
}

/// Reads a duration that `prefix` precedes in the source, for messages.
pub(crate) fn duration_after(prefix: &str, expr: Expr) -> syn::Result<Constant<Duration>> {
    match literal(&expr) {
        Some(Lit::Str(text)) => Ok(Constant::Literal(duration_text(text)?, expr)),
        Some(lit @ (Lit::Int(_) | Lit::Float(_))) => {
            let written = plain(lit);
            match duration::parse(&written) {
                Ok(_) => {
                    error(&expr, format!("a duration needs quotes: write `{prefix}\"{written}\"`"))
                }
                Err(message) => error(&expr, message),
            }
        }
        _ if cannot_be_const(&expr) => {
            error(&expr, format!("expected a duration, like `{prefix}\"250ms\"`"))
        }
        _ => Ok(Constant::expression(expr)),
    }
}

/// Returns a number as written in a duration: without underscores and the suffix of a type.
pub(crate) fn plain(lit: &Lit) -> String {
    let (digits, suffix) = match lit {
        Lit::Int(int) => (int.base10_digits(), int.suffix()),
        Lit::Float(float) => (float.base10_digits(), float.suffix()),
        _ => ("", ""),
    };
    let is_type =
        suffix.ends_with("size") || suffix.get(1..).is_some_and(|bits| bits.parse::<u8>().is_ok());
    format!("{digits}{}", if is_type { "" } else { suffix })
}

/// Reads a duration in quotes.
pub(crate) fn duration_text(text: &LitStr) -> syn::Result<Duration> {
    duration::parse(&text.value()).map_err(|message| syn::Error::new_spanned(text, message))
}

/// Returns the tokens of a duration.
pub(crate) fn duration_tokens(value: Duration, at: Span, private: &TokenStream) -> TokenStream {
    let (seconds, nanos) = (value.as_secs(), value.subsec_nanos());
    quote_spanned!(at=> #private::Duration::new(#seconds, #nanos))
}

/// A type of constants.
pub(crate) trait ConstantType: Sized {
    /// Returns the tokens of a constant in generated code.
    fn tokens(value: &Constant<Self>, private: &TokenStream) -> TokenStream;
}

/// As written.
impl ConstantType for u32 {
    fn tokens(value: &Constant<Self>, _: &TokenStream) -> TokenStream {
        value.to_token_stream()
    }
}

/// A literal becomes an `f64`: `2` is a valid factor.
impl ConstantType for f64 {
    fn tokens(value: &Constant<Self>, _: &TokenStream) -> TokenStream {
        match value {
            Constant::Literal(number, at) => quote_spanned!(at.span()=> #number),
            other => other.to_token_stream(),
        }
    }
}

/// A literal, such as `"250ms"`, becomes a call of `Duration::new`.
impl ConstantType for Duration {
    fn tokens(value: &Constant<Self>, private: &TokenStream) -> TokenStream {
        match value {
            Constant::Literal(time, at) => duration_tokens(*time, at.span(), private),
            other => other.to_token_stream(),
        }
    }
}

/// Reads a predicate or a hook: a path or a closure.
pub(crate) fn callable(key: &str, expr: Expr) -> syn::Result<Expr> {
    if let (Some(pattern), "on" | "on_ok") = (as_pattern(&expr), key) {
        let argument = if key == "on" { "error" } else { "value" };
        // The errors of `std::io` and `tonic` are no enums.
        let part = match owner_of(&expr) {
            Some(owner) if owner == "ErrorKind" => ".kind()",
            Some(owner) if owner == "Code" => ".code()",
            _ => "",
        };
        return error(
            &expr,
            format!("write `{key} = |{argument}| matches!({argument}{part}, {pattern})`"),
        );
    }
    if cannot_be_const(&expr) && !matches!(expr, Expr::Closure(_)) {
        let (path, argument) = match key {
            "on" => ("is_transient", "error"),
            "on_ok" => ("is_busy", "value"),
            "error" => ("from_rejected", "rejected"),
            "with" => ("default_for", "error"),
            "aged" => ("mark_as_old", "value, age"),
            "exhausted" => ("still_busy", "value"),
            _ => ("notify", "event"),
        };
        return error(
            &expr,
            format!(
                "expected a path or a closure, like `{key} = {path}` or `{key} = |{argument}| …`"
            ),
        );
    }
    Ok(if matches!(key, "on" | "on_ok") { called(expr) } else { expr })
}

/// Returns a closure that calls the function of a path, and other expressions unchanged. A generic
/// function as an argument would have its bounds checked twice, and the compiler would report a
/// type without a class at two places.
pub(crate) fn called(function: Expr) -> Expr {
    if !matches!(function, Expr::Path(_)) {
        return function;
    }
    let at = Span::mixed_site().located_at(function.span());
    let value = Ident::new("value", at);
    let closure: ExprClosure = parse_quote_spanned!(at=> |#value| #function(#value));
    Expr::Closure(closure)
}

/// Returns the pattern that an expression in place of a predicate means: a variant, such as
/// `Error::Down`, alternatives, or a list of variants.
fn as_pattern(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => {
            let variant = path.path.segments.last()?.ident.to_string();
            // A function and a constant have names of another form.
            let is_variant = owner_of(expr)?.starts_with(char::is_uppercase)
                && variant.starts_with(char::is_uppercase)
                && variant.contains(char::is_lowercase);
            is_variant.then(|| path.to_token_stream().to_string().replace(" :: ", "::"))
        }
        Expr::Binary(ExprBinary { left, op: BinOp::BitOr(_), right, .. }) => {
            Some(format!("{} | {}", as_pattern(left)?, as_pattern(right)?))
        }
        Expr::Array(list) => {
            let patterns: Option<Vec<String>> = list.elems.iter().map(as_pattern).collect();
            patterns.filter(|patterns| !patterns.is_empty()).map(|patterns| patterns.join(" | "))
        }
        Expr::Paren(inner) => as_pattern(&inner.expr),
        _ => None,
    }
}

/// Returns the name before the last in the first path of a pattern.
fn owner_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => Some(path.path.segments.iter().nth_back(1)?.ident.to_string()),
        Expr::Binary(binary) => owner_of(&binary.left),
        Expr::Array(list) => owner_of(list.elems.first()?),
        Expr::Paren(inner) => owner_of(&inner.expr),
        _ => None,
    }
}

/// Reads `true`, `false`, or an expression of type `bool`.
pub(crate) fn flag(key: &str, expr: Expr) -> syn::Result<Expr> {
    match literal(&expr) {
        Some(Lit::Bool(_)) => Ok(expr),
        _ if cannot_be_const(&expr) => {
            error(&expr, format!("expected `true`, `false` or a condition, like `{key} = false`"))
        }
        _ => Ok(expr),
    }
}

/// Reads a switch: the key alone, or `true` or `false`.
pub(crate) fn switch(key: &Ident, value: Value) -> syn::Result<bool> {
    match value {
        Value::Bare => Ok(true),
        Value::Expr(expr) => match literal(&expr) {
            Some(Lit::Bool(value)) => Ok(value.value),
            _ => error(&expr, format!("write `{key}` alone, or `{key} = false`")),
        },
        Value::Names(_) | Value::List(_) => {
            error(key, format!("write `{key}` alone, or `{key} = false`"))
        }
    }
}

/// Reads a text in quotes, or a macro that makes one, such as `concat!(…)`.
pub(crate) fn text(key: &str, expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) | Expr::Macro(_) => Ok(expr),
        other => error(&other, format!("expected a text in quotes: `{key} = \"…\"`")),
    }
}

/// Reads the name of a policy: a text by its rule.
pub(crate) fn name(expr: Expr) -> syn::Result<Expr> {
    let text = text("name", expr)?;
    match literal(&text) {
        Some(Lit::Str(name)) => match rules::name(&name.value()) {
            Ok(()) => Ok(text),
            Err(broken) => error(&text, broken),
        },
        _ => Ok(text),
    }
}

/// Returns an expression that borrows a place instead of moving the value out of the place.
pub(crate) fn borrowed_place(expr: &Expr) -> TokenStream {
    let is_place = matches!(
        expr,
        Expr::Field(_) | Expr::Index(_) | Expr::Unary(ExprUnary { op: UnOp::Deref(_), .. })
    );
    if is_place { quote_spanned!(expr.span()=> &#expr) } else { expr.to_token_stream() }
}

/// Reads a policy made by hand: any expression except a literal, and except a constructor, which
/// would make a policy without state for each call. `message` names the type.
pub(crate) fn policy(expr: Expr, message: impl FnOnce() -> String) -> syn::Result<Expr> {
    if let Expr::Lit(literal) = &expr {
        return error(literal, message());
    }
    match made_in_place(&expr) {
        None => Ok(expr),
        Some(name) => error(
            &expr,
            format!(
                "this expression makes a new `{name}` for each call, without the state of earlier \
                 calls; keep the `{name}` in a `static` or in a field"
            ),
        ),
    }
}

/// The types with a state, and their constructors.
const STATEFUL: [&str; 6] =
    ["Bulkhead", "CircuitBreaker", "Coalescer", "MemoryStore", "RateLimiter", "RetryBudget"];
const CONSTRUCTORS: [&str; 5] = ["new", "default", "shared", "ratio", "bucket"];

/// Returns the type of a policy that the expression creates, such as
/// `Arc::new(CircuitBreaker::new().failure_threshold(3))`.
fn made_in_place(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Reference(lent) => made_in_place(&lent.expr),
        Expr::Paren(inner) => made_in_place(&inner.expr),
        Expr::MethodCall(call) => made_in_place(&call.receiver),
        Expr::Call(call) => {
            let Expr::Path(path) = &*call.func else { return None };
            let mut names =
                path.path.segments.iter().rev().map(|segment| segment.ident.to_string());
            let (function, owner) = (names.next()?, names.next()?);
            if ["Arc", "Rc", "Box"].contains(&owner.as_str()) {
                return made_in_place(call.args.first()?);
            }
            let is_constructor = CONSTRUCTORS.contains(&function.as_str());
            STATEFUL.into_iter().find(|name| is_constructor && owner == *name)
        }
        _ => None,
    }
}

/// Removes borrows: `&self.policy` means the policy in the field.
pub(crate) fn place(policy: &Expr) -> &Expr {
    match policy {
        Expr::Reference(lent) => place(&lent.expr),
        Expr::Paren(inner) => place(&inner.expr),
        other => other,
    }
}

/// Reads names in parentheses; `missing` is the message for a list without names.
pub(crate) fn names(key: &Ident, value: Value, missing: &str) -> syn::Result<Vec<Ident>> {
    match value {
        Value::Names(names) if !names.is_empty() => Ok(names),
        Value::Names(_) | Value::List(_) | Value::Bare => {
            Err(syn::Error::new_spanned(key, missing))
        }
        Value::Expr(value) => {
            let written = value.to_token_stream();
            Err(syn::Error::new(
                value.span(),
                format!("`{key}` takes names in parentheses: write `{key}({written})`"),
            ))
        }
    }
}

/// Reads `clone(a, b)`.
pub(crate) fn clones(key: &Ident, value: Value) -> syn::Result<Vec<Ident>> {
    names(key, value, "`clone` needs the arguments to clone: `clone(body)`")
}

/// The form of a choice with a value, such as `wait("5s")`.
pub(crate) struct CallForm<T> {
    pub(crate) word: &'static str,
    /// An example of the value.
    pub(crate) example: &'static str,
    pub(crate) read: fn(Expr) -> syn::Result<T>,
}

/// Reads a word in quotes from a list.
pub(crate) fn choice<T: Clone>(key: &str, expr: &Expr, words: &[(&str, T)]) -> syn::Result<T> {
    read_choice(key, expr, words, None)
}

/// Reads a word in quotes from a list, or a word with a value, such as `wait("5s")`.
pub(crate) fn choice_or_call<T: Clone>(
    key: &str,
    expr: &Expr,
    words: &[(&str, T)],
    form: &CallForm<T>,
) -> syn::Result<T> {
    if let Expr::Call(call) = expr {
        let mut values = call.args.iter();
        let name = bare_word(&call.func);
        if let (Some(value), None) = (values.next(), values.next()) {
            if name.as_deref() == Some(form.word) {
                return (form.read)(value.clone());
            }
        }
    }
    read_choice(key, expr, words, Some(form))
}

fn read_choice<T: Clone>(
    key: &str,
    expr: &Expr,
    words: &[(&str, T)],
    form: Option<&CallForm<T>>,
) -> syn::Result<T> {
    let quoted = quoted_word(expr);
    if let Some((_, found)) = words.iter().find(|(word, _)| quoted.as_deref() == Some(*word)) {
        return Ok(found.clone());
    }
    unquoted(key, expr, words)?;
    // As written in the source: in quotes, or with a value in parentheses.
    let mut options: Vec<(&str, String)> =
        words.iter().map(|(word, _)| (*word, format!("\"{word}\""))).collect();
    options
        .extend(form.map(|CallForm { word, example, .. }| (*word, format!("{word}({example})"))));
    let written = quoted.clone().or_else(|| bare_word(expr)).or_else(|| match expr {
        Expr::Call(call) => bare_word(&call.func),
        _ => None,
    });
    if let (Some(form), Some(written)) = (form, &written) {
        if written == form.word {
            let CallForm { word, example, .. } = form;
            return error(
                expr,
                format!("`{word}` needs a value: write `{key} = {word}({example})`"),
            );
        }
    }
    let known: Vec<&str> = options.iter().map(|(word, _)| *word).collect();
    let near = written.and_then(|written| nearest(&written.to_lowercase(), &known));
    let hint = if let Some((_, option)) = options.iter().find(|(word, _)| Some(*word) == near) {
        format!("did you mean `{key} = {option}`?")
    } else {
        let options: Vec<String> =
            options.iter().map(|(_, option)| format!("`{option}`")).collect();
        format!("expected one of {}", options.join(", "))
    };
    match quoted {
        Some(quoted) => error(expr, format!("unknown value `\"{quoted}\"` of `{key}`; {hint}")),
        None => error(expr, hint),
    }
}

/// Reports a word of a choice without quotes.
pub(crate) fn unquoted<T>(key: &str, expr: &Expr, words: &[(&str, T)]) -> syn::Result<()> {
    match bare_word(expr).filter(|word| words.iter().any(|(name, _)| name == word)) {
        Some(word) => error(expr, format!("a choice needs quotes: write `{key} = \"{word}\"`")),
        None => Ok(()),
    }
}

fn quoted_word(expr: &Expr) -> Option<String> {
    match literal(expr)? {
        Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

/// Returns a word without quotes, keywords included.
fn bare_word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Continue(next) if next.label.is_none() => Some("continue".to_owned()),
        Expr::Return(last) if last.expr.is_none() => Some("return".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    const WORDS: &[(&str, u32)] = &[("rerun", 1), ("return", 2)];

    const WAIT: CallForm<u32> = CallForm { word: "wait", example: "\"5s\"", read: |_| Ok(3) };

    fn read(value: TokenStream) -> Result<u32, String> {
        let expr = syn::parse2(value).expect("an expression");
        choice_or_call("key", &expr, WORDS, &WAIT).map_err(|error| error.to_string())
    }

    #[test]
    fn choices_are_quoted_words_or_calls_with_a_value() {
        assert_eq!(read(quote!("rerun")), Ok(1));
        assert_eq!(read(quote!("return")), Ok(2));
        assert_eq!(read(quote!(wait("5s"))), Ok(3));
    }

    #[test]
    fn bare_words_get_their_quotes_as_the_fix() {
        let message = |value| read(value).expect_err("a mistake");
        for word in [quote!(rerun), quote!(return)] {
            let fix = format!("a choice needs quotes: write `key = \"{word}\"`");
            assert_eq!(message(word), fix);
        }
        let fix = "`wait` needs a value: write `key = wait(\"5s\")`";
        for value in [quote!(wait), quote!("wait"), quote!(wait())] {
            assert_eq!(message(value), fix);
        }
    }

    #[test]
    fn unknown_words_get_the_nearest_word_or_the_list() {
        let message = |value| read(value).expect_err("a mistake");
        assert_eq!(message(quote!(rerum)), "did you mean `key = \"rerun\"`?");
        assert_eq!(message(quote!(wiat("5s"))), "did you mean `key = wait(\"5s\")`?");
        let list = "expected one of `\"rerun\"`, `\"return\"`, `wait(\"5s\")`";
        assert_eq!(message(quote!(7)), list);
        assert_eq!(message(quote!("never")), format!("unknown value `\"never\"` of `key`; {list}"));
    }
}
