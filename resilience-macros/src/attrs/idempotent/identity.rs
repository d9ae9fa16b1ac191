//! The identity of a call: a key with a scope, or a step of an outer call.

use proc_macro2::Ident;
use syn::{Expr, ExprLit, Lit};

use super::keys::Keys;
use crate::args::{Args, Keyed, Value};
use crate::diagnostics::Errors;
use crate::value;

/// The identity of a call.
pub(super) enum Identity {
    Key {
        key: Box<Expr>,
        scope: Box<Scope>,
        optional: bool,
    },
    /// A step of an outer call, under the key of the outer call.
    Step(Expr),
}

/// The owner of a key.
pub(super) enum Scope {
    Global,
    Of(Expr),
}

/// Reads `"global"` or an expression.
pub(super) fn scope(expr: Expr) -> syn::Result<Scope> {
    value::unquoted("scope", &expr, &[("global", ())])?;
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "global" => {
            Ok(Scope::Global)
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Err(syn::Error::new_spanned(
            text,
            "the only scope in quotes is `\"global\"`, for keys that no client can choose; for any \
             other scope write an expression, like `scope = tenant_id`",
        )),
        other => Ok(Scope::Of(other)),
    }
}

/// Reads the name of a step.
pub(super) fn step(expr: Expr) -> syn::Result<Expr> {
    match value::text("step", expr)? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().is_empty() => {
            Err(syn::Error::new_spanned(
                text,
                "the name of a step is empty; name the step, like `step = \"charge\"`",
            ))
        }
        step => Ok(step),
    }
}

/// Reads `optional_key`, a key without a value.
pub(super) fn optional_key(key: &Ident, value: &Value) -> syn::Result<()> {
    match value {
        Value::Bare => Ok(()),
        Value::Expr(_) | Value::Names(_) | Value::List(_) => Err(syn::Error::new_spanned(
            key,
            "`optional_key` has no value; write `optional_key` alone to run calls without a key \
             unprotected",
        )),
    }
}

impl Identity {
    /// Takes the identity out of the keys, and reports missing and conflicting keys.
    pub(super) fn take(keys: &mut Keys, args: &Args, errors: &mut Errors) -> Option<Self> {
        let (key, scope, optional) = (keys.key.take(), keys.scope.take(), keys.optional_key.take());
        if let Some(Keyed { value: step, .. }) = &keys.step {
            let excluded = [
                key.map(|key| key.key),
                scope.map(|scope| scope.key),
                optional.map(|optional| optional.key),
            ];
            for key in excluded.into_iter().flatten() {
                errors.add(
                    &key,
                    format!(
                        "`{key}` and `step` exclude each other: a step has the key of the call \
                         around it; remove `{key}`"
                    ),
                );
            }
            return Some(Self::Step(step.clone()));
        }
        if key.is_none() && args.lacks(&["key", "step"]) {
            errors.on_attribute(
                "`#[idempotent]` needs the key that identifies a repeated call: \
                 `key = request_id`; inside another idempotent call write `step = \"…\"`",
            );
        }
        if scope.is_none() && args.lacks(&["scope", "step"]) {
            errors.on_attribute(
                "`#[idempotent]` needs the owner of the key: `scope = tenant_id`; for keys that no \
                 client can choose write `scope = \"global\"`",
            );
        }
        let optional = optional.is_some();
        Some(Self::Key { key: Box::new(key?.value), scope: Box::new(scope?.value), optional })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Result<Scope, String> {
        let expr = syn::parse_str(text).expect("an expression");
        super::scope(expr).map_err(|error| error.to_string())
    }

    #[test]
    fn global_is_the_only_scope_in_quotes() {
        assert!(matches!(scope("\"global\""), Ok(Scope::Global)));
        assert!(matches!(scope("tenant_id"), Ok(Scope::Of(_))));
        assert!(matches!(scope("7"), Ok(Scope::Of(_))));
        let message = |text| scope(text).err().unwrap_or_default();
        assert_eq!(message("global"), "a choice needs quotes: write `scope = \"global\"`");
        assert!(message("\"acme\"").starts_with("the only scope in quotes is `\"global\"`"));
    }
}
