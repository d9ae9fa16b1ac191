//! `#[derive(Classify)]`: a word above each variant says what it means.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, Index, LitInt, LitStr, Member, Path, Token,
};

use crate::args::runtime;
use crate::diagnostics::Errors;
use crate::hint::nearest;
use crate::tokens::{mentions, respan};
use crate::value;

/// The words, which are also the names of the helper attributes.
const WORDS: &[&str] = &["transient", "throttled", "permanent", "forward"];

/// The answers to "could the effect have happened?".
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
        // The impl is there all the same, so that its users cause no second error.
        Some(errors) => {
            let fallback =
                Model { arms: Vec::new(), forwarded: Vec::new() }.generate(&input, &root);
            quote!(#errors #fallback)
        }
        None => model.generate(&input, &root),
    }
}

/// What each variant means.
struct Model {
    arms: Vec<Arm>,
    /// The types that are asked for their own meaning.
    forwarded: Vec<TokenStream>,
}

/// A pattern, and the class of what matches it.
struct Arm {
    pattern: TokenStream,
    word: Word,
    /// Where the field that the word names, or the word itself, stands.
    at: Span,
}

/// A word and what stands behind it: `transient(effect = "not_sent")`, `throttled(retry_after)`.
struct Word {
    name: Ident,
    field: Option<Member>,
    effect: Option<&'static str>,
}

impl Model {
    fn validate(input: &DeriveInput, errors: &mut Errors) -> Self {
        let default = Word::find(&input.attrs, errors);
        let mut model = Self { arms: Vec::new(), forwarded: Vec::new() };
        match &input.data {
            Data::Enum(data) => {
                for variant in &data.variants {
                    let name = &variant.ident;
                    let word = Word::find(&variant.attrs, errors);
                    let Some(word) = word.or_else(|| default.as_ref().map(Word::repeated)) else {
                        if !WORDS.iter().any(|word| has(&variant.attrs, word)) {
                            errors.add(
                                name,
                                format!(
                                    "what does `{name}` mean? write `#[transient]`, `#[throttled]`, \
                                     `#[permanent]` or `#[forward]` above it, or one of them above \
                                     the enum for all that have none"
                                ),
                            );
                        }
                        continue;
                    };
                    model.add(&quote!(Self::#name), &variant.fields, word, errors);
                }
            }
            Data::Struct(data) => match default {
                Some(word) => model.add(&quote!(Self), &data.fields, word, errors),
                None => errors.add(
                    &input.ident,
                    "write `#[transient]`, `#[throttled]`, `#[permanent]` or `#[forward]` above it",
                ),
            },
            Data::Union(data) => {
                errors.add(data.union_token, "`Classify` is for enums and structs");
            }
        }
        model
    }

    fn add(&mut self, path: &TokenStream, fields: &Fields, mut word: Word, errors: &mut Errors) {
        if word.name == "forward" && word.field.is_none() {
            if fields.len() != 1 {
                errors.add(
                    &word.name,
                    "which field? a variant with one field is forwarded to it, others name it: \
                     `#[forward(source)]`",
                );
                return;
            }
            word.field = fields.members().next();
        }
        let Some(member) = &word.field else {
            let at = word.name.span();
            return self.arms.push(Arm { pattern: quote!(#path { .. }), word, at });
        };
        let Some(field) = find(fields, member) else {
            let known: Vec<String> =
                fields.members().map(|member| member.to_token_stream().to_string()).collect();
            let list = known.join("`, `");
            errors.add(member, format!("there is no such field; there are `{list}`"));
            return;
        };
        if word.name == "forward" {
            self.forwarded.push(field.ty.to_token_stream());
        }
        let at = field.ty.span();
        let value = quote_spanned!(at=> value);
        self.arms.push(Arm { pattern: quote!(#path { #member: #value, .. }), word, at });
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
        let arms = arms.iter().map(|Arm { pattern, word, at }| {
            let class = word.generate(root, *at);
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

impl Word {
    /// The word above an item; `None` where there is none, or a wrong one.
    fn find(attrs: &[Attribute], errors: &mut Errors) -> Option<Self> {
        let mut words = attrs
            .iter()
            .filter(|attribute| WORDS.iter().any(|word| attribute.path().is_ident(word)));
        let first = words.next()?;
        for other in words {
            errors.add(other, "one word is enough: a failure has one meaning");
        }
        errors.keep(Self::parse(first))
    }

    fn parse(attribute: &Attribute) -> syn::Result<Self> {
        let name = attribute.path().require_ident()?.clone();
        let mut word = Self { name, field: None, effect: None };
        if !matches!(attribute.meta, syn::Meta::Path(_)) {
            attribute.parse_args_with(|input: ParseStream<'_>| word.arguments(input))?;
        }
        Ok(word)
    }

    fn arguments(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            if input.peek(syn::Ident) && input.peek2(Token![=]) {
                let key: Ident = input.parse()?;
                if key != "effect" || self.name == "forward" {
                    let message = format!("`#[{}]` has no `{key}`", self.name);
                    return Err(syn::Error::new_spanned(key, message));
                }
                input.parse::<Token![=]>()?;
                self.effect = Some(value::named("effect", &input.parse::<LitStr>()?, EFFECTS)?);
            } else {
                let field: FieldName = input.parse()?;
                if self.name == "transient" || self.name == "permanent" {
                    let message = format!(
                        "`#[{}]` takes no field; `#[throttled(field)]` takes the one with the delay",
                        self.name
                    );
                    return Err(syn::Error::new_spanned(field.0, message));
                }
                self.field = Some(field.0);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    /// The same word for another variant. A field of its own it does not have.
    fn repeated(&self) -> Self {
        Self { name: self.name.clone(), field: None, effect: self.effect }
    }

    /// The class, spanned at the field that it needs, so that a wrong type is reported there.
    fn generate(&self, root: &TokenStream, at: Span) -> TokenStream {
        let Self { name, field, effect } = self;
        if name == "forward" {
            let there = respan(root.clone(), at);
            return quote_spanned!(at=> #there::Classify::classify(value));
        }
        let there = respan(root.clone(), at);
        let asked = field
            .as_ref()
            .map(|_| quote_spanned!(at=> #there::__private::RetryDelay::retry_delay(value)));
        let after = asked.unwrap_or_else(|| quote!(::core::option::Option::None));
        let class = if name == "throttled" {
            quote!(#root::FailureClass::throttled(#after))
        } else {
            quote!(#root::FailureClass::#name())
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

fn find<'f>(fields: &'f Fields, member: &Member) -> Option<&'f Field> {
    let mut all = fields.members().zip(fields);
    all.find(|(name, _)| name == member).map(|(_, field)| field)
}

fn has(attrs: &[Attribute], word: &str) -> bool {
    attrs.iter().any(|attribute| attribute.path().is_ident(word))
}

/// `#[classify(crate = path)]` above the enum: where generated code finds the runtime.
fn root(attrs: &[Attribute], errors: &mut Errors) -> TokenStream {
    let mut root = None;
    for attribute in attrs.iter().filter(|attribute| attribute.path().is_ident("classify")) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                root = Some(meta.value()?.parse::<Path>()?);
                return Ok(());
            }
            let written = meta.path.to_token_stream().to_string();
            let hint = nearest(&written, WORDS).map_or_else(
                || "its only key is `crate`".to_owned(),
                |word| format!("write `#[{word}]`"),
            );
            Err(meta.error(format!("`#[classify]` has no `{written}`: {hint}")))
        });
        errors.keep(read);
    }
    runtime(root)
}
