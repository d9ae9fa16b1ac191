//! The helper attributes of `#[derive(Classify)]`, with their arguments.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use resilience_rules::nearest;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Index, Lit, LitInt, Member, Meta, Token};

use crate::diagnostics::Errors;
use crate::tokens::respan;
use crate::value;

/// The meaning of a helper attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Transient,
    Throttled,
    Permanent,
    Forward,
}

/// The helper attributes.
pub(super) const HELPERS: &[(&str, Class)] = &[
    ("transient", Class::Transient),
    ("throttled", Class::Throttled),
    ("permanent", Class::Permanent),
    ("forward", Class::Forward),
];

/// The values of `effect`, each with the variant of the runtime.
const EFFECTS: &[(&str, &str)] = &[
    ("not_sent", "NotSent"),
    ("refused", "Refused"),
    ("unknown", "Unknown"),
    ("applied", "Applied"),
];

/// A helper attribute with its arguments: `transient(effect = "not_sent")`,
/// `throttled(retry_after)`, `forward(source, with = classify, after = retry_after)`.
#[derive(Clone)]
pub(super) struct Helper {
    pub(super) name: Ident,
    pub(super) class: Class,
    pub(super) field: Option<Member>,
    effect: Option<&'static str>,
    /// The function from the field to the class.
    pub(super) with: Option<Expr>,
    /// The field with the delay that the server asked for.
    pub(super) after: Option<Member>,
}

impl Helper {
    /// Finds the helper attribute above an item. A wrong attribute is reported and ignored.
    pub(super) fn find(attrs: &[Attribute], errors: &mut Errors) -> Option<Self> {
        let mut helpers = attrs.iter().filter_map(|attribute| Some((attribute, class(attribute)?)));
        let (first, class) = helpers.next()?;
        for (other, _) in helpers {
            errors.add(other, "duplicate class; remove all but one of the helper attributes");
        }
        errors.keep(Self::parse(first, class))
    }

