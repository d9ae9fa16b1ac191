//! What stands between the parentheses of an attribute: `key`, `key = value`, `key(a, b)`.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Lit, Path, Token, token};

use crate::diagnostics::Errors;
use crate::tokens::mentions;

/// The arguments of one attribute. What nobody has taken by the end is an unknown key.
pub(crate) struct Args {
    attribute: &'static str,
    args: Vec<Arg>,
    /// Every key that was asked for, in the order of asking.
    known: Vec<&'static str>,
    /// The names that a constant cannot mention.
    variables: Vec<Ident>,
}

/// One argument, with its key kept so that messages can point at it.
pub(crate) struct Arg {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// The value of a key, as written.
pub(crate) enum Value {
    /// `key`
    Bare,
    /// `key = value`
    Expr(Expr),
    /// `key(a, b)`
    Names(Vec<Ident>),
}

impl Args {
    /// Reads all arguments. One that cannot be read is reported and left out, and reading goes on
    /// behind the next comma.
    pub(crate) fn parse(
        attribute: &'static str,
        first: Option<&'static str>,
        tokens: TokenStream,
        variables: Vec<Ident>,
        errors: &mut Errors,
    ) -> Self {
        let mut args: Vec<Arg> = Vec::new();
        let read = |input: ParseStream<'_>| {
            if let Some(key) = first.filter(|_| is_value(input)) {
                let arg = Arg::unnamed(key, input);
                args.extend(errors.keep(arg));
                input.parse::<Option<Token![,]>>()?;
            }
            while !input.is_empty() {
                match input.parse::<Arg>().and_then(|arg| end_of_argument(input).map(|()| arg)) {
                    Ok(arg) if args.iter().any(|other| other.key == arg.key) => {
                        errors
                            .add(&arg.key, format!("duplicate `{}` in `#[{attribute}]`", arg.key));
                    }
                    Ok(arg) => args.push(arg),
                    Err(error) => errors.push(error),
                }
                while !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
                    input.parse::<TokenTree>()?;
                }
            }
            Ok(())
        };
        let end = read.parse2(tokens);
        errors.keep(end);
        Self { attribute, args, known: Vec::new(), variables }
    }

    /// Whether one of these keys has a value that names one of `names`. What cannot be read names
    /// nothing.
    pub(crate) fn mention(tokens: &TokenStream, keys: &[&str], names: &[Ident]) -> bool {
        if keys.is_empty() || tokens.is_empty() {
            return false;
        }
        let mut unread = Errors::default();
        let args = Self::parse("", None, tokens.clone(), Vec::new(), &mut unread).args;
        args.iter().any(|Arg { key, value }| match value {
            Value::Expr(value) => {
                keys.iter().any(|later| key == later) && mentions(&value.to_token_stream(), names)
            }
            Value::Bare | Value::Names(_) => false,
        })
    }

    /// Takes the argument named `key`, where it is given.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Arg> {
        self.known.push(key);
        let index = self.args.iter().position(|arg| arg.key == key)?;
        Some(self.args.swap_remove(index))
    }

    /// Whether there is an argument that nobody has taken: perhaps a key that was misspelt.
    pub(crate) fn has_unread(&self) -> bool {
        !self.args.is_empty()
    }

    /// Takes `key = value` and reads the value.
    pub(crate) fn value<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        let arg = self.take(key)?;
        match arg.value {
            Value::Expr(value) => {
                let value = errors.keep(read(value))?;
                Some(Keyed { key: arg.key, value })
            }
            Value::Bare | Value::Names(_) => {
                errors.add(&arg.key, format!("`{key}` needs a value: `{key} = …`"));
                None
            }
        }
    }

    /// Takes the value that stands first and alone; there must be one, like in `example`.
    pub(crate) fn first<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        example: &str,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        let given = self.args.iter().any(|arg| arg.key == key);
        let value = self.value(key, errors, read);
        if !given {
            let attribute = Ident::new(self.attribute, proc_macro2::Span::call_site());
            errors.add(attribute, format!("`#[{}]` needs a value: `{example}`", self.attribute));
        }
        // It is not written with its key.
        self.known.retain(|known| *known != key);
        value
    }

    /// Takes `key = value` and reads a value that must be known at compile time.
    pub(crate) fn constant<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        let variables = std::mem::take(&mut self.variables);
        let value = self.value(key, errors, |expr| {
            if mentions(&expr.to_token_stream(), &variables) {
                let message = format!(
                    "`{key}` must be known at compile time; what is known at run time comes as a \
                     policy: `policy = …`"
                );
                return Err(syn::Error::new_spanned(expr, message));
            }
            read(expr)
        });
        self.variables = variables;
        value
    }

    /// Takes `crate = path`, which every attribute has: where generated code finds the runtime.
    /// `::resilience` where it is not given.
    pub(crate) fn root(&mut self, errors: &mut Errors) -> TokenStream {
        let path = self.value("crate", errors, |value| match value {
            Expr::Path(path) if path.path.leading_colon.is_some() || is_absolute(&path.path) => {
                Ok(path.path)
            }
            other => Err(syn::Error::new_spanned(
                other,
                "`crate` is the absolute path of the runtime, like `crate = ::my_crate::resilience`",
            )),
        });
        // It exists for macros and re-exports; a list of keys for people does not name it.
        self.known.retain(|known| *known != "crate");
        runtime(path.map(|path| path.value))
    }

    /// Reports what nobody has taken. `hints` answers the names that other libraries use.
    pub(crate) fn finish(self, hints: &[(&str, Hint)], errors: &mut Errors) {
        let Self { attribute, args, known, .. } = self;
        for Arg { key, value } in args {
            let name = key.to_string();
            let list = known.join("`, `");
            let answer = if let Some((_, hint)) = hints.iter().find(|(other, _)| *other == name) {
                format!(": {}", hint.words(&value))
            } else if let Some(near) = nearest(&name, &known) {
                format!("; did you mean `{near}`?")
            } else {
                format!("; its keys are `{list}`")
            };
            errors.add(key, format!("`#[{attribute}]` has no `{name}`{answer}"));
        }
    }
}

