//! The fingerprint of a call: the arguments that tell apart two calls with the same key.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Path};

use crate::args::Value;
use crate::async_trait;
use crate::codegen::{Context, local};

/// Reads `fingerprint(order.id, order.amount)`.
pub(super) fn read(key: &Ident, value: Value) -> syn::Result<Vec<Expr>> {
    match value {
        Value::List(values) => Ok(values),
        Value::Expr(value) => {
            let written = value.to_token_stream();
            let message = format!("`fingerprint` takes a list: write `fingerprint({written})`");
            Err(syn::Error::new_spanned(value, message))
        }
        Value::Bare | Value::Names(_) => Err(syn::Error::new_spanned(
            key,
            "`fingerprint` needs the values that identify the request: \
             `fingerprint(order.id, order.amount)`",
        )),
    }
}

/// Returns a closure that adds these values to the fingerprint. The default is every argument
/// except `known`: the key, the scope, the store and the transaction.
pub(super) fn generate(values: Option<&[Expr]>, known: &[&Expr], context: &Context) -> TokenStream {
    let all = || {
        let names = context.bindings.iter().map(|binding| &binding.name);
        let names = names.filter(|name| !is_self(name) && !context.skipped.contains(name));
        let is_known = |name: &Ident| known.iter().any(|expr| is(expr, name));
        let names = names.filter(|name| !is_known(name));
        names.map(|name| (name.to_token_stream(), name.span())).collect::<Vec<_>>()
    };
    let values = values.map_or_else(all, |values| {
        values.iter().map(|value| (value.to_token_stream(), value.span())).collect()
    });
    let builder = local("fingerprint");
    let written = values.into_iter().map(|(value, at)| {
        let there = context.private_at(at);
        let mut builder = builder.clone();
        builder.set_span(builder.span().located_at(at));
        quote_spanned!(at=>
            #[allow(clippy::used_underscore_binding)]
            let #builder = #there::idempotent::add_argument(#builder, &(#value));
        )
    });
    quote!(|#builder| { #(#written)* #builder })
}

/// Returns whether an expression is this name, with or without `&`.
fn is(expr: &Expr, name: &Ident) -> bool {
    let of = |path: &Path| path.is_ident(name);
    match expr {
        Expr::Path(path) => of(&path.path),
        Expr::Reference(reference) => is(&reference.expr, name),
        _ => false,
    }
}

/// Returns whether a name is the receiver, also under `#[async_trait]`.
fn is_self(name: &Ident) -> bool {
    name == "self" || name == async_trait::SELF
}
