//! The checks of the annotated function, shared by all attributes.

use proc_macro2::{Group, Ident, TokenStream};
use resilience_rules::nearest;
use syn::Signature;

use crate::async_trait;
use crate::diagnostics::Errors;
use crate::function::{Binding, Body, Function, PassMode, is_future};
use crate::order;
use crate::returned_borrow;
use crate::stack_info::StackInfo;
use crate::tokens::any_ident;

/// Returns the error for an item that could not be parsed as a function.
pub(crate) fn not_a_function(name: &str, item: &TokenStream, error: syn::Error) -> syn::Error {
    let words = item.clone().into_iter().take_while(|token| !token.to_string().starts_with('{'));
    let is_function = any_ident(&words.clone().collect(), &|ident| ident == "fn");
    if is_function {
        error
    } else {
        let has_methods = any_ident(&words.collect(), &|ident| ident == "impl" || ident == "trait");
        let fix = if has_methods { "; write the attribute above the methods inside" } else { "" };
        syn::Error::new_spanned(item, format!("`#[{name}]` needs a function or a method{fix}"))
    }
}

/// Reports a function that no attribute supports.
pub(crate) fn function(name: &str, function: &Function, boxed: bool, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(keyword) = &sig.constness {
        errors.add(
            keyword,
            format!("`#[{name}]` does not support a `const fn`: the attribute reads the clock at run time; remove \
                 `const`"),
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.add(variadic.dots, format!("`#[{name}]` does not support a variadic function"));
    }
    if let Body::Missing(rest) = &function.body {
        let message = format!(
            "`#[{name}]` needs a body; move the attribute to the methods in the `impl` blocks"
        );
        if rest.is_empty() {
            errors.add(&sig.ident, message);
        } else {
            errors.add(rest, message);
        }
    }
    if let Body::Block(body) = &function.body {
        if sig.asyncness.is_none() && !boxed {
            future(name, sig, body, errors);
        }
    }
}

/// Reports a function that returns a future and is no `async fn`, as written or after the expansion
/// of an attribute above.
fn future(name: &str, sig: &Signature, body: &Group, errors: &mut Errors) {
    let syn::ReturnType::Type(_, returns) = &sig.output else { return };
    if !is_future(returns) {
        return;
    }
    if async_trait::is_boxed_block(body) {
        errors.add(
            &sig.ident,
            format!(
                "`#[{name}]` would wrap the creation of this future, not its execution; move an \
                 attribute that boxes the future, such as `#[async_recursion]`, below `#[{name}]`, \
                 or make the function an `async fn`"
            ),
        );
    } else {
        errors.add(
            returns,
            format!(
                "`#[{name}]` would wrap the creation of this future, not its execution; make the \
                 function an `async fn`, in a trait with `#[async_trait]` if needed"
            ),
        );
    }
}

/// Reports another attribute of this crate that was expanded earlier on the same function.
pub(crate) fn not_expanded(name: &str, function: &Function, errors: &mut Errors) {
    if let Body::Block(body) = &function.body {
        if order::is_expanded(&body.stream()) {
            errors.on_attribute(renamed(name));
        }
    }
}

/// Returns the message for an attribute that an attribute above did not recognize.
pub(crate) fn renamed(name: &str) -> String {
    format!(
        "a resilience attribute above did not recognize this `#[{name}]`, so the order of the two \
         would be reversed; write the name of the attribute, as `#[{name}]` or \
         `#[resilience::{name}]`, without an import under another name"
    )
}

/// Reports an attribute of another crate with the name of an attribute of this library. Such an
/// attribute has left no layer in the body.
pub(crate) fn sibling_expanded(stack: &StackInfo, function: &Function, errors: &mut Errors) {
    let (Some(inner), Body::Block(body)) = (stack.inner.last(), &function.body) else { return };
    if !stack.incomplete && !order::is_expanded(&body.stream()) {
        let name = inner.name;
        errors.add(
            &function.sig.ident,
            format!(
                "the `#[{name}]` of this function is not the attribute of resilience; write the path \
                 of the other attribute, as `#[other_crate::{name}]`, or import it under another name"
            ),
        );
    }
}

/// Reports names in `clone(…)` that are no owned arguments.
pub(crate) fn clones(bindings: &[Binding], clones: &[Ident], errors: &mut Errors) {
    for clone in clones {
        let Some(binding) = find_argument(bindings, clone, errors) else { continue };
        if binding.pass_mode != PassMode::Value && binding.mutability.is_none() {
            errors.add(
                clone,
                format!(
                    "`{clone}` is a reference, and every attempt can use it; remove it from `clone`"
                ),
            );
        }
    }
}

/// Reports names in `carry(…)` that are no owned `mut` arguments, or that `clone(…)` has too.
pub(crate) fn carried(
    bindings: &[Binding],
    carried: &[Ident],
    clones: &[Ident],
    errors: &mut Errors,
) {
    for name in carried {
        let Some(binding) = find_argument(bindings, name, errors) else { continue };
        if clones.contains(name) {
            errors.add(
                name,
                format!(
                    "`carry({name})` and `clone({name})` exclude each other: an attempt starts with \
                     the value of the attempt before, or with a clone; remove one of them"
                ),
            );
        } else if binding.pass_mode != PassMode::Value {
            errors.add(
                name,
                format!(
                    "`{name}` is a reference, and every attempt can use it; remove it from `carry`"
                ),
            );
        } else if binding.mutability.is_none() {
            errors.add(
                name,
                format!(
                    "no attempt can change `{name}`; write `mut {name}` in the signature, or remove \
                     it from `carry`"
                ),
            );
        }
    }
}

/// Returns the argument with this name, and reports a name without an argument.
fn find_argument<'b>(
    bindings: &'b [Binding],
    name: &Ident,
    errors: &mut Errors,
) -> Option<&'b Binding> {
    let found = bindings.iter().find(|binding| binding.name == *name);
    if found.is_none() {
        let names: Vec<String> = bindings.iter().map(|binding| binding.name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = nearest(&name.to_string(), &names)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        errors.add(name, format!("this function has no argument `{name}`{hint}"));
    }
    found
}

