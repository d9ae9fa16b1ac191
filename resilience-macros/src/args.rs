//! The arguments of an attribute: `key`, `key = value`, `key(a, b)`.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use resilience_rules::hints::hint;
use resilience_rules::{nearest, settings};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, Path, Token, token};

use crate::diagnostics::Errors;
use crate::manifest;
use crate::tokens::mentions;
use crate::value;

/// The facts about an attribute for parsing and for messages.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// The key of a first value written without a key.
    pub(crate) positional_key: Option<&'static str>,
    /// A key with a value.
    pub(crate) example: &'static str,
    /// The key for a policy made by hand.
    pub(crate) policy_key: Option<&'static str>,
    /// The keys with a list of expressions in parentheses: `key(a.b, c)`.
    pub(crate) list_keys: &'static [&'static str],
}

/// The arguments of one attribute. Arguments left at the end have unknown keys.
pub(crate) struct Args {
    spec: Spec,
    args: Vec<Arg>,
    /// The keys in the source, valid or not.
    written: Vec<Ident>,
    /// Whether an argument had a syntax error.
    broken: bool,
    /// The requested keys, in the order of the requests.
    known: Vec<&'static str>,
    /// The names of run-time values, forbidden in constants.
    variables: Vec<Ident>,
}

/// One argument. Messages point at the key.
struct Arg {
    key: Ident,
    value: Value,
}

/// The value of a key, as written.
pub(crate) enum Value {
    /// `key`
    Bare,
    /// `key = value`
    Expr(Expr),
    /// `key(a, b)`
    Names(Vec<Ident>),
    /// `key(a.b, c)`, for a key with a list of expressions
    List(Vec<Expr>),
}

impl Value {
    /// Returns the value of `key = value`.
    pub(crate) fn expression(self, key: &Ident) -> syn::Result<Expr> {
        match self {
            Self::Expr(value) => Ok(value),
            Self::Bare | Self::Names(_) | Self::List(_) => {
                Err(syn::Error::new_spanned(key, format!("`{key}` needs a value: `{key} = …`")))
            }
        }
    }
}

/// A value with its key.
#[derive(Clone)]
pub(crate) struct Keyed<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

/// Returns the value of a key, if the key is given.
pub(crate) fn value_of<T>(keyed: Option<&Keyed<T>>) -> Option<&T> {
    keyed.map(|keyed| &keyed.value)
}

/// Returns whether a constant needs the result of a function without arguments, such as
/// `limit()` or `settings().deadline`: most such functions read a value at run time. A function
/// with arguments, such as `ms(5)`, computes a constant. An expression in braces is taken as
/// written.
fn reads_a_value(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => {
            let is_duration = |path: &syn::ExprPath| {
                let mut segments = path.path.segments.iter().rev();
                segments.nth(1).is_some_and(|of| of.ident == "Duration")
            };
            let is_known = matches!(&*call.func, Expr::Path(path) if is_duration(path));
            call.args.is_empty() && !is_known || call.args.iter().any(reads_a_value)
        }
        Expr::MethodCall(call) => {
            reads_a_value(&call.receiver) || call.args.iter().any(reads_a_value)
        }
        Expr::Field(field) => reads_a_value(&field.base),
        Expr::Binary(binary) => reads_a_value(&binary.left) || reads_a_value(&binary.right),
        Expr::Paren(inner) => reads_a_value(&inner.expr),
        Expr::Cast(cast) => reads_a_value(&cast.expr),
        _ => false,
    }
}

/// Reports an expression with a run-time value. `instead` is the end of the message.
fn known(key: &str, expr: &Expr, variables: &[Ident], instead: &str) -> syn::Result<()> {
    if !mentions(&expr.to_token_stream(), variables) {
        return Ok(());
    }
    let message = format!("`{key}` must be known at compile time{instead}");
    Err(syn::Error::new_spanned(expr, message))
}

