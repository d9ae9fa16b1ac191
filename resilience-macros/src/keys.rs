//! The declaration of the keys of an attribute.
//!
//! `keys!` makes a struct with a field for each key. The declaration also generates functions that
//! read the keys, list the given settings, check literals by the rules, check for generic
//! parameters, and write constants to the policy. A new key needs a rule in `resilience-rules`, a
//! line in a declaration, and documentation.
//!
//! ```text
//! keys! {
//!     /// The keys of `#[example]`.
//!     pub(super) struct Keys {
//!         policy { max: count [rule max], wait: time }
//!         function { name: text }
//!         deferred { error: callable }
//!     }
//! }
//! ```
//!
//! Sections:
//! - `policy`: settings of the policy, forbidden beside a policy made by hand,
//! - `function`: keys of the annotated function,
//! - `deferred`: keys with values evaluated after the start of the body, with access to the
//!   arguments (`LayerAttribute::DEFERRED_KEYS`).
//!
//! Kinds: `count`, `count(read)`, `number("1.5")`, `share`, `time` and `wait` are constants;
//! `policy_name`, `choice(Type, WORDS)` and `switch` are literals;
//! `callable`, `hook`, `flag`, `key_of_call` and `value(Type, read)` are values;
//! `partly_known(Type, is_constant, read)` is known at compile time for the selected expressions;
//! `constant(Type, read)` is a value known at compile time; `form(Type, read)` may also have the
//! form of a call; `argument(Type, read)` has a special form, such as `key(a, b)`;
//! `positional(Type, read, "example")` is written without the key.
//!
//! A constant of the section `policy` becomes a call of the policy's method with the name of the
//! key. The declaring module imports the rules as `rules`. After a key,
//! - `[rule name]` checks literals here and expressions in generated code,
//! - `[literal name]` checks literals only,
//! - `[argument name]` checks literals only, and leaves the key to the constructor of the policy.

use resilience_rules::RuleResult;
use resilience_rules::hints::as_share;

use crate::args::Keyed;
use crate::diagnostics::Errors;
use crate::value::Constant;

