//! The store of the records: a handle that outlives the call.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprUnary, UnOp};

use crate::codegen::{Context, local};
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
    let place = value::place(store);
    let place = if is_static(place) {
        quote_spanned!(at=> #there::idempotent::StaticStore(&#place))
    } else {
        place.to_token_stream()
    };
    let make = if context.is_async { quote!(handle) } else { quote!(handle_blocking) };
    let handle = quote_spanned!(at=> #there::idempotent::#make(&#place));
    let Some(transaction) = transaction else { return handle };
    let transaction = quote_spanned!(transaction.span()=> &*#transaction);
    // The span of the store makes the compiler report a store of another database there.
    let mut store = local("store");
    store.set_span(at);
    quote_spanned!(at=> {
        let #store = #handle;
        #there::idempotent::in_database(#transaction, #store)
    })
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