impl Args {
    /// Parses all arguments. An argument with a syntax error is reported and left out, and parsing
    /// continues after the next comma.
    pub(crate) fn parse(
        spec: Spec,
        tokens: TokenStream,
        variables: Vec<Ident>,
        errors: &mut Errors,
    ) -> Self {
        let Spec { name: attribute, positional_key, .. } = spec;
        let mut args: Vec<Arg> = Vec::new();
        let mut broken = false;
        let parse = |input: ParseStream<'_>| {
            if let Some(key) = positional_key.filter(|_| is_value(input)) {
                let arg = Arg::positional(key, input);
                args.extend(errors.keep(arg));
                input.parse::<Option<Token![,]>>()?;
            }
            while !input.is_empty() {
                let arg = Arg::parse(input, spec);
                match arg.and_then(|arg| end_of_argument(input).map(|()| arg)) {
                    Ok(arg) if args.iter().any(|other| other.key == arg.key) => {
                        errors.add(
                            &arg.key,
                            format!("duplicate `{}` in `#[{attribute}]`; remove it", arg.key),
                        );
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
        let end = parse.parse2(tokens);
        errors.keep(end);
        let written = args.iter().map(|arg| arg.key.clone()).collect();
        Self { spec, args, written, broken, known: Vec::new(), variables }
    }

    /// Parses the arguments and ignores mistakes: the expansion of the attribute reports them.
    pub(crate) fn unchecked(tokens: &TokenStream) -> Self {
        let spec =
            Spec { name: "", positional_key: None, example: "", policy_key: None, list_keys: &[] };
        let mut unread = Errors::at(Span::call_site());
        Self::parse(spec, tokens.clone(), Vec::new(), &mut unread)
    }

    /// Returns the names that the values of these keys mention.
    pub(crate) fn mentioned(tokens: &TokenStream, keys: &[&str], names: &[Ident]) -> Vec<Ident> {
        if keys.is_empty() || tokens.is_empty() {
            return Vec::new();
        }
        let args = Self::unchecked(tokens).args;
        let values: TokenStream = args
            .iter()
            .filter(|arg| keys.iter().any(|key| arg.key == key))
            .filter_map(|arg| match &arg.value {
                Value::Expr(value) => Some(value.to_token_stream()),
                Value::Bare | Value::Names(_) | Value::List(_) => None,
            })
            .collect();
        let is_mentioned = |name: &&Ident| mentions(&values, std::slice::from_ref(name));
        names.iter().filter(is_mentioned).cloned().collect()
    }

    /// Returns whether the arguments have any of these keys.
    pub(crate) fn has_any(tokens: &TokenStream, keys: &[&str]) -> bool {
        if keys.is_empty() || tokens.is_empty() {
            return false;
        }
        Self::unchecked(tokens).args.iter().any(|arg| keys.iter().any(|key| arg.key == key))
    }

    fn take(&mut self, key: &'static str) -> Option<Arg> {
        self.known.push(key);
        let index = self.args.iter().position(|arg| arg.key == key)?;
        Some(self.args.swap_remove(index))
    }

    /// Returns whether the attribute has none of these keys and no unknown key, which may be a
    /// misspelling.
    pub(crate) fn lacks(&self, keys: &[&str]) -> bool {
        let is_written = |key: &&str| self.written.iter().any(|written| written == key);
        !self.broken && self.args.is_empty() && !keys.iter().any(is_written)
    }

    /// Takes an argument of any form and reads its value.
    pub(crate) fn argument<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(&Ident, Value) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        let Arg { key, value } = self.take(key)?;
        let value = errors.keep(read(&key, value))?;
        Some(Keyed { key, value })
    }

    /// Takes `key = value` and reads the value.
    pub(crate) fn value<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        self.argument(key, errors, |key, value| read(value.expression(key)?))
    }

    /// Takes the required first value, written without a key. `example` shows a use.
    pub(crate) fn positional<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        example: &str,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        let value = self.value(key, errors, read);
        // Lists of keys leave out the key: the source never contains it.
        self.known.retain(|known| *known != key);
        if value.is_none() && self.lacks(&[key]) {
            errors.on_attribute(format!("`#[{}]` needs a value: `{example}`", self.spec.name));
        }
        value
    }