/// Declares the keys of an attribute; see the module.
macro_rules! keys {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(policy {
                $(
                    $(#[$pdoc:meta])*
                    $pkey:ident: $pkind:ident $(($($pparam:tt)*))? $([$pmode:ident $prule:ident])?
                ),* $(,)?
            })?
            $(function {
                $(
                    $(#[$fdoc:meta])*
                    $fkey:ident: $fkind:ident $(($($fparam:tt)*))? $([$fmode:ident $frule:ident])?
                ),* $(,)?
            })?
            $(deferred {
                $(
                    $(#[$ddoc:meta])*
                    $dkey:ident: $dkind:ident $(($($dparam:tt)*))?
                ),* $(,)?
            })?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($($(#[$pdoc])* $vis $pkey: Option<$crate::args::Keyed<
                $crate::keys::key!(type $pkind $(($($pparam)*))?)
            >>,)*)?
            $($($(#[$fdoc])* $vis $fkey: Option<$crate::args::Keyed<
                $crate::keys::key!(type $fkind $(($($fparam)*))?)
            >>,)*)?
            $($($(#[$ddoc])* $vis $dkey: Option<$crate::args::Keyed<
                $crate::keys::key!(type $dkind $(($($dparam)*))?)
            >>,)*)?
        }

        #[allow(dead_code, unused_variables, reason = "an attribute may lack settings or constants")]
        impl $name {
            $vis const DEFERRED: &'static [&'static str] = &[$($(stringify!($dkey)),*)?];

            /// Takes the keys from the arguments.
            $vis fn read(
                args: &mut $crate::args::Args,
                errors: &mut $crate::diagnostics::Errors,
            ) -> Self {
                Self {
                    $($($pkey: $crate::keys::key!(
                        read args, errors, $pkey, $pkind $(($($pparam)*))?
                    ),)*)?
                    $($($fkey: $crate::keys::key!(
                        read args, errors, $fkey, $fkind $(($($fparam)*))?
                    ),)*)?
                    $($($dkey: $crate::keys::key!(
                        read args, errors, $dkey, $dkind $(($($dparam)*))?
                    ),)*)?
                }
            }

            /// Returns the given settings of the policy.
            $vis fn settings(&self) -> Vec<proc_macro2::Ident> {
                let settings: Vec<Option<proc_macro2::Ident>> =
                    vec![$($(self.$pkey.as_ref().map(|keyed| keyed.key.clone())),*)?];
                settings.into_iter().flatten().collect()
            }

            /// Checks literals by the rules of their keys. Returns whether all rules hold.
            $vis fn check_rules(&self, errors: &mut $crate::diagnostics::Errors) -> bool {
                let results = [
                    true,
                    $($($($crate::keys::key!(
                        check errors, self.$pkey.as_ref(), $pkind, $pmode, rules::$prule
                    ),)?)*)?
                    $($($($crate::keys::key!(
                        check errors, self.$fkey.as_ref(), $fkind, $fmode, rules::$frule
                    ),)?)*)?
                ];
                results.into_iter().all(|holds| holds)
            }

            /// Reports constants with a generic parameter: a `static` cannot hold them.
            $vis fn check_generics(
                &self,
                function: &syn::Signature,
                errors: &mut $crate::diagnostics::Errors,
            ) {
                $($($crate::keys::key!(generics function, errors, self.$pkey.as_ref(), $pkind);)*)?
                $($($crate::keys::key!(generics function, errors, self.$fkey.as_ref(), $fkind);)*)?
            }

            /// Sets the constants of the section `policy` on the policy under construction.
            $vis fn set_constants(&self, builder: &mut $crate::builder::Builder<'_>) {
                $($($crate::keys::key!(
                    set builder, $pkey, self.$pkey.as_ref(), $pkind $(, $pmode $prule)?
                );)*)?
            }
        }
    };
}

/// Expands a key in a generated function of `keys!`.
macro_rules! key {
    (type count $(($read:expr))?) => { $crate::value::Constant<u32> };
    (type number($example:literal)) => { $crate::value::Constant<f64> };
    (type share) => { $crate::value::Constant<f64> };
    (type time) => { $crate::value::Constant<std::time::Duration> };
    (type wait) => { $crate::value::Constant<std::time::Duration> };
    (type callable) => { syn::Expr };
    (type hook) => { syn::Expr };
    (type key_of_call) => { syn::Expr };
    (type flag) => { syn::Expr };
    (type policy_name) => { syn::Expr };
    (type switch) => { bool };
    (type $kind:ident($ty:ty, $($rest:tt)*)) => { $ty };

    (read $args:ident, $errors:ident, $key:ident, count) => {
        $args.constant(stringify!($key), $errors, |expr| {
            $crate::value::count(stringify!($key), expr)
        })
    };
    (read $args:ident, $errors:ident, $key:ident, count($read:expr)) => {
        $args.constant(stringify!($key), $errors, $read)
    };
    (read $args:ident, $errors:ident, $key:ident, number($example:literal)) => {
        $args.constant(stringify!($key), $errors, |expr| {
            $crate::value::number(stringify!($key), $example, expr)
        })
    };
    (read $args:ident, $errors:ident, $key:ident, share) => {
        $crate::keys::key!(read $args, $errors, $key, number("0.5"))
    };
    (read $args:ident, $errors:ident, $key:ident, time) => {
        $args.constant(stringify!($key), $errors, |expr| {
            $crate::value::duration(stringify!($key), expr)
        })
    };
    (read $args:ident, $errors:ident, $key:ident, wait) => {
        $args.constant(stringify!($key), $errors, |expr| {
            $crate::value::wait(stringify!($key), expr)
        })
    };
    (read $args:ident, $errors:ident, $key:ident, constant($ty:ty, $read:expr)) => {
        $args.constant(stringify!($key), $errors, $read)
    };
    (read $args:ident, $errors:ident, $key:ident, form($ty:ty, $read:expr)) => {
        $args.form(stringify!($key), $errors, $read)
    };
    (read $args:ident, $errors:ident, $key:ident, partly_known($ty:ty, $is_constant:expr, $read:expr)) => {
        $args.partly_known(stringify!($key), $errors, $is_constant, $read)
    };
    (read $args:ident, $errors:ident, $key:ident, choice($ty:ty, $words:expr)) => {
        $args.literal(stringify!($key), $errors, |key, value| {
            $crate::value::choice(stringify!($key), &value.expression(key)?, $words)
        })
    };
    (read $args:ident, $errors:ident, $key:ident, policy_name) => {
        $args.literal(stringify!($key), $errors, |key, value| {
            $crate::value::name(value.expression(key)?)
        })
    };
    (read $args:ident, $errors:ident, $key:ident, switch) => {
        $args.literal(stringify!($key), $errors, $crate::value::switch)
    };
    (read $args:ident, $errors:ident, $key:ident, value($ty:ty, $read:expr)) => {
        $args.value(stringify!($key), $errors, $read)
    };
    (read $args:ident, $errors:ident, $key:ident, argument($ty:ty, $read:expr)) => {
        $args.argument(stringify!($key), $errors, $read)
    };
    (read $args:ident, $errors:ident, $key:ident, positional($ty:ty, $read:expr, $example:literal)) => {
        $args.positional(stringify!($key), $errors, $example, $read)
    };
    (read $args:ident, $errors:ident, $key:ident, key_of_call) => {
        $args.key(stringify!($key), $errors)
    };
    (read $args:ident, $errors:ident, $key:ident, hook) => {
        $args.hook(stringify!($key), $errors)
    };
    (read $args:ident, $errors:ident, $key:ident, $kind:ident) => {
        $args.value(stringify!($key), $errors, |expr| $crate::value::$kind(stringify!($key), expr))
    };

    (check $errors:ident, $keyed:expr, share, $mode:ident, $rule:path) => {
        $crate::keys::check_share($keyed, $rule, $errors)
    };
    (check $errors:ident, $keyed:expr, $kind:ident, $mode:ident, $rule:path) => {
        $crate::keys::check_literal($keyed, $rule, $errors)
    };

    (generics $function:ident, $errors:ident, $keyed:expr, count) => {
        $crate::state_source::check_generics($keyed, $function, $errors)
    };
    (generics $function:ident, $errors:ident, $keyed:expr, number) => {
        $crate::state_source::check_generics($keyed, $function, $errors)
    };
    (generics $function:ident, $errors:ident, $keyed:expr, share) => {
        $crate::state_source::check_generics($keyed, $function, $errors)
    };
    (generics $function:ident, $errors:ident, $keyed:expr, time) => {
        $crate::state_source::check_generics($keyed, $function, $errors)
    };
    (generics $function:ident, $errors:ident, $keyed:expr, wait) => {
        $crate::state_source::check_generics($keyed, $function, $errors)
    };
    (generics $function:ident, $errors:ident, $keyed:expr, hook) => {
        if let Some($crate::args::Keyed { key, value }) = $keyed {
            $crate::state_source::check_generic_expr(&key.to_string(), value, $function, $errors);
        }
    };
    (generics $function:ident, $errors:ident, $keyed:expr, $kind:ident) => {};

    (set $builder:ident, $key:ident, $keyed:expr, $kind:ident, argument $rule:ident) => {};
    (set $builder:ident, $key:ident, $keyed:expr, $kind:ident, literal $rule:ident) => {
        $crate::keys::key!(set $builder, $key, $keyed, $kind)
    };
    (set $builder:ident, $key:ident, $keyed:expr, $kind:ident, rule $rule:ident) => {
        $builder.constant(stringify!($key), $keyed, Some(stringify!($rule)))
    };
    (set $builder:ident, $key:ident, $keyed:expr, count) => {
        $builder.constant(stringify!($key), $keyed, None)
    };
    (set $builder:ident, $key:ident, $keyed:expr, number) => {
        $builder.constant(stringify!($key), $keyed, None)
    };
    (set $builder:ident, $key:ident, $keyed:expr, share) => {
        $builder.constant(stringify!($key), $keyed, None)
    };
    (set $builder:ident, $key:ident, $keyed:expr, time) => {
        $builder.constant(stringify!($key), $keyed, None)
    };
    (set $builder:ident, $key:ident, $keyed:expr, wait) => {
        $builder.constant(stringify!($key), $keyed, None)
    };
    (set $builder:ident, $key:ident, $keyed:expr, $kind:ident) => {};
}

pub(crate) use {key, keys};

/// Checks a literal. Returns whether the rule holds.
pub(crate) fn check_literal<T: Copy>(
    keyed: Option<&Keyed<Constant<T>>>,
    rule: impl Fn(T) -> RuleResult,
    errors: &mut Errors,
) -> bool {
    let Some(Keyed { value, .. }) = keyed else { return true };
    let Some(literal) = value.literal() else { return true };
    errors.check(value, rule(*literal))
}

/// Checks a share of the calls. A percentage gets the share as a suggestion.
pub(crate) fn check_share(
    keyed: Option<&Keyed<Constant<f64>>>,
    rule: impl Fn(f64) -> RuleResult,
    errors: &mut Errors,
) -> bool {
    let Some(Keyed { key, value }) = keyed else { return true };
    let Some(literal) = value.literal() else { return true };
    let share = as_share(*literal).filter(|share| rule(*share).is_ok());
    match (rule(*literal), share) {
        (Err(broken), Some(share)) => {
            errors.add(value, format!("{broken}; write `{key} = {share}`"));
            false
        }
        (result, _) => errors.check(value, result),
    }
}
