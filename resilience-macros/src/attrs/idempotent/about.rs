//! What a call is about: the part of it that goes into the fingerprint.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Path};

use crate::args::{Args, Value};
use crate::async_trait;
use crate::diagnostics::Errors;
use crate::splice::{Site, local};

/// `fingerprint(order.id, order.amount)`
pub(super) fn fingerprint(args: &mut Args, errors: &mut Errors) -> Option<Vec<Expr>> {
    let arg = args.take("fingerprint")?;
    match arg.value {
        Value::List(values) => Some(values),
        Value::Expr(value) => {
            let written = value.to_token_stream();
            errors.add(value, format!("`fingerprint` takes a list: `fingerprint({written})`"));
            None
        }
        Value::Bare | Value::Names(_) => {
            errors.add(
                arg.key,
                "`fingerprint` names what the call is about: `fingerprint(order.id, order.amount)`",
            );
            None
        }
    }
}

/// A closure that puts these values into the fingerprint; without any, every argument that is not one of
/// `known`, by which the call is made.
pub(super) fn generate(values: Option<&[Expr]>, known: &[&Expr], site: &Site) -> TokenStream {
    let all = || {
        let names = site.bindings.iter().map(|binding| &binding.name);
        let names = names.filter(|name| !is_self(name) && !site.skipped.contains(name));
        let is_known = |name: &Ident| known.iter().any(|expr| is(expr, name));
        let names = names.filter(|name| !is_known(name));
        names.map(|name| (name.to_token_stream(), name.span())).collect::<Vec<_>>()
    };
    let values = values.map_or_else(all, |values| {
        values.iter().map(|value| (value.to_token_stream(), value.span())).collect()
    });
    let about = local("about");
    let written = values.into_iter().map(|(value, at)| {
        let there = site.private_at(at);
        let mut about = about.clone();
        about.set_span(about.span().located_at(at));
        quote_spanned!(at=>
            #[allow(clippy::used_underscore_binding)]
            let #about = #there::idempotent::add_argument(#about, &(#value));
        )
    });
    quote!(|#about| { #(#written)* #about })
}

/// Whether an expression is no more than this name, also behind a `&`.
fn is(expr: &Expr, name: &Ident) -> bool {
    let of = |path: &Path| path.is_ident(name);
    match expr {
        Expr::Path(path) => of(&path.path),
        Expr::Reference(reference) => is(&reference.expr, name),
        _ => false,
    }
}

/// Whether a name is that of the receiver, as written or as `#[async_trait]` has it.
fn is_self(name: &Ident) -> bool {
    name == "self" || name == async_trait::SELF
}
