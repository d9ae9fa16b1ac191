//! By what a call is known: a key and whose it is, or a step of the call around it.

use syn::{Expr, LitStr};

use crate::args::{Arg, Args, Keyed, Value};
use crate::diagnostics::Errors;
use crate::value;

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

/// The keys that say it, as they are written.
pub(super) struct Words {
    pub(super) step: Option<Keyed<LitStr>>,
    key: Option<Keyed<Expr>>,
    scope: Option<Keyed<Expr>>,
    optional: Option<Arg>,
}

impl Words {
    pub(super) fn take(args: &mut Args, errors: &mut Errors) -> Self {
        Self {
            key: args.value("key", errors, Ok),
            scope: args.value("scope", errors, Ok),
            optional: args.take("optional_key"),
            step: args.value("step", errors, |expr| value::text("step", expr)),
        }
    }

    /// What they say. Asked when all keys are taken, so that what is left may have been meant for one of these.
    pub(super) fn read(self, args: &Args, errors: &mut Errors) -> Option<Identity> {
        let Self { step, key, scope, optional } = self;
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
            return Some(Identity::Step(step.value));
        }
        let is_optional = optional.is_some();
        if let Some(Arg { key, value: Value::Expr(_) | Value::Names(_) | Value::List(_) }) =
            optional
        {
            errors.add(key, "`optional_key` stands alone: a call without a key runs unprotected");
        }
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
        let key = Box::new(key?.value);
        Some(Identity::Key { key, scope: Box::new(scope), optional: is_optional })
    }
}