    /// Takes `key = value` and reads a value known at compile time.
    pub(crate) fn constant<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        self.known_value(key, errors, reads_a_value, read)
    }

    /// Takes `key = value` and reads a value known at compile time that may have the form of a
    /// call, such as `wait("5s")`.
    pub(crate) fn form<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        self.known_value(key, errors, |_| false, read)
    }

    /// Takes `key = value` and reads a value without run-time values. `is_unclear` finds values
    /// that need braces.
    fn known_value<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        is_unclear: impl FnOnce(&Expr) -> bool,
        read: impl FnOnce(Expr) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        let instead = self.at_run_time(key);
        self.with_variables(|args, variables| {
            args.value(key, errors, |expr| {
                known(key, &expr, variables, &instead)?;
                if is_unclear(&expr) {
                    let message = format!(
                        "`{key}` must be known at compile time, and the result of a call may not be; for \
                         a `const fn` add braces: `{key} = {{ … }}`{instead}"
                    );
                    return Err(syn::Error::new_spanned(expr, message));
                }
                read(expr)
            })
        })
    }

    /// Takes an argument of any form and reads its value. The expressions that `is_constant`
    /// selects have no run-time values.
    pub(crate) fn partly_known<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        is_constant: impl FnOnce(&Expr) -> bool,
        read: impl FnOnce(&Ident, Value) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        let instead = self.at_run_time(key);
        self.with_variables(|args, variables| {
            args.argument(key, errors, |ident, value| {
                match &value {
                    Value::Expr(expr) if is_constant(expr) => {
                        known(key, expr, variables, &instead)?;
                    }
                    _ => {}
                }
                read(ident, value)
            })
        })
    }

    /// Takes an argument whose value is a literal: a text, a choice or a switch.
    pub(crate) fn literal<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(&Ident, Value) -> syn::Result<T>,
    ) -> Option<Keyed<T>> {
        self.with_variables(|args, variables| {
            args.argument(key, errors, |ident, value| {
                let mentioned = match &value {
                    Value::Expr(expr) => Some(expr.to_token_stream()),
                    _ => None,
                };
                let mentioned = mentioned.filter(|expr| mentions(expr, variables));
                read(ident, value).map_err(|mistake| match mentioned {
                    Some(expr) => syn::Error::new_spanned(
                        expr,
                        format!("`{key}` must be known at compile time; {mistake}"),
                    ),
                    None => mistake,
                })
            })
        })
    }

    /// Takes `key = expr`: the key of a call. A text with the name of an argument is reported.
    pub(crate) fn key(&mut self, key: &'static str, errors: &mut Errors) -> Option<Keyed<Expr>> {
        self.with_variables(|args, variables| {
            args.value(key, errors, |expr| {
                let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &expr else { return Ok(expr) };
                let text = text.value();
                let meant = text.trim_matches(['{', '}']);
                let meant = syn::parse_str::<Expr>(meant).ok();
                match meant.filter(|meant| mentions(&meant.to_token_stream(), variables)) {
                    Some(_) => Err(syn::Error::new_spanned(
                        expr,
                        format!(
                            "a text in quotes is one key for all calls; did you mean \
                             `{key} = {}`?",
                            text.trim_matches(['{', '}'])
                        ),
                    )),
                    None => Ok(expr),
                }
            })
        })
    }

    /// Runs a function with the names of run-time values.
    fn with_variables<T>(&mut self, run: impl FnOnce(&mut Self, &[Ident]) -> T) -> T {
        let variables = std::mem::take(&mut self.variables);
        let result = run(self, &variables);
        self.variables = variables;
        result
    }

    /// Returns the end of a message about a constant: the ways to a value known at run time.
    fn at_run_time(&self, key: &str) -> String {
        let Spec { name, policy_key, .. } = self.spec;
        let can_change = settings::keys(name).iter().any(|known| known.name == key);
        // `key` of `#[idempotent]` is the key of the call, and not of a policy.
        let is_per_key = policy_key.is_some_and(|policy| policy != "policy")
            && self.written.iter().any(|written| written == "key");
        match policy_key {
            Some(policy) if is_per_key => format!(
                "; for a value known at run time set the numbers of each key with `settings = …`, or \
                 pass a policy per key: `{policy} = POLICIES.get(key)` with a `Keyed`"
            ),
            Some(policy) => {
                format!("; for a value known at run time pass a policy: `{policy} = …`")
            }
            None if can_change => format!(
                "; to change the value at run time, set `{name}.{key}` by name with \
                 `resilience::control` or in a settings file"
            ),
            None => "; write a literal or a `const`".to_owned(),
        }
    }

    /// Returns whether an expression mentions an argument of the function, or `self`.
    pub(crate) fn mentions_argument(&self, expr: &Expr) -> bool {
        mentions(&expr.to_token_stream(), &self.variables)
    }

    /// Takes `key = value` and reads a hook of a policy. The policy runs the hook outside the call,
    /// without the arguments of the function.
    pub(crate) fn hook(&mut self, key: &'static str, errors: &mut Errors) -> Option<Keyed<Expr>> {
        let policy = self.spec.policy_key.unwrap_or_default();
        self.with_variables(|args, variables| {
            args.value(key, errors, |expr| {
                let (inputs, body) = match &expr {
                    Expr::Closure(closure) => {
                        (closure.inputs.to_token_stream(), closure.body.to_token_stream())
                    }
                    path => (TokenStream::new(), path.to_token_stream()),
                };
                let is_named = |name: &&Ident| {
                    let name = std::slice::from_ref(*name);
                    mentions(&body, name) && !mentions(&inputs, name)
                };
                let Some(name) = variables.iter().find(is_named) else {
                    return value::callable(key, expr);
                };
                let message = format!(
                    "`{key}` belongs to the policy and runs outside the call, so the hook cannot use \
                     `{name}`; for a hook with values of its own pass a policy, `{policy} = …`, made \
                     with `{key}_with`"
                );
                Err(syn::Error::new_spanned(expr, message))
            })
        })
    }

    /// Takes `crate = path`, a key of every attribute: the path of the runtime. Returns `None`
    /// without the key.
    pub(crate) fn root(&mut self, errors: &mut Errors) -> Option<Path> {
        let path = self.value("crate", errors, |value| match value {
            Expr::Path(path) if path.path.leading_colon.is_some() || is_absolute(&path.path) => {
                Ok(path.path)
            }
            other => Err(syn::Error::new_spanned(
                other,
                "`crate` is the absolute path of the runtime, like `crate = ::my_crate::resilience`",
            )),
        });
        // For macros and re-exports: lists of keys leave `crate` out.
        self.known.retain(|known| *known != "crate");
        path.map(|path| path.value)
    }

    /// Reports the remaining arguments.
    pub(crate) fn finish(self, errors: &mut Errors) {
        let Self { spec: Spec { name: attribute, .. }, args, known, .. } = self;
        for Arg { key, value } in args {
            let name = key.to_string();
            let list = known.join("`, `");
            let answer = if let Some(hint) = hint(attribute, &name) {
                let written = match &value {
                    Value::Expr(value) => Some(value.to_token_stream().to_string()),
                    Value::Bare | Value::Names(_) | Value::List(_) => None,
                };
                format!("; {}", hint.for_attribute(written.as_deref()))
            } else if let Some(near) = nearest(&name, &known) {
                format!("; did you mean `{near}`?")
            } else {
                format!("; expected one of `{list}`")
            };
            errors.add(key, format!("`#[{attribute}]` has no `{name}`{answer}"));
        }
    }
}