/// Where generated code finds the runtime: as written, or where users have it.
pub(crate) fn runtime(path: Option<Path>) -> TokenStream {
    path.map_or_else(|| quote!(::resilience), |path| path.to_token_stream())
}

/// What to say to a name that another library uses.
#[derive(Clone, Copy)]
pub(crate) enum Hint {
    /// Our key for the same value; an example where none is written; what it means.
    Same(&'static str, &'static str, &'static str),
    /// Our key, which counts one more; what it means.
    More(&'static str, &'static str),
    /// Anything else.
    Other(&'static str),
}

impl Hint {
    fn words(self, value: &Value) -> String {
        let written = match value {
            Value::Expr(value) => Some(value.to_token_stream().to_string()),
            Value::Bare | Value::Names(_) => None,
        };
        match self {
            Self::Same(key, example, note) => {
                // A value of another kind, like a number for a time, would not do here either.
                let quoted = |value: &&str| value.starts_with('"') == example.starts_with('"');
                let value = written.as_deref().filter(quoted).unwrap_or(example);
                format!("write `{key} = {value}`, {note}")
            }
            Self::More(key, note) => {
                let value = written.and_then(|value| value.parse::<u32>().ok()).unwrap_or(3);
                format!("write `{key} = {}`, {note}", value.saturating_add(1))
            }
            Self::Other(words) => words.to_owned(),
        }
    }
}

/// A value with its key.
pub(crate) struct Keyed<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

impl Arg {
    /// A value without a key.
    fn unnamed(key: &str, input: ParseStream<'_>) -> syn::Result<Self> {
        let value: Expr = input.parse()?;
        let key = Ident::new(key, value.span());
        Ok(Self { key, value: Value::Expr(ungroup(value)) })
    }
}

/// Whether the next argument is a value and no key.
fn is_value(input: ParseStream<'_>) -> bool {
    let is_key = input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    !input.is_empty() && !is_key
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            let message = "expected a key, like `attempts = 4`";
            return Err(match input.fork().parse::<Expr>() {
                Ok(expr) => syn::Error::new_spanned(expr, message),
                Err(_) => input.error(message),
            });
        }
        let key = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(syn::Error::new_spanned(&key, format!("`{key} =` needs a value")));
            }
            Value::Expr(ungroup(input.parse()?))
        } else if input.peek(token::Paren) {
            let group: Group = input.parse()?;
            let names = |input: ParseStream<'_>| {
                Punctuated::<Ident, Token![,]>::parse_terminated_with(input, Ident::parse_any)
            };
            let Ok(names) = names.parse2(group.stream()) else {
                let message = format!(
                    "only plain names stand in parentheses; a value is written `{key} = …`"
                );
                return Err(syn::Error::new_spanned(group, message));
            };
            Value::Names(names.into_iter().collect())
        } else if input.peek(Token![:]) {
            let message = format!("a key and its value are joined by `=`: `{key} = …`");
            return Err(input.error(message));
        } else if input.peek(Token![-]) {
            let message = "keys are written with underscores, like `base_delay`";
            return Err(syn::Error::new_spanned(&key, message));
        } else if input.peek(Lit) {
            let message = format!("a key and its value are joined by `=`: `{key} = …`");
            return Err(input.error(message));
        } else {
            Value::Bare
        };
        Ok(Self { key, value })
    }
}

/// A value that a `macro_rules!` macro passed on arrives in an invisible group.
fn ungroup(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungroup(*group.expr),
        other => other,
    }
}

fn end_of_argument(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(input.error("expected `,` between two arguments"))
    }
}

fn is_absolute(path: &Path) -> bool {
    path.segments.first().is_some_and(|first| first.ident == "crate" || first.ident == "$crate")
}

/// The known key that is at most two edits away.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let distances = known.iter().map(|key| (edits(name, key), *key));
    let (distance, key) = distances.min_by_key(|(distance, _)| *distance)?;
    // Two edits turn any word of three letters into any other.
    (distance <= 2 && distance * 2 <= key.len().max(name.len())).then_some(key)
}

/// The Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            *cell = (corner + usize::from(from != *to)).min(above + 1).min(left + 1);
            (corner, left) = (above, *cell);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
