//! The attributes: keys, checks and code of each. A file or folder for each attribute; no attribute
//! imports another.

pub(crate) mod bulkhead;
pub(crate) mod circuit_breaker;
pub(crate) mod fallback;
pub(crate) mod idempotent;
pub(crate) mod rate_limit;
pub(crate) mod retry;
pub(crate) mod timeout;

use proc_macro2::{Ident, TokenStream};
use syn::Signature;

use crate::args::Args;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::stack_info::StackInfo;

/// A property of a layer that its siblings depend on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The body may run more than once.
    Repeats,
    /// The layer acts on failures of the body.
    ActsOnFailures,
    /// The layer treats a rejection from inside differently from a failure of the body.
    ReadsRejections,
    /// The layer rejects calls.
    Rejects,
    /// The layer may set a deadline.
    SetsDeadline,
    /// The layer drops a body that takes too long. A deadline outside shortens the time.
    Interrupts,
    /// The layer turns a failure into a success.
    ReplacesFailures,
    /// The layer stores outcomes and returns them to later calls.
    StoresOutcomes,
}

/// An attribute as the pipeline uses it. A value is the validated model.
pub(crate) trait LayerAttribute: Sized {
    const NAME: &'static str;

    /// The properties that siblings depend on.
    const ROLES: &'static [Role];

    /// The keys with values that run after the start of the body, and so may use its arguments.
    const DEFERRED_KEYS: &'static [&'static str];

    /// A key with a value, for messages.
    const EXAMPLE: &'static str;

    /// The key for a policy made by hand, possibly at run time.
    const POLICY_KEY: &'static str = "policy";

    /// The key of a first value that is written without a key.
    const POSITIONAL_KEY: Option<&'static str> = None;

    /// The keys with a list of expressions in parentheses.
    const LIST_KEYS: &'static [&'static str] = &[];

    /// The attribute on a parameter that excludes the parameter. The expansion removes it.
    const PARAM_MARKER: Option<&'static str> = None;

    /// The keys of other libraries, each with an answer.
    const HINTS: &'static [(&'static str, Hint)];

    /// Takes the keys and reports every mistake in them.
    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self>;

    /// Generates the code around the body. Generation cannot fail: the model is valid.
    fn generate(&self, context: &Context) -> TokenStream;

    /// Reports a position among the siblings that makes a layer useless or dangerous.
    fn check_order(&self, _stack: &StackInfo, _errors: &mut Errors) {}

    /// Reports a function that the attribute does not support.
    fn check_function(&self, _function: &Signature, _is_async: bool, _errors: &mut Errors) {}

    /// Returns the arguments that are cloned for each attempt.
    fn clones(&self) -> &[Ident] {
        &[]
    }
}
