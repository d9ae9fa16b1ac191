//! `#[derive(Classify)]`: a helper attribute above each variant gives the class of the variant.

mod helper;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use resilience_rules::nearest;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Member, Path};

use self::helper::{Class, HELPERS, Helper, class};
use crate::args::runtime;
use crate::diagnostics::Errors;
use crate::tokens::mentions;

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
