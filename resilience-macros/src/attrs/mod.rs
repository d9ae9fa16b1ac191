//! What an attribute is: keys, checks, code. One file each; none imports another.

pub(crate) mod retry;

use proc_macro2::TokenStream;

use crate::args::{Args, Hint};
use crate::diagnostics::Errors;
use crate::order::Mark;
use crate::splice::Site;

/// An attribute as the pipeline sees it. The value is the validated model.
pub(crate) trait Attribute: Sized {
    const NAME: &'static str;

    /// Whether the body may run more than once.
    const REPEATS: bool;

    /// The keys that other libraries use, and what to say about each.
    const HINTS: &'static [(&'static str, Hint)];

    /// Takes the keys and reports everything that is wrong with them.
    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self>;

    /// Code around the body. Cannot fail: what could is not in the model.
    fn generate(&self, site: &Site) -> TokenStream;

    /// Reports a place among its siblings that would make a layer dead or dangerous.
    fn check_order(_mark: &Mark, _errors: &mut Errors) {}

    /// The arguments that get a clone for each attempt.
    fn clones(&self) -> &[proc_macro2::Ident] {
        &[]
    }
}
