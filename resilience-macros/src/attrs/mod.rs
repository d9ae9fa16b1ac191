//! The attributes: keys, checks and code of each. A file or folder for each attribute; no attribute
//! imports another.

pub(crate) mod bulkhead;
pub(crate) mod circuit_breaker;
pub(crate) mod coalesce;
pub(crate) mod fallback;
pub(crate) mod hedge;
pub(crate) mod idempotent;
pub(crate) mod rate_limit;
pub(crate) mod retry;
pub(crate) mod timeout;

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, Signature};

use crate::args::Args;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::stack_info::StackInfo;

/// A property of a layer that matters to its siblings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The body may run more than once.
    Repeats,
    /// The body may run several times at once.
    RunsConcurrently,
    /// The layer runs the body again after a failure, until the last attempt.
    RetriesFailures,
    /// Attempts beside the first draw from a budget.
    SpendsBudget,
    /// A permit of the layer admits a number of concurrent calls.
    LimitsConcurrency,
    /// The layer acts on failures of the body.
    ActsOnFailures,
    /// The layer treats a rejection from inside differently from a failure of the body.
    ReadsRejections,
    /// The layer takes back the permits of a call that ends before its body starts.
    TakesBackPermits,
    /// The layer rejects calls.
    Rejects,
    /// The layer may set a deadline.
    SetsDeadline,
    /// The layer drops the body after a time limit. A deadline outside shortens the time.
    Interrupts,
    /// The layer turns a failure into a success.
    ReplacesFailures,
    /// The layer counts a panic of an async body: the innermost layer reports the panic.
    CountsPanics,
    /// The layer stores outcomes and returns them to later calls.
    StoresOutcomes,
    /// The layer returns the outcome of one run to several calls.
    SharesOutcomes,
}

/// An attribute in the pipeline. A value is the validated model.
pub(crate) trait LayerAttribute: Sized {
    const NAME: &'static str;

    /// The properties that matter to siblings.
    const ROLES: &'static [Role];

    /// The keys with values evaluated after the start of the body, with access to the arguments.
    const DEFERRED_KEYS: &'static [&'static str];

    /// The keys that let a call wait. With such a key a deadline outside shortens the wait.
    const WAIT_KEYS: &'static [&'static str] = &[];

    /// The keys with which the layer measures the time of the layers inside.
    const TIME_KEYS: &'static [&'static str] = &[];

    /// The keys of a repeating layer that decide whether a call waits in place of a rejection.
    const PATIENCE_KEYS: &'static [&'static str] = &[];

    /// The keys with which the layer sets a deadline, or takes a policy that may have a deadline.
    const DEADLINE_KEYS: &'static [&'static str] = &[];

    /// The keys with which the layer may count a call that is dropped.
    const CANCEL_KEYS: &'static [&'static str] = &[];

    /// A key with a value, for messages.
    const EXAMPLE: &'static str;

    /// The key for a policy made by hand, possibly at run time.
    const POLICY_KEY: Option<&'static str> = None;

    /// The key of a first value written without a key.
    const POSITIONAL_KEY: Option<&'static str> = None;

    /// The keys with a list of expressions in parentheses.
    const LIST_KEYS: &'static [&'static str] = &[];

    /// The marker of an excluded parameter. The expansion removes the marker.
    const PARAM_MARKER: Option<&'static str> = None;

    /// Takes the keys and reports every mistake in them.
    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self>;

    /// Generates the code around the body. Generation cannot fail: the model is valid.
    fn generate(&self, context: &Context) -> TokenStream;

    /// Reports an order that makes a layer useless or dangerous.
    fn check_order(&self, _stack: &StackInfo, _errors: &mut Errors) {}

    /// Reports a function that the attribute does not support.
    fn check_function(&self, _function: &Signature, _is_async: bool, _errors: &mut Errors) {}

    /// Returns the value of the key `name`.
    fn name(&self) -> Option<&Expr>;

    /// Returns the arguments to clone for each attempt.
    fn clones(&self) -> &[Ident] {
        &[]
    }

    /// Returns the owned arguments that keep the changes of an attempt for the next.
    fn carried(&self) -> &[Ident] {
        &[]
    }
}