/// Reports a function whose body cannot run several times at once. `clones` lists the arguments in
/// `clone(…)`.
pub(crate) fn concurrent(name: &str, bindings: &[Binding], clones: &[Ident], errors: &mut Errors) {
    for Binding { name: argument, pass_mode, mutability } in bindings {
        let shown =
            if argument == async_trait::SELF { "self".to_owned() } else { argument.to_string() };
        match pass_mode {
            PassMode::SharedRef => {}
            PassMode::Value if mutability.is_none() || clones.contains(argument) => {}
            PassMode::Value => errors.add(
                argument,
                format!(
                    "`{shown}` is passed by value and `mut`, and two attempts at once cannot change \
                     one value; write `#[{name}(clone({shown}))]` for a fresh value in each attempt, \
                     or remove `mut`"
                ),
            ),
            PassMode::OwnedRefMut => errors.add(
                argument,
                format!(
                    "`{shown}` is bound by `ref mut`, and two attempts at once cannot change one \
                     value; remove `ref` and write `#[{name}(clone({shown}))]`"
                ),
            ),
            PassMode::MutRef | PassMode::MutRefToList | PassMode::OptionMut | PassMode::PinMut => {
                errors.add(
                    argument,
                    format!(
                        "`{shown}` is borrowed exclusively, and `#[{name}]` lends the arguments to two \
                         attempts at once; take a shared reference, with a `Mutex` or an atomic inside \
                         if the body changes the value, or remove `#[{name}]`"
                    ),
                );
            }
        }
    }
}

/// Reports a function whose body cannot run more than once. `named` lists the arguments in
/// `clone(…)` and `carry(…)`.
pub(crate) fn repeatable(
    name: &str,
    function: &Function,
    bindings: &[Binding],
    named: &[&Ident],
    errors: &mut Errors,
) {
    for binding in bindings {
        let argument = &binding.name;
        let is_mut = binding.mutability.is_some() && binding.pass_mode == PassMode::Value;
        if is_mut && !named.contains(&argument) {
            errors.add(
                argument,
                format!(
                    "`{argument}` is passed by value and `mut`, so a change in one attempt would reach the \
                     next; write `#[{name}(clone({argument}))]` for a fresh value in each attempt, \
                     `#[{name}(carry({argument}))]` to keep the changes, or remove `mut`"
                ),
            );
        }
        if binding.pass_mode == PassMode::OwnedRefMut {
            errors.add(
                argument,
                format!(
                    "`{argument}` is passed by value and bound by `ref mut`, so a change in one attempt \
                     would reach the next; remove `ref` and write `#[{name}(clone({argument}))]` for a \
                     fresh value in each attempt, or take `&mut` to share the value"
                ),
            );
        }
    }
    if returned_borrow::returns_mut_borrow(&function.sig) {
        errors.add(
            &function.sig.output,
            format!(
                "`#[{name}]` cannot return a borrow of a `&mut` argument: a failed attempt would keep \
                 the borrow that the next attempt needs; return an owned value"
            ),
        );
    }
}
