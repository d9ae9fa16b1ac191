//! What every attribute asks of the function it stands on.

use proc_macro2::{Ident, TokenStream};

use crate::borrow;
use crate::diagnostics::Errors;
use crate::function::{Binding, Body, Function, Taken};
use crate::hint::nearest;
use crate::order;
use crate::tokens::any_ident;

/// The message for an item that could not be read as a function.
pub(crate) fn not_a_function(name: &str, item: &TokenStream, error: syn::Error) -> syn::Error {
    let words = item.clone().into_iter().take_while(|token| !token.to_string().starts_with('{'));
    let is_function = any_ident(&words.collect(), &|ident| ident == "fn");
    if is_function {
        error
    } else {
        syn::Error::new_spanned(item, format!("`#[{name}]` goes on a function or a method"))
    }
}

pub(crate) fn function(name: &str, function: &Function, boxed: bool, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(keyword) = &sig.constness {
        errors.add(
            keyword,
            format!("`#[{name}]` cannot go on a `const fn`: it waits and reads the clock"),
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.add(variadic.dots, format!("`#[{name}]` cannot go on a variadic function"));
    }
    if let Body::Missing(rest) = &function.body {
        let message =
            format!("`#[{name}]` needs a body: put it on the methods that implement this one");
        if rest.is_empty() {
            errors.add(&sig.ident, message);
        } else {
            errors.add(rest, message);
        }
    }
    if sig.asyncness.is_none() && !boxed {
        if let syn::ReturnType::Type(_, returns) = &sig.output {
            if borrow::is_future(returns) {
                errors.add(
                    returns,
                    format!(
                        "`#[{name}]` would go around the making of this future, not around its run: \
                         make it an `async fn`, with `#[async_trait]` where a trait needs it"
                    ),
                );
            }
        }
    }
}

/// An attribute that saw no siblings, on a function that has one already.
pub(crate) fn unmarked(name: &str, function: &Function, errors: &mut Errors) {
    if let Body::Block(body) = &function.body {
        if order::is_expanded(&body.stream()) {
            errors.add(
                &function.sig.ident,
                format!(
                    "another resilience attribute on this function was expanded before \
                     `#[{name}]` and did not see it, so their order would be turned round: write \
                     both by their own names, `#[{name}]` or `#[resilience::{name}]`"
                ),
            );
        }
    }
}

/// `clone(…)` names owned arguments.
pub(crate) fn clones(bindings: &[Binding], clones: &[Ident], errors: &mut Errors) {
    for clone in clones {
        match bindings.iter().find(|binding| binding.name == *clone) {
            Some(binding) if binding.taken != Taken::Value && !binding.mutable => errors.add(
                clone,
                format!(
                    "`{clone}` is a reference and lent to every attempt; there is nothing to clone"
                ),
            ),
            Some(_) => {}
            None => {
                let names: Vec<String> =
                    bindings.iter().map(|binding| binding.name.to_string()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let hint = nearest(&clone.to_string(), &names)
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                errors.add(clone, format!("this function has no argument `{clone}`{hint}"));
            }
        }
    }
}

/// What a body must allow to run more than once.
pub(crate) fn repeatable(
    name: &str,
    function: &Function,
    bindings: &[Binding],
    clones: &[Ident],
    errors: &mut Errors,
) {
    for binding in bindings {
        let argument = &binding.name;
        if binding.mutable && !clones.contains(argument) {
            errors.add(
                argument,
                format!(
                    "`{argument}` is taken by value and `mut`, so one attempt's changes would reach \
                     the next: write `#[{name}(clone({argument}))]` to give each attempt its own, or \
                     take it without `mut`, or by `&mut` if it is meant to be shared"
                ),
            );
        }
    }
    if borrow::returns_mut_borrow(&function.sig) {
        errors.add(
            &function.sig.output,
            format!(
                "`#[{name}]` cannot return a borrow of a `&mut` argument: a failed attempt would \
                 keep what the next one needs"
            ),
        );
    }
}
