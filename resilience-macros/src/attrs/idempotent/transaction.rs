//! `transaction = …`: the transaction of the caller's, and what does not go with it.

use syn::{Expr, FnArg, Pat, Signature, Type};

use crate::args::Keyed;
use crate::diagnostics::Errors;
use crate::mark::Mark;

/// A place: an argument, or what is in a field.
pub(super) fn place(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(_) | Expr::Reference(_) => Err(syn::Error::new_spanned(
            expr,
            "expected the argument that is the transaction, by its name: `transaction = tx`",
        )),
        other => Ok(other),
    }
}

/// A retry, on whichever side, would do again what is still in the transaction.
pub(super) fn check_order(transaction: &Keyed<Expr>, mark: &Mark, errors: &mut Errors) {
    if mark.outer.iter().chain(&mark.inner).any(|layer| layer == "retry") {
        errors.add(
            &transaction.key,
            "a `#[retry]` on this function would do again what the transaction still holds of the attempt \
             before: put it on the function that begins the transaction",
        );
    }
}

/// What is handed over has to be there after the body, for the record and for the commit.
pub(super) fn check_function(
    transaction: &Keyed<Expr>,
    function: &Signature,
    is_async: bool,
    errors: &mut Errors,
) {
    if !is_async {
        errors.add(&transaction.key, "`transaction` needs an `async fn`");
    }
    let Expr::Path(place) = &transaction.value else { return };
    let Some(name) = place.path.get_ident() else { return };
    let ty = function.inputs.iter().find_map(|input| match input {
        FnArg::Typed(input) => match &*input.pat {
            Pat::Ident(pat) if pat.ident == *name => Some(&*input.ty),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    let Some(ty) = ty else { return };
    match bare(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {}
        Type::Reference(_) => {
            errors.add(ty, format!("the record is written in the transaction: take `{name}` as `&mut`"));
        }
        _ => errors.add(
            ty,
            format!(
                "`{name}` ends with the function, and a transaction that ends without a commit is rolled \
                 back: take it as `&mut`, and commit where it begins"
            ),
        ),
    }
}

/// Without what a macro puts around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}