/// Returns the path of the runtime: as written, or the name in the manifest.
pub(crate) fn runtime(path: Option<Path>) -> TokenStream {
    let default = || {
        let name = Ident::new(&manifest::library_name(), Span::call_site());
        quote!(::#name)
    };
    path.map_or_else(default, |path| path.to_token_stream())
}

impl Arg {
    /// Parses a value without a key.
    fn positional(key: &str, input: ParseStream<'_>) -> syn::Result<Self> {
        let value: Expr = input.parse()?;
        let key = Ident::new(key, value.span());
        Ok(Self { key, value: Value::Expr(ungroup(value)) })
    }

    fn parse(input: ParseStream<'_>, spec: Spec) -> syn::Result<Self> {
        let Spec { example, positional_key, list_keys, .. } = spec;
        if !input.peek(Ident::peek_any) {
            let once =
                positional_key.map_or("", |_| "; only the first value is written without a key");
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
            if list_keys.iter().any(|list| key == list) {
                let list =
                    Punctuated::<Expr, Token![,]>::parse_terminated.parse2(group.stream())?;
                return Ok(Self { key, value: Value::List(list.into_iter().collect()) });
            }
            let names = |input: ParseStream<'_>| {
                Punctuated::<Ident, Token![,]>::parse_terminated_with(input, Ident::parse_any)
            };
            let Ok(names) = names.parse2(group.stream()) else {
                let message =
                    format!("expected plain names in parentheses; for a value write `{key} = …`");
                return Err(syn::Error::new_spanned(group, message));
            };
            Value::Names(names.into_iter().collect())
        } else if input.peek(Token![:]) {
            let message = format!("expected `=` between a key and its value: `{key} = …`");
            return Err(input.error(message));
        } else if input.peek(Token![-]) {
            let message = format!("keys are written with underscores, not hyphens: `{key}_…`");
            return Err(syn::Error::new_spanned(&key, message));
        } else if input.peek(Lit) {
            let message = format!("expected `=` between a key and its value: `{key} = …`");
            return Err(input.error(message));
        } else {
            Value::Bare
        };
        Ok(Self { key, value })
    }
}

/// Returns whether the next argument is a value without a key.
fn is_value(input: ParseStream<'_>) -> bool {
    let is_key = input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    !input.is_empty() && !is_key
}

/// Removes the invisible group around a value passed on by a `macro_rules!` macro.
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
