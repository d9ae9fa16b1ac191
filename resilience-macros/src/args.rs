//! What stands between the parentheses of an attribute: `key`, `key = value`, `key(a, b)`.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Lit, Path, Token, token};

use crate::diagnostics::Errors;
use crate::hint::{Hint, nearest};
use crate::tokens::mentions;

/// What messages about the arguments have to know of the attribute.
#[derive(Clone, Copy)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    /// The key that a first value without one belongs to.
    pub(crate) first: Option<&'static str>,
    /// A key with its value.
    pub(crate) example: &'static str,
    /// The key for a policy that was made by hand.
    pub(crate) by_hand: &'static str,
    /// The keys whose values stand in parentheses: `key(a.b, c)`.
    pub(crate) lists: &'static [&'static str],
}

/// The arguments of one attribute. What nobody has taken by the end is an unknown key.
pub(crate) struct Args {
    about: About,
    args: Vec<Arg>,
    /// The keys that are written, rightly or not.
    written: Vec<Ident>,
    /// Whether an argument could not be read.
    broken: bool,
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
    /// `key(a.b, c)`, for a key that takes such a list
    List(Vec<Expr>),
}

impl Args {
    /// Reads all arguments. One that cannot be read is reported and left out, and reading goes on
    /// behind the next comma.
    pub(crate) fn parse(
        about: About,
        tokens: TokenStream,
        variables: Vec<Ident>,
        errors: &mut Errors,
    ) -> Self {
        let About { name: attribute, first, .. } = about;
        let mut args: Vec<Arg> = Vec::new();
        let mut broken = false;
        let read = |input: ParseStream<'_>| {
            if let Some(key) = first.filter(|_| is_value(input)) {
                let arg = Arg::unnamed(key, input);
                args.extend(errors.keep(arg));
                input.parse::<Option<Token![,]>>()?;
            }
            while !input.is_empty() {
                let arg = Arg::parse(input, about);
                match arg.and_then(|arg| end_of_argument(input).map(|()| arg)) {
                    Ok(arg) if args.iter().any(|other| other.key == arg.key) => {
                        errors
                            .add(&arg.key, format!("duplicate `{}` in `#[{attribute}]`", arg.key));
                    }
                    Ok(arg) => args.push(arg),
                    Err(error) => {
                        broken = true;
                        errors.push(error);
                    }
                }
                while !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
                    input.parse::<TokenTree>()?;
                }
            }
            Ok(())
        };
        let end = read.parse2(tokens);
        errors.keep(end);
        let written = args.iter().map(|arg| arg.key.clone()).collect();
        Self { about, args, written, broken, known: Vec::new(), variables }
    }

    /// The arguments as far as they can be read: what is wrong with them is told elsewhere.
    pub(crate) fn unchecked(tokens: &TokenStream) -> Self {
        let about = About { name: "", first: None, example: "", by_hand: "", lists: &[] };
        let mut unread = Errors::at(Span::call_site());
        Self::parse(about, tokens.clone(), Vec::new(), &mut unread)
    }

    /// Whether one of these keys has a value that names one of `names`. What cannot be read names
    /// nothing.
    pub(crate) fn mention(tokens: &TokenStream, keys: &[&str], names: &[Ident]) -> bool {
        if keys.is_empty() || tokens.is_empty() {
            return false;
        }
        let args = Self::unchecked(tokens).args;
        args.iter().any(|Arg { key, value }| match value {
            Value::Expr(value) => {
                keys.iter().any(|later| key == later) && mentions(&value.to_token_stream(), names)
            }
            Value::Bare | Value::Names(_) | Value::List(_) => false,
        })
    }

    /// Takes the argument named `key`, where it is given.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Arg> {
        self.known.push(key);
        let index = self.args.iter().position(|arg| arg.key == key)?;
        Some(self.args.swap_remove(index))
    }

    /// Whether none of these keys is written, and nothing that may have been meant for one.
    pub(crate) fn lack(&self, keys: &[&str]) -> bool {
        let is_written = |key: &&str| self.written.iter().any(|written| written == key);
        !self.broken && self.args.is_empty() && !keys.iter().any(is_written)
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
            Value::Bare | Value::Names(_) | Value::List(_) => {
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
        let value = self.value(key, errors, read);
        // It is not written with its key.
        self.known.retain(|known| *known != key);
        if value.is_none() && self.lack(&[key]) {
            errors.whole(format!("`#[{}]` needs a value: `{example}`", self.about.name));
        }
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
        let by_hand = self.about.by_hand;
        let value = self.value(key, errors, |expr| {
            if mentions(&expr.to_token_stream(), &variables) {
                let message = format!(
                    "`{key}` must be known at compile time; what is known at run time comes as a \
                     policy: `{by_hand} = …`"
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
        let Self { about: About { name: attribute, .. }, args, known, .. } = self;
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

    fn parse(input: ParseStream<'_>, about: About) -> syn::Result<Self> {
        let About { example, first, lists, .. } = about;
        if !input.peek(Ident::peek_any) {
            let once = first.map_or("", |_| "; only one value stands without, in the first place");
            let message = format!("expected a key, like `{example}`{once}");
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
            if lists.iter().any(|list| key == list) {
                let list =
                    Punctuated::<Expr, Token![,]>::parse_terminated.parse2(group.stream())?;
                return Ok(Self { key, value: Value::List(list.into_iter().collect()) });
            }
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
            let message = format!("keys are written with underscores: `{key}_…`");
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

/// Whether the next argument is a value and no key.
fn is_value(input: ParseStream<'_>) -> bool {
    let is_key = input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    !input.is_empty() && !is_key
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
