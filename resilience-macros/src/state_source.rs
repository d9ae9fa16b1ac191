//! The source of a policy's state: a `static` of the function, a state for each key, or a policy
//! made elsewhere.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use resilience_rules::keyed as rules;
use syn::spanned::Spanned;
use syn::{Expr, Signature};

use crate::args::{Args, Keyed};
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::function::generics;
use crate::keys::keys;
use crate::tokens::{any_ident, mentions};
use crate::value::{self, Constant};

/// A type of policies with a state.
pub(crate) struct PolicyType {
    /// The name of the type, in the runtime's private module.
    pub(crate) name: &'static str,
    /// The key for a policy made by hand.
    pub(crate) key: &'static str,
    /// Whether the policy itself looks for a test override.
    pub(crate) resolves_overrides: bool,
    /// Whether the type has a parameter, for the place of the settings.
    pub(crate) has_place: bool,
}

/// The source of the state of a policy.
pub(crate) enum StateSource {
    /// A `static`, shared by all instances of a generic function.
    PerFunction,
    /// A state for each value of `key`.
    PerKey(Box<PerKey>),
    /// A policy made by hand.
    Provided(Expr),
}

/// The keys of a policy with a state for each key.
pub(crate) struct PerKey {
    key: Expr,
    max_keys: Option<Constant<u32>>,
    /// The label of the key in rejections and events.
    label: Option<Expr>,
    /// The function from the settings of the attribute to the settings for the key.
    settings: Option<Expr>,
}

keys! {
    /// The keys of a policy with a state for each key.
    struct Keys {
        function {
            key: key_of_call,
            max_keys: count [literal max_keys],
            key_label: value(Expr, Ok),
            settings: callable,
        }
    }
}

impl StateSource {
    /// Reads the key of the policy, `key` and `max_keys`, and reports `settings` beside a policy
    /// made by hand.
    pub(crate) fn read(
        policy: &PolicyType,
        settings: &[Ident],
        args: &mut Args,
        errors: &mut Errors,
    ) -> Self {
        let PolicyType { name, key: policy_key, .. } = policy;
        let provided = args.value(policy_key, errors, |expr| {
            value::policy(expr, || {
                format!("expected a `{name}`, like `{policy_key} = &SHARED` or `{policy_key} = self.{policy_key}`")
            })
        });
        let keys = Keys::read(args, errors);
        if let Some(Keyed { value, .. }) = provided {
            let given = [
                keys.key.map(|keyed| keyed.key),
                keys.max_keys.map(|keyed| keyed.key),
                keys.key_label.map(|keyed| keyed.key),
                keys.settings.map(|keyed| keyed.key),
            ];
            for key in given.into_iter().flatten() {
                errors.add(
                    &key,
                    format!(
                        "`{key}` and `{policy_key}` exclude each other: a policy made by hand has one \
                         state for all keys; for a policy per key write `{policy_key} = POLICIES.get(key)` \
                         with a `Keyed<{name}>`, or remove `{policy_key}` and set the numbers of each \
                         key with `settings = …`"
                    ),
                );
            }
            exclude_settings(policy_key, settings, errors);
            return Self::Provided(value);
        }
        keys.check_rules(errors);
        match (keys.key, keys.max_keys) {
            (Some(Keyed { value: key, .. }), max_keys) => Self::PerKey(Box::new(PerKey {
                key,
                max_keys: max_keys.map(|keyed| keyed.value),
                label: keys.key_label.map(|keyed| keyed.value),
                settings: keys.settings.map(|keyed| keyed.value),
            })),
            (None, max_keys) => {
                let given = [
                    max_keys.map(|keyed| keyed.key),
                    keys.key_label.map(|keyed| keyed.key),
                    keys.settings.map(|keyed| keyed.key),
                ];
                for key in given.into_iter().flatten() {
                    let message = format!("`{key}` needs a `key`: write `key = …`, or remove it");
                    errors.add(key, message);
                }
                Self::PerFunction
            }
        }
    }

    /// Reports a constant that names a generic parameter.
    pub(crate) fn check_generics(&self, function: &Signature, errors: &mut Errors) {
        if let Self::PerKey(per_key) = self {
            if let Some(max_keys) = &per_key.max_keys {
                check_generic("max_keys", max_keys, function, errors);
            }
        }
    }

    pub(crate) fn is_provided(&self) -> bool {
        matches!(self, Self::Provided(_))
    }

    /// Returns whether a function changes the settings for each key.
    pub(crate) fn has_settings(&self) -> bool {
        matches!(self, Self::PerKey(per_key) if per_key.settings.is_some())
    }

    pub(crate) fn is_per_key(&self) -> bool {
        matches!(self, Self::PerKey(_))
    }

    pub(crate) fn is_per_function(&self) -> bool {
        matches!(self, Self::PerFunction)
    }

