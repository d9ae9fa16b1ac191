//! `transaction = …`: the caller's transaction, and the checks for the transaction.

use syn::{Expr, FnArg, Pat, Signature, Type};

use crate::args::Keyed;
use crate::attrs::Role;
use crate::diagnostics::Errors;
use crate::function::bare;
use crate::stack_info::StackInfo;

/// Reads an argument or a field.
pub(super) fn read(expr: Expr) -> syn::Result<Expr> {
    match expr {
        Expr::Lit(_) | Expr::Reference(_) => Err(syn::Error::new_spanned(
            expr,
            "expected the name of the argument with the transaction: `transaction = tx`",
        )),
        other => Ok(other),
    }
}

/// Reports a retry on the same function: the retry would repeat statements still pending in the
/// transaction.
pub(super) fn check_order(transaction: &Keyed<Expr>, stack: &StackInfo, errors: &mut Errors) {
    let repeats = stack.outside(Role::Repeats).or_else(|| stack.inside(Role::Repeats));
    if let Some(repeats) = repeats {
        let name = repeats.name;
        errors.add(
            &transaction.key,
            format!(
                "`#[{name}]` on this function would repeat statements that the transaction still \
                 holds; move `#[{name}]` to the function that begins the transaction"
            ),
        );
    }
}

/// Reports a transaction that the function consumes: the record and the commit come after the body.
pub(super) fn check_function(
    transaction: &Keyed<Expr>,
    function: &Signature,
    is_async: bool,
    errors: &mut Errors,
) {
    if !is_async {
        errors.add(&transaction.key, "`transaction` needs an `async fn`; make the function async");
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
            errors.add(ty, format!("the record is written through `{name}`; take it as `&mut`"));
        }
        _ => errors.add(
            ty,
            format!(
                "the function drops `{name}`, and a transaction dropped without a commit is rolled back; \
                 take `{name}` as `&mut`, and commit in the function that begins it"
            ),
        ),
    }
}
