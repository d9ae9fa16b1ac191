//! Where the state of a policy lives: in a `static` of the function, one for each key, or with the
//! user.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, GenericParam, Signature};

use crate::args::{Args, Keyed};
use crate::diagnostics::Errors;
use crate::splice::Site;
use crate::tokens::{any_ident, mentions};
use crate::value::{self, Constant};

/// A policy with a state.
pub(crate) struct Owned {
    /// The type, in the runtime's private module.
    ty: &'static str,
    place: Place,
}

enum Place {
    /// A `static`, shared by all instances of the function.
    Function,
    /// One for each value of `key`.
    Keyed { key: Expr, max: Option<Constant<u32>> },
    /// One from elsewhere.
    Shared(Expr),
}

const MAX_KEYS: u32 = 10_000;

impl Owned {
    /// Reads the key named for the policy, which brings one from elsewhere, and, where the attribute
    /// has them, `key` and `max_keys`.
    pub(crate) fn read(
        shared: &'static str,
        ty: &'static str,
        args: &mut Args,
        errors: &mut Errors,
    ) -> Self {
        let place = Self::shared(shared, ty, args, errors);
        let key = args.value("key", errors, Ok);
        let max = args.constant("max_keys", errors, |expr| value::count("max_keys", expr));
        let place = match (place, key, max) {
            (None, None, None) => Place::Function,
            (None, Some(key), max) => {
                if let Some(max) = max.as_ref().filter(|max| max.value.literal() == Some(&0)) {
                    errors.add(&max.value, "`max_keys` must be at least 1");
                }
                Place::Keyed { key: key.value, max: max.map(|max| max.value) }
            }
            (None, None, Some(max)) => {
                errors.add(max.key, "`max_keys` limits what `key = …` makes: say which key");
                Place::Function
            }
            (Some(place), key, max) => {
                for key in key.map(|key| key.key).into_iter().chain(max.map(|max| max.key)) {
                    errors.add(
                        &key,
                        format!(
                            "`{key}` and `{shared}` exclude each other: `{shared} = …` is one, \
                             whatever the key"
                        ),
                    );
                }
                Place::Shared(place.value)
            }
        };
        Self { ty, place }
    }

    /// Reports settings beside a policy from elsewhere, which has its own.
    pub(crate) fn exclude(shared: &str, keys: &[Ident], errors: &mut Errors) {
        for key in keys {
            errors.add(
                key,
                format!(
                    "`{key}` and `{shared}` exclude each other: what comes from elsewhere has its own, \
                     set where it is made"
                ),
            );
        }
    }

    fn shared(
        key: &'static str,
        ty: &str,
        args: &mut Args,
        errors: &mut Errors,
    ) -> Option<Keyed<Expr>> {
        args.value(key, errors, |expr| match expr {
            Expr::Lit(_) => Err(syn::Error::new_spanned(
                expr,
                format!("expected a `{ty}`: `{key} = &SHARED`, `{key} = self.{key}`"),
            )),
            other => Ok(other),
        })
    }

    /// Reports a limit of keys that names a generic parameter.
    pub(crate) fn check_generics(&self, function: &Signature, errors: &mut Errors) {
        if let Place::Keyed { max: Some(max), .. } = &self.place {
            check_generic("max_keys", max, function, errors);
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.place, Place::Shared(_))
    }

    /// Whether there is one for each value of a key.
    pub(crate) fn is_keyed(&self) -> bool {
        matches!(self.place, Place::Keyed { .. })
    }

    /// Whether the policy stands in a `static` of its own, to be listed with the others.
    pub(crate) fn is_static(&self) -> bool {
        matches!(self.place, Place::Function)
    }

    /// The expression that asks the policy in `local` for a permit. `waits` says whether its own settings
    /// let a call wait; those of one from elsewhere may.
    pub(crate) fn acquire(&self, local: &Ident, waits: bool, site: &Site) -> TokenStream {
        match (waits || self.is_shared(), site.is_async) {
            (false, _) => quote!(#local.try_acquire()),
            (true, false) => quote!(#local.acquire_blocking()),
            (true, true) => quote!(#local.acquire().await),
        }
    }

    /// The statements that bind a reference to the policy to `local`. `policy` is what makes it.
    pub(crate) fn get(&self, local: &Ident, policy: &TokenStream, site: &Site) -> TokenStream {
        let private = &site.private;
        let ty = Ident::new(self.ty, Span::call_site());
        match &self.place {
            Place::Function => {
                let state = quote!(&__RESILIENCE_STATE);
                // A breaker looks for a test's stand-in by itself.
                let looks_itself = self.ty == "CircuitBreaker";
                let state = if looks_itself { state } else { quote!(#private::resolve(#state)) };
                quote! {
                    let #local = {
                        static __RESILIENCE_STATE: #private::#ty = #policy;
                        #state
                    };
                }
            }
            Place::Keyed { key, max } => {
                let max = max.as_ref().map_or_else(|| quote!(#MAX_KEYS), ToTokens::to_token_stream);
                // By value or by reference, a key is hashed before the body may move it.
                let key = quote_spanned!(key.span()=> &(#key));
                let held = format_ident!("{}_held", local, span = Span::mixed_site());
                quote! {
                    let #held = {
                        static __RESILIENCE_STATES: #private::Keyed<#private::#ty> =
                            #private::Keyed::new(#max, || #policy);
                        #private::resolve(&__RESILIENCE_STATES).get(#key)
                    };
                    let #local = &*#held;
                }
            }
            Place::Shared(expr) => {
                let at = Span::mixed_site().located_at(expr.span());
                let here = site.private_at(at);
                let held = format_ident!("{}_held", local, span = at);
                // What is reached through a `&mut`, or may be moved, is not there while the body runs.
                let bound = if mentions(&expr.to_token_stream(), &site.unshared) {
                    quote_spanned!(at=> let #held = #here::clone_handle::<_, #private::#ty>(&#expr); let #held = &#held;)
                } else {
                    quote_spanned!(at=> let #held = &#expr;)
                };
                let as_ref =
                    quote_spanned!(at=> ::core::convert::AsRef::<#private::#ty>::as_ref(#held));
                quote!(#bound let #local: &#private::#ty = #as_ref;)
            }
        }
    }
}

/// Reports a setting that names a generic parameter of the function, which a `static` cannot.
pub(crate) fn check_generics<T>(
    setting: Option<&Keyed<Constant<T>>>,
    function: &Signature,
    errors: &mut Errors,
) {
    if let Some(Keyed { key, value }) = setting {
        check_generic(&key.to_string(), value, function, errors);
    }
}

fn check_generic<T>(key: &str, setting: &Constant<T>, function: &Signature, errors: &mut Errors) {
    let (Constant::Expr(expr) | Constant::Braced(expr)) = setting else { return };
    let generics: Vec<&Ident> = function
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    if any_ident(&expr.to_token_stream(), &|word| word == "Self" || generics.contains(&word)) {
        errors.add(
            expr,
            format!(
                "`{key}` cannot depend on a generic parameter: the state is one `static` that all \
                 instances of the function share"
            ),
        );
    }
}
