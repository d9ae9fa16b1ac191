//! `#[derive(Classify)]`: a helper attribute above each variant gives the class of the variant.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use resilience_rules::nearest;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, Field, Fields, Index, LitInt, Member, Path, Token};

use crate::args::runtime;
use crate::diagnostics::Errors;
use crate::tokens::{mentions, respan};
use crate::value;

/// The meaning of a helper attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Transient,
    Throttled,
    Permanent,
    Forward,
}

/// The helper attributes.
const HELPERS: &[(&str, Class)] = &[
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

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::at(Span::call_site());
    let model = Model::validate(&input, &mut errors);
    let root = root(&input.attrs, &mut errors);
    match errors.into_compile_errors() {
        // An impl prevents further errors at uses of the trait.
        Some(errors) => {
            let fallback =
                Model { arms: Vec::new(), forwarded: Vec::new() }.generate(&input, &root);
            quote!(#errors #fallback)
        }
        None => model.generate(&input, &root),
    }
}

/// The class of each variant.
struct Model {
    arms: Vec<Arm>,
    /// The types with a `Classify` impl for the class.
    forwarded: Vec<TokenStream>,
}

/// A pattern with a class.
struct Arm {
    pattern: TokenStream,
    helper: Helper,
    /// The span of the field, or of the helper attribute without a field.
    at: Span,
}

/// A helper attribute with its arguments: `transient(effect = "not_sent")`,
/// `throttled(retry_after)`, `forward(source, with = classify, after = retry_after)`.
#[derive(Clone)]
struct Helper {
    name: Ident,
    class: Class,
    field: Option<Member>,
    effect: Option<&'static str>,
    /// The function from the field to the class.
    with: Option<Expr>,
    /// The field with the delay that the server asked for.
    after: Option<Member>,
}

impl Model {
    fn validate(input: &DeriveInput, errors: &mut Errors) -> Self {
        let default = Helper::find(&input.attrs, errors);
        let mut model = Self { arms: Vec::new(), forwarded: Vec::new() };
        match &input.data {
            Data::Enum(data) => {
                let default = default.and_then(|default| default.into_default(errors));
                let has_class = |attrs: &[Attribute]| attrs.iter().any(|it| class(it).is_some());
                for variant in &data.variants {
                    let name = &variant.ident;
                    report_classes_of_fields(&variant.fields, "the variant", errors);
                    let helper = Helper::find(&variant.attrs, errors);
                    let default = || default.clone();
                    let Some(helper) = helper.or_else(default) else {
                        if !has_class(&variant.attrs) && !has_class(&input.attrs) {
                            errors.add(
                                name,
                                format!(
                                    "`{name}` has no class; write `#[transient]`, `#[throttled]`, \
                                     `#[permanent]` or `#[forward]` above the variant, or above the \
                                     enum as the default"
                                ),
                            );
                        }
                        continue;
                    };
                    model.add(&quote!(Self::#name), &variant.fields, helper, errors);
                }
            }
            Data::Struct(data) => {
                report_classes_of_fields(&data.fields, "the struct", errors);
                match default {
                    Some(helper) => model.add(&quote!(Self), &data.fields, helper, errors),
                    None => errors.add(
                        &input.ident,
                        "the struct has no class; write `#[transient]`, `#[throttled]`, \
                         `#[permanent]` or `#[forward]` above it",
                    ),
                }
            }
            Data::Union(data) => {
                let message = "`Classify` does not support unions; use an enum or a struct";
                errors.add(data.union_token, message);
            }
        }
        model
    }

    fn add(
        &mut self,
        path: &TokenStream,
        fields: &Fields,
        mut helper: Helper,
        errors: &mut Errors,
    ) {
        if helper.class == Class::Forward && helper.field.is_none() {
            if fields.len() != 1 {
                errors.add(
                    &helper.name,
                    "`#[forward]` needs a field, unless there is exactly one; write \
                     `#[forward(source)]`",
                );
                return;
            }
            helper.field = fields.members().next();
        }
        let Some(member) = &helper.field else {
            let at = helper.name.span();
            return self.arms.push(Arm { pattern: quote!(#path { .. }), helper, at });
        };
        let Some(field) = find(fields, member, errors) else { return };
        if helper.class == Class::Forward && helper.with.is_none() {
            self.forwarded.push(field.ty.to_token_stream());
        }
        let after = match &helper.after {
            Some(after) => {
                let Some(field) = find(fields, after, errors) else { return };
                let after_value = quote_spanned!(field.ty.span()=> after);
                Some(quote!(#after: #after_value,))
            }
            None => None,
        };
        let at = field.ty.span();
        let value = quote_spanned!(at=> value);
        self.arms.push(Arm { pattern: quote!(#path { #member: #value, #after .. }), helper, at });
    }

    fn generate(&self, input: &DeriveInput, root: &TokenStream) -> TokenStream {
        let Self { arms, forwarded } = self;
        let name = &input.ident;
        let mut generics = input.generics.clone();
        let parameters: Vec<Ident> =
            generics.type_params().map(|parameter| parameter.ident.clone()).collect();
        for ty in forwarded.iter().filter(|ty| mentions(ty, &parameters)) {
            let bound = syn::parse_quote!(#ty: #root::Classify);
            generics.make_where_clause().predicates.push(bound);
        }
        let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
        let arms = arms.iter().map(|Arm { pattern, helper, at }| {
            let class = helper.generate(root, *at);
            quote!(#pattern => #class,)
        });
        quote! {
            #[automatically_derived]
            impl #impl_generics #root::Classify for #name #type_generics #where_clause {
                fn classify(&self) -> #root::FailureClass {
                    match self {
                        #(#arms)*
                        #[allow(unreachable_patterns)]
                        _ => #root::FailureClass::permanent(),
                    }
                }
            }
        }
    }
}

impl Helper {
    /// Finds the helper attribute above an item. A wrong attribute is reported and ignored.
    fn find(attrs: &[Attribute], errors: &mut Errors) -> Option<Self> {
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
        if !matches!(attribute.meta, syn::Meta::Path(_)) {
            attribute.parse_args_with(|input: ParseStream<'_>| helper.arguments(input))?;
        }
        Ok(helper)
    }

    fn arguments(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            if input.peek(syn::Ident) && input.peek2(Token![=]) {
                let key: Ident = input.parse()?;
                let forwards = self.class == Class::Forward;
                let is_given = match key.to_string().as_str() {
                    "effect" => self.effect.is_some(),
                    "with" => self.with.is_some(),
                    "after" => self.after.is_some(),
                    _ => false,
                };
                if is_given {
                    let message = format!("duplicate `{key}` in `#[{}]`; remove it", self.name);
                    return Err(syn::Error::new_spanned(key, message));
                }
                match key.to_string().as_str() {
                    "effect" if !forwards => {
                        input.parse::<Token![=]>()?;
                        self.effect = Some(value::choice("effect", &input.parse()?, EFFECTS)?);
                    }
                    "with" if forwards => {
                        input.parse::<Token![=]>()?;
                        self.with = Some(with(input.parse()?)?);
                    }
                    "after" if forwards => {
                        input.parse::<Token![=]>()?;
                        self.after = Some(input.parse::<FieldName>()?.0);
                    }
                    "with" => {
                        let message = format!(
                            "`#[{}]` has no `with`; write `#[forward(with = classify)]` for a \
                             function that returns the class",
                            self.name
                        );
                        return Err(syn::Error::new_spanned(key, message));
                    }
                    _ => {
                        let message = format!("`#[{}]` has no `{key}`; remove it", self.name);
                        return Err(syn::Error::new_spanned(key, message));
                    }
                }
            } else {
                let field: FieldName = input.parse()?;
                if matches!(self.class, Class::Transient | Class::Permanent) {
                    let message = format!(
                        "`#[{}]` takes no field; write `#[throttled(field)]` to take a delay from a \
                         field",
                        self.name
                    );
                    return Err(syn::Error::new_spanned(field.0, message));
                }
                if let Some(first) = &self.field {
                    let (first, second) = (first.to_token_stream(), field.0.to_token_stream());
                    let name = &self.name;
                    let message =
                        format!("`#[{name}]` takes one field; remove `{first}` or `{second}`");
                    return Err(syn::Error::new_spanned(second, message));
                }
                self.field = Some(field.0);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    /// Returns the class as the default of an enum, and reports fields: a default has none.
    fn into_default(self, errors: &mut Errors) -> Option<Self> {
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
    fn generate(&self, root: &TokenStream, at: Span) -> TokenStream {
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

/// Returns the field with this name or number, and reports a name without a field.
fn find<'f>(fields: &'f Fields, member: &Member, errors: &mut Errors) -> Option<&'f Field> {
    let mut all = fields.members().zip(fields);
    let found = all.find(|(name, _)| name == member).map(|(_, field)| field);
    if found.is_none() {
        let known: Vec<String> =
            fields.members().map(|member| member.to_token_stream().to_string()).collect();
        let list = known.join("`, `");
        let written = member.to_token_stream();
        errors.add(member, format!("unknown field `{written}`; expected one of `{list}`"));
    }
    found
}

/// Reports helper attributes of fields, which have no effect. `place` is the place of the class.
fn report_classes_of_fields(fields: &Fields, place: &str, errors: &mut Errors) {
    for (member, field) in fields.members().zip(fields) {
        for (attribute, class) in field.attrs.iter().filter_map(|it| Some((it, class(it)?))) {
            let name = attribute.path().to_token_stream();
            let takes_field = matches!(class, Class::Throttled | Class::Forward);
            let field = takes_field.then(|| format!("({})", member.to_token_stream()));
            let field = field.unwrap_or_default();
            errors.add(
                attribute,
                format!(
                    "the class of a field has no effect; remove it, or write `#[{name}{field}]` above \
                     {place}"
                ),
            );
        }
    }
}

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
fn class(attribute: &Attribute) -> Option<Class> {
    let (_, class) = HELPERS.iter().find(|(name, _)| attribute.path().is_ident(name))?;
    Some(*class)
}

/// Reads `#[classify(crate = path)]` above the type: the path of the runtime.
fn root(attrs: &[Attribute], errors: &mut Errors) -> TokenStream {
    let mut root = None;
    for attribute in attrs.iter().filter(|attribute| attribute.path().is_ident("classify")) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                if root.is_some() {
                    return Err(meta.error("duplicate `crate` in `#[classify]`; remove it"));
                }
                root = Some(meta.value()?.parse::<Path>()?);
                return Ok(());
            }
            let written = meta.path.to_token_stream().to_string();
            let helpers: Vec<&str> = HELPERS.iter().map(|(name, _)| *name).collect();
            let hint = nearest(&written, &helpers).map_or_else(
                || "expected `crate`".to_owned(),
                |helper| format!("write `#[{helper}]`"),
            );
            Err(meta.error(format!("`#[classify]` has no `{written}`; {hint}")))
        });
        errors.keep(read);
    }
    runtime(root)
}