    fn parse(attribute: &Attribute, class: Class) -> syn::Result<Self> {
        let name = attribute.path().require_ident()?.clone();
        let mut helper = Self { name, class, field: None, effect: None, with: None, after: None };
        if let Meta::NameValue(value) = &attribute.meta {
            let answer = match class {
                Class::Throttled => format!("{DELAY_FIELD}; {FIXED_DELAY}"),
                _ => format!("write `#[{}]`", helper.name),
            };
            return Err(syn::Error::new_spanned(&value.value, answer));
        }
        if !matches!(attribute.meta, Meta::Path(_)) {
            attribute.parse_args_with(|input: ParseStream<'_>| helper.arguments(input))?;
        }
        Ok(helper)
    }

    fn arguments(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            if input.peek(syn::Ident) && input.peek2(Token![=]) {
                self.keyed(input)?;
            } else {
                self.named_field(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    /// Reads `key = value`.
    fn keyed(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let key: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let forwards = self.class == Class::Forward;
        let word = key.to_string();
        let is_given = match word.as_str() {
            "effect" => self.effect.is_some(),
            "with" => self.with.is_some(),
            "after" => self.after.is_some(),
            _ => false,
        };
        if is_given {
            let message = format!("duplicate `{key}` in `#[{}]`; remove it", self.name);
            return Err(syn::Error::new_spanned(key, message));
        }
        match word.as_str() {
            "effect" if !forwards => {
                self.effect = Some(value::choice("effect", &input.parse()?, EFFECTS)?);
            }
            "with" if forwards => self.with = Some(with(input.parse()?)?),
            "after" if forwards => self.after = Some(input.parse::<FieldName>()?.0),
            _ => {
                let answer = self.answer_to_key(&key, &input.parse()?);
                let message = format!("`#[{}]` has no `{key}`; {answer}", self.name);
                return Err(syn::Error::new_spanned(key, message));
            }
        }
        Ok(())
    }

    /// Returns the fix for an unknown key with this value.
    fn answer_to_key(&self, key: &Ident, value: &Expr) -> String {
        let name = key.to_string();
        let of_forward = ["with", "after"];
        let known: &[&str] = if self.class == Class::Forward { &of_forward } else { &["effect"] };
        if let Some(near) = nearest(&name, known) {
            return format!("did you mean `{near}`?");
        }
        match (self.class, field_of(value)) {
            (Class::Forward, _) if matches!(value, Expr::Path(_) | Expr::Closure(_)) => {
                let function = value.to_token_stream().to_string().replace(" :: ", "::");
                format!("a function that returns the class is `with = {function}`")
            }
            (Class::Forward, _) if name == "effect" => "remove it".to_owned(),
            (Class::Forward, _) => "expected one of `with`, `after`".to_owned(),
            (Class::Throttled, Some(field)) => {
                format!("a field with the delay has no key: write `#[throttled({field})]`")
            }
            (Class::Throttled, None) => format!("{DELAY_FIELD}; {FIXED_DELAY}"),
            _ if name == "with" => {
                "write `#[forward(with = classify)]` for a function that returns the class"
                    .to_owned()
            }
            _ => "remove it".to_owned(),
        }
    }

    /// Reads the name of a field.
    fn named_field(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let Ok(FieldName(field)) = input.fork().parse::<FieldName>() else {
            let written: Expr = input.parse()?;
            let answer = match (self.class, field_of(&written)) {
                (Class::Transient | Class::Permanent, _) => self.no_field(&written),
                (_, Some(field)) => {
                    format!("write the name of the field: `#[{}({field})]`", self.name)
                }
                (Class::Throttled, None) => format!("{DELAY_FIELD}; {FIXED_DELAY}"),
                (Class::Forward, None) => {
                    "expected the name of a field, like `#[forward(source)]`".to_owned()
                }
            };
            return Err(syn::Error::new_spanned(written, answer));
        };
        input.parse::<FieldName>()?;
        if matches!(self.class, Class::Transient | Class::Permanent) {
            let message = self.no_field(&field);
            return Err(syn::Error::new_spanned(field, message));
        }
        if let Some(first) = &self.field {
            let (first, second) = (first.to_token_stream(), field.to_token_stream());
            let name = &self.name;
            let message = format!("`#[{name}]` takes one field; remove `{first}` or `{second}`");
            return Err(syn::Error::new_spanned(second, message));
        }
        self.field = Some(field);
        Ok(())
    }

    /// Returns the message for a class without a field.
    fn no_field(&self, written: &impl ToTokens) -> String {
        let word = written.to_token_stream().to_string();
        let word = word.trim_matches('"');
        let name = &self.name;
        match EFFECTS.iter().find(|(effect, _)| *effect == word) {
            Some((effect, _)) => {
                format!("write the key of the word: `#[{name}(effect = \"{effect}\")]`")
            }
            None => format!(
                "`#[{name}]` takes no field; write `#[throttled(field)]` to take a delay from a field"
            ),
        }
    }

    /// Returns the class as the default of an enum, and reports fields: a default has none.
    pub(super) fn into_default(self, errors: &mut Errors) -> Option<Self> {
        let Self { name, field, with, after, .. } = &self;
        let Some(first) = field.as_ref().or(after.as_ref()) else { return Some(self) };
        let written = [
            field.as_ref().map(|field| field.to_token_stream().to_string()),
            with.as_ref().map(|_| "with = …".to_owned()),
            after.as_ref().map(|after| format!("after = {}", after.to_token_stream())),
        ];
        let written: Vec<String> = written.into_iter().flatten().collect();
        let list = written.join(", ");
        errors.add(
            first,
            format!(
                "`#[{name}]` above an enum cannot name a field of a variant; write `#[{name}({list})]` \
                 above each variant with this field"
            ),
        );
        None
    }

    /// Returns the class as an expression, with the span of the field for type errors.
    pub(super) fn generate(&self, root: &TokenStream, at: Span) -> TokenStream {
        let Self { name, class, field, effect, with, after } = self;
        let there = respan(root.clone(), at);
        let delay = field
            .as_ref()
            .map(|_| quote_spanned!(at=> #there::__private::RetryDelay::retry_delay(value)));
        let delay = delay.unwrap_or_else(|| quote!(::core::option::Option::None));
        let class = match class {
            Class::Forward => {
                let class = with.as_ref().map_or_else(
                    || quote_spanned!(at=> #there::__private::forwarded(value)),
                    |with| {
                        let here = respan(root.clone(), with.span());
                        let value = quote_spanned!(at=> value);
                        let with = value::called(with.clone());
                        quote_spanned!(with.span()=> #here::__private::class_of(#value, #with))
                    },
                );
                return match after {
                    Some(member) => {
                        let delay = quote_spanned!(member.span()=> &*after);
                        quote!(#root::__private::with_delay(#class, #delay))
                    }
                    None => class,
                };
            }
            Class::Throttled => quote!(#root::FailureClass::throttled(#delay)),
            Class::Transient | Class::Permanent => quote!(#root::FailureClass::#name()),
        };
        match effect {
            Some(effect) => {
                let effect = format_ident!("{effect}");
                quote!(#class.effect(#root::Effect::#effect))
            }
            None => class,
        }
    }
}

/// A field by name or number.
struct FieldName(Member);

impl Parse for FieldName {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitInt) {
            let number: LitInt = input.parse()?;
            let index = Index { index: number.base10_parse()?, span: number.span() };
            return Ok(Self(Member::Unnamed(index)));
        }
        input.parse().map(Member::Named).map(Self)
    }
}

/// Returns the name of a field in another form: `"retry_after"`, `self.retry_after`, or a path.
fn field_of(written: &Expr) -> Option<String> {
    match written {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => Some(field.member.to_token_stream().to_string()),
        Expr::Reference(lent) => field_of(&lent.expr),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            text.parse::<Ident>().ok().map(|name| name.to_string())
        }
        _ => None,
    }
}

const DELAY_FIELD: &str = "the delay of the server stands in a field: write `#[throttled(field)]`";

const FIXED_DELAY: &str = "for a delay that is always the same implement `Classify` by hand, with \
                           `FailureClass::throttled(Some(delay))`";

/// Reads the function of `with`: any expression except a literal.
fn with(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(literal) => Err(syn::Error::new_spanned(
            literal,
            "expected a path or a closure, like `with = resilience::http::classify`",
        )),
        function => Ok(function),
    }
}

/// Returns the class of a helper attribute; `None` for another attribute.
pub(super) fn class(attribute: &Attribute) -> Option<Class> {
    let (_, class) = HELPERS.iter().find(|(name, _)| attribute.path().is_ident(name))?;
    Some(*class)
}
