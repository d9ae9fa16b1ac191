//! The policy of `#[idempotent]` in generated code: a constant built from the keys, or a policy
//! made by hand.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::keys::{Concurrent, Keys, OnInterrupted, OnLeaseLost, OnStoreError, OnUnsaved};
use crate::args::{Args, value_of};
use crate::builder::Builder;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::state_source::exclude_settings;
use crate::value;

/// The source of the policy.
pub(super) enum Policy {
    /// `policy = expr`
    Provided(Expr),
    /// The keys of the attribute.
    Keys,
}

impl Policy {
    /// Reads `policy`, and reports wrong keys and keys in conflict with `policy`.
    pub(super) fn validate(keys: &Keys, args: &mut Args, errors: &mut Errors) -> Self {
        let policy = args.value("policy", errors, |expr| {
            value::policy(expr, || {
                "expected an `IdempotencyPolicy`, like `policy = CHARGE` or `policy = self.policy`"
                    .into()
            })
        });
        if let Some(policy) = policy {
            exclude_settings("policy", &keys.policy_settings(), errors);
            return Self::Provided(policy.value);
        }
        keys.check(errors);
        if keys.transaction.is_some() {
            keys.check_in_transaction(errors);
        }
        Self::Keys
    }

    /// Returns whether the records bear the path of the function. Two methods of the same name in a
    /// module have the same path.
    pub(super) fn is_named_by_path(&self, keys: &Keys) -> bool {
        matches!(self, Self::Keys) && keys.record_name().is_none()
    }

    /// Returns a reference to the policy.
    pub(super) fn generate(&self, keys: &Keys, context: &Context) -> TokenStream {
        match self {
            Self::Provided(policy) if keys.reconcile().is_some() => {
                let private = &context.private;
                let reconcile = quote!(#private::idempotent::OnInterrupted::Reconcile);
                quote_spanned!(policy.span()=> &(#policy).on_interrupted(#reconcile))
            }
            Self::Provided(policy) => quote_spanned!(policy.span()=> &#policy),
            Self::Keys => keys.generate(context),
        }
    }
}

impl Keys {
    fn generate(&self, context: &Context) -> TokenStream {
        let mut builder = Builder::with("IdempotencyPolicy", context, |_| {
            vec![context.policy_name(self.record_name())]
        });
        self.set_constants(&mut builder);
        match value_of(self.concurrent.as_ref()) {
            Some(Concurrent::Reject) => builder.set("reject", None),
            Some(Concurrent::Wait(time)) => {
                let tokens = builder.argument(time, None);
                builder.set_at(time.source().span(), "wait", Some(&tokens));
            }
            None => {}
        }
        let choices = [
            (
                "on_store_error",
                value_of(self.on_store_error.as_ref()).copied().map(OnStoreError::path),
            ),
            (
                "on_lease_lost",
                value_of(self.on_lease_lost.as_ref()).copied().map(OnLeaseLost::path),
            ),
            ("on_unsaved", value_of(self.on_unsaved.as_ref()).copied().map(OnUnsaved::path)),
            ("on_interrupted", value_of(self.on_interrupted.as_ref()).map(OnInterrupted::path)),
        ];
        let private = &context.private;
        for (key, choice) in choices {
            let Some((ty, variant)) = choice else { continue };
            let (ty, variant) = (format_ident!("{ty}"), format_ident!("{variant}"));
            builder.set(key, Some(&quote!(#private::idempotent::#ty::#variant)));
        }
        let times = [&self.lease, &self.ttl, &self.max_renewal, &self.store_timeout];
        let mut times = times.into_iter().flatten().map(|time| &time.value);
        if let Some(time) = times.find(|time| time.literal().is_none()) {
            let at = time.source().span().resolved_at(Span::call_site());
            let private = context.private_at(at);
            builder.wrap(|policy| quote_spanned!(at=> #private::idempotent::check(#policy)));
        }
        let depth = context.depth();
        builder.into_constant(&quote!(.depth(#depth)))
    }

    /// Returns the function for interrupted calls, or `otherwise`.
    pub(super) fn reconcile_or(&self, otherwise: TokenStream) -> TokenStream {
        self.reconcile().map_or(otherwise, ToTokens::to_token_stream)
    }
}

impl OnStoreError {
    /// Returns the names of the type and of the variant in the runtime.
    fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::FailClosed => ("OnStoreError", "FailClosed"),
            Self::FailOpen => ("OnStoreError", "FailOpen"),
        }
    }
}

impl OnLeaseLost {
    fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Continue => ("OnLeaseLost", "Continue"),
            Self::Cancel => ("OnLeaseLost", "Cancel"),
        }
    }
}

impl OnUnsaved {
    fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Return => ("OnUnsaved", "Return"),
            Self::Error => ("OnUnsaved", "Error"),
        }
    }
}

impl OnInterrupted {
    fn path(&self) -> (&'static str, &'static str) {
        match self {
            Self::Rerun => ("OnInterrupted", "Rerun"),
            Self::Unknown => ("OnInterrupted", "Unknown"),
            Self::Reconcile(_) => ("OnInterrupted", "Reconcile"),
        }
    }
}
