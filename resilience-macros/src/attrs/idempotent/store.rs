//! The store of the records: a handle that outlives the call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprUnary, UnOp};

use crate::codegen::Context;
use crate::value;

/// Reads `store = …`.
pub(super) fn read(expr: Expr) -> syn::Result<Expr> {
    value::policy(expr, || {
        "expected a store, like `store = self.store` or `store = &STORE`; without `store`, records stay in \
         the memory of this process"
            .into()
    })
}

/// Returns the handle as an expression. With a transaction, the store is in the same database.
pub(super) fn generate(
    store: Option<&Expr>,
    transaction: Option<&Expr>,
    context: &Context,
) -> TokenStream {
    let private = &context.private;
    let Some(store) = store else { return quote!(#private::idempotent::memory()) };
    let (at, there) = (store.span(), context.private_at(store.span()));
    let place = place(store);
    let call = |make: &str| {
        let make = Ident::new(make, at.resolved_at(Span::call_site()));
        quote_spanned!(at=> #there::idempotent::#make(&#place))
    };
    let handle = match (is_static(place), context.is_async) {
        (true, true) => call("fixed"),
        (true, false) => call("fixed_blocking"),
        (false, false) => call("handle_blocking"),
        (false, true) => {
            let named = call("Named");
            quote_spanned!(at=> {
                #[allow(unused_imports)]
                use #there::idempotent::Handles as _;
                #named.handle()
            })
        }
    };
    let Some(transaction) = transaction else { return handle };
    let transaction = quote_spanned!(transaction.span()=> &*#transaction);
    quote_spanned!(at=> #there::idempotent::in_database(#transaction, #handle))
}

/// Removes borrows: `&self.store` means the handle in the field.
fn place(store: &Expr) -> &Expr {
    match store {
        Expr::Reference(lent) => place(&lent.expr),
        Expr::Paren(inner) => place(&inner.expr),
        other => other,
    }
}

/// Returns whether the expression is the name of a `static`, or a dereference of such a name.
fn is_static(store: &Expr) -> bool {
    match store {
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            !name.contains(char::is_lowercase) && name.len() > 1
        }),
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => is_static(expr),
        _ => false,
    }
}
