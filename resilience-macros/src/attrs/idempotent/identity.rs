//! By what a call is known: a key and whose it is, or a step of the call around it.

use syn::{Expr, LitStr};

use crate::args::{Args, Keyed, Value};
use crate::diagnostics::Errors;

/// By what a call is known.
pub(super) enum Identity {
    Key {
        key: Box<Expr>,
        scope: Box<Scope>,
        optional: bool,
    },
    /// By the key of the call around it.
    Step(LitStr),
}

/// Whose key it is.
pub(super) enum Scope {
    Global,
    Of(Expr),
}

impl Identity {
    pub(super) fn read(
        step: Option<&Keyed<LitStr>>,
        args: &mut Args,
        errors: &mut Errors,
    ) -> Option<Self> {
        let key = args.value("key", errors, Ok);
        let scope = args.value("scope", errors, Ok);
        let optional = args.take("optional_key");
        if let Some(step) = step {
            let others = [
                key.map(|key| key.key),
                scope.map(|scope| scope.key),
                optional.map(|optional| optional.key),
            ];
            for other in others.into_iter().flatten() {
                errors.add(
                    &other,
                    format!(
                        "`{other}` and `step` exclude each other: a step has the key of the call \
                         around it"
                    ),
                );
            }
            return Some(Self::Step(step.value.clone()));
        }
        let optional = match optional.map(|optional| (optional.key, optional.value)) {
            None => false,
            Some((_, Value::Bare)) => true,
            Some((key, _)) => {
                errors
                    .add(key, "`optional_key` stands alone: a call without a key runs unprotected");
                true
            }
        };
        if key.is_none() && args.lack(&["key", "step"]) {
            errors.whole(
                "`#[idempotent]` needs the key by which a repeated call is known: \
                 `key = request_id`; inside of another idempotent call, `step = \"…\"`",
            );
        }
        if scope.is_none() && args.lack(&["scope", "step"]) {
            errors.whole(
                "`#[idempotent]` needs to know whose key it is: `scope = tenant_id`; or, for keys \
                 that nobody outside can choose, `scope = global`",
            );
        }
        let scope = match scope?.value {
            Expr::Path(path) if path.path.is_ident("global") => Scope::Global,
            other => Scope::Of(other),
        };
        Some(Self::Key { key: Box::new(key?.value), scope: Box::new(scope), optional })
    }
}
