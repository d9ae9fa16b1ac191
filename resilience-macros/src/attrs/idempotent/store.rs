//! Where the records are: a handle that outlives the call.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprUnary, UnOp};

use crate::splice::Site;

/// `store = …`
pub(super) fn given(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(_) => Err(syn::Error::new_spanned(
            expr,
            "expected a store: `store = self.store`, `store = &STORE`; without it, records stay in \
             the memory of this process",
        )),
        other => Ok(other),
    }
}

/// The handle, as an expression; that of a store in the database of a transaction, where there is one.
pub(super) fn generate(
    store: Option<&Expr>,
    transaction: Option<&Expr>,
    site: &Site,
) -> TokenStream {
    let private = &site.private;
    let Some(store) = store else { return quote!(#private::idempotent::memory()) };
    let (at, there) = (store.span(), site.private_at(store.span()));
    let place = place(store);
    let place = if is_static(place) {
        quote_spanned!(at=> #there::idempotent::StaticStore(&#place))
    } else {
        place.to_token_stream()
    };
    if !site.is_async {
        return quote_spanned!(at=> #there::idempotent::handle_blocking(&#place));
    }
    let handle = quote_spanned!(at=> {
        #[allow(unused_imports)]
        use #there::idempotent::OtherStore as _;
        #there::idempotent::NamedStore(&#place).handle()
    });
    let Some(transaction) = transaction else { return handle };
    let transaction = quote_spanned!(transaction.span()=> &*#transaction);
    quote_spanned!(at=> #there::idempotent::in_database(#transaction, #handle))
}

/// What is borrowed, where something is: `&self.store` is the handle in the field.
fn place(store: &Expr) -> &Expr {
    match store {
        Expr::Reference(lent) => place(&lent.expr),
        Expr::Paren(inner) => place(&inner.expr),
        other => other,
    }
}

/// Whether this is a `static` by its name, or what it points to.
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
