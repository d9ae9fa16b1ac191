//! What an attribute is: keys, checks, code. One file each; none imports another.

pub(crate) mod bulkhead;
pub(crate) mod circuit_breaker;
pub(crate) mod fallback;
pub(crate) mod idempotent;
pub(crate) mod rate_limit;
pub(crate) mod retry;
pub(crate) mod timeout;

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::Signature;

use crate::args::Args;
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::mark::Mark;
use crate::splice::Site;

/// How a layer takes part in what passes between layers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The body may run more than once.
    Repeats,
    /// It treats a rejection by a layer inside differently from a failure of the body.
    Listens,
    /// It turns calls away.
    Rejects,
    /// It may set a deadline.
    Bounds,
    /// A deadline outside shortens its own time.
    IsBounded,
    /// It must remember a call for as long as a sibling goes on trying.
    Remembers,
}

/// An attribute as the pipeline sees it. The value is the validated model.
pub(crate) trait Attribute: Sized {
    const NAME: &'static str;

    /// What the layers around it must know.
    const ROLES: &'static [Role];

    /// The keys whose values run when the body has begun, and so may need its arguments again.
    const LATER: &'static [&'static str];

    /// A key with its value, for messages.
    const EXAMPLE: &'static str;

    /// The key for a policy that was made by hand, which may be known at run time only.
    const BY_HAND: &'static str = "policy";

    /// The key that a first value without one belongs to.
    const FIRST: Option<&'static str> = None;

    /// The keys whose values are a list of expressions in parentheses.
    const LISTS: &'static [&'static str] = &[];

    /// The attribute of an argument that is of no concern to this one, which takes it off.
    const SKIP: Option<&'static str> = None;

    /// The keys that other libraries use, and what to say about each.
    const HINTS: &'static [(&'static str, Hint)];

    /// Takes the keys and reports everything that is wrong with them.
    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self>;

    /// Code around the body. Cannot fail: what could is not in the model.
    fn generate(&self, site: &Site) -> TokenStream;

    /// Reports a place among its siblings that would make a layer dead or dangerous.
    fn check_order(&self, _mark: &Mark, _errors: &mut Errors) {}

    /// Reports a function that the attribute cannot go on.
    fn check_function(&self, _function: &Signature, _is_async: bool, _errors: &mut Errors) {}

    /// For how long a call goes on trying, where its keys tell.
    fn horizon(&self) -> Option<Duration> {
        None
    }

    /// The arguments that get a clone for each attempt.
    fn clones(&self) -> &[proc_macro2::Ident] {
        &[]
    }
}