    /// Returns the statements that bind a reference to the policy to `local`. `make`
    /// creates the policy.
    pub(crate) fn bind(
        &self,
        policy: &PolicyType,
        local: &Ident,
        make: &TokenStream,
        context: &Context,
    ) -> TokenStream {
        let private = &context.private;
        let ty = Ident::new(policy.name, Span::call_site());
        match self {
            Self::PerFunction => {
                let state = quote!(&__RESILIENCE_STATE);
                let (make, state) = if policy.resolves_overrides {
                    (make.clone(), state)
                } else {
                    let make = quote!(#make.in_static(|| &__RESILIENCE_STATE));
                    (make, quote!(#private::resolve_policy(#state)))
                };
                quote! {
                    let #local = {
                        static __RESILIENCE_STATE: #private::#ty = #make;
                        #state
                    };
                }
            }
            Self::PerKey(per_key) => {
                let entry = format_ident!("{}_entry", local, span = Span::mixed_site());
                let find = quote!(#private::keyed_state);
                let found = per_key.find(policy, local, make, &find, context);
                quote! {
                    let #entry = #found;
                    let #local = &*#entry;
                }
            }
            Self::Provided(expr) => {
                // The body may move a handle, or borrow the owner of the handle exclusively.
                let is_cloned = mentions(&expr.to_token_stream(), &context.unshared);
                let place = policy.has_place.then(|| quote!(<_>));
                bind_handle(expr, &quote!(#ty #place), is_cloned, local, context)
            }
        }
    }

    /// Returns the state per key.
    pub(crate) fn per_key(&self) -> Option<&PerKey> {
        match self {
            Self::PerKey(per_key) => Some(per_key),
            Self::PerFunction | Self::Provided(_) => None,
        }
    }
}

impl PerKey {
    /// Returns the expression that calls `find` with the table, the key and the change of a new
    /// policy for the key. `make` creates the policy.
    pub(crate) fn find(
        &self,
        policy: &PolicyType,
        local: &Ident,
        make: &TokenStream,
        find: &TokenStream,
        context: &Context,
    ) -> TokenStream {
        let private = &context.private;
        let ty = Ident::new(policy.name, Span::call_site());
        let Self { key, max_keys, label, settings } = self;
        let default = rules::MAX_KEYS;
        let max_keys =
            max_keys.as_ref().map_or_else(|| quote!(#default), ToTokens::to_token_stream);
        // Hashed by reference, before the body may move the key.
        let key = quote_spanned!(key.span()=> &(#key));
        let created = format_ident!("{}_created", local, span = Span::mixed_site());
        let settings = settings.as_ref().map(|settings| {
            quote_spanned!(settings.span()=>
                let #created = #private::adjust(#created, #settings);
            )
        });
        let label = label.as_ref().map(|label| {
            quote_spanned!(label.span()=>
                let #created = #private::KeyedPolicy::with_key_label(
                    #created,
                    #private::KeyLabel::new(&(#label)),
                );
            )
        });
        quote! {
            {
                static __RESILIENCE_STATES: #private::Keyed<#private::#ty> =
                    #private::Keyed::new(#max_keys, || #make);
                #find(&__RESILIENCE_STATES, #key, |#created| {
                    #settings
                    #label
                    #created
                })
            }
        }
    }
}

/// Returns the statements that bind a reference to a policy of type `ty`, made by hand, to `local`.
/// With `is_cloned` the call holds a clone of the handle.
pub(crate) fn bind_handle(
    expr: &Expr,
    ty: &TokenStream,
    is_cloned: bool,
    local: &Ident,
    context: &Context,
) -> TokenStream {
    let private = &context.private;
    let at = Span::mixed_site().located_at(expr.span());
    let here = context.private_at(at);
    let handle = format_ident!("{}_handle", local, span = at);
    let bound = if is_cloned {
        let is_new = matches!(value::place(expr), Expr::Call(_) | Expr::MethodCall(_));
        // A clone of a reference to a new value would outlive the value.
        let expr = if is_new || context.is_exclusive(expr) { value::place(expr) } else { expr };
        quote_spanned!(at=> let #handle = #here::clone_handle::<_, #private::#ty>(&#expr); let #handle = &#handle;)
    } else {
        quote_spanned!(at=> let #handle = &#expr;)
    };
    let as_ref = quote_spanned!(at=> #here::policy_of::<_, #private::#ty>(#handle));
    quote!(#bound let #local: &#private::#ty = #as_ref;)
}

/// Reports settings beside a policy made by hand.
pub(crate) fn exclude_settings(policy_key: &str, settings: &[Ident], errors: &mut Errors) {
    for key in settings {
        errors.add(
            key,
            format!(
                "`{key}` and `{policy_key}` exclude each other: a policy made by hand has its own \
                 settings; remove `{key}`, or set it on the policy"
            ),
        );
    }
}

/// Reports a constant that names a generic parameter of the function. A `static` cannot depend on
/// generic parameters.
pub(crate) fn check_generics<T>(
    constant: Option<&Keyed<Constant<T>>>,
    function: &Signature,
    errors: &mut Errors,
) {
    if let Some(Keyed { key, value }) = constant {
        check_generic(&key.to_string(), value, function, errors);
    }
}

fn check_generic<T>(key: &str, constant: &Constant<T>, function: &Signature, errors: &mut Errors) {
    if let Constant::Expr(expr) | Constant::Braced(expr) = constant {
        check_generic_expr(key, expr, function, errors);
    }
}

/// Reports an expression in a `static` that names a generic parameter of the function, or `Self`.
pub(crate) fn check_generic_expr(
    key: &str,
    expr: &Expr,
    function: &Signature,
    errors: &mut Errors,
) {
    let tokens = expr.to_token_stream();
    if any_ident(&tokens, &|word| word == "Self") {
        errors.add(
            expr,
            format!(
                "`{key}` belongs to the `static` state of the function, and a `static` cannot use \
                 `Self`; write the name of the type in place of `Self`, or in a trait a constant \
                 outside of the trait"
            ),
        );
        return;
    }
    let generics = generics(function);
    if any_ident(&tokens, &|word| generics.contains(word)) {
        errors.add(
            expr,
            format!(
                "`{key}` cannot depend on a generic parameter: all instances of the function share \
                 one `static` state"
            ),
        );
    }
}
