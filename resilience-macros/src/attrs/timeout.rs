//! `#[timeout]`: the body is dropped when its time is over.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, LitStr, ReturnType, Signature};

use crate::args::Args;
use crate::attrs::{Attribute, Role};
use crate::borrow::is_future;
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::splice::{Site, local};
use crate::value::{self, Constant};

/// The validated keys.
pub(crate) struct Timeout {
    limit: Constant<std::time::Duration>,
    error: Option<Expr>,
    name: Option<LitStr>,
}

impl Attribute for Timeout {
    const NAME: &'static str = "timeout";
    const ROLES: &'static [Role] = &[Role::Rejects, Role::IsBounded];
    const LATER: &'static [&'static str] = &["error"];
    const EXAMPLE: &'static str = "name = \"fetch\"";
    const FIRST: Option<&'static str> = Some("limit");
    const HINTS: &'static [(&'static str, Hint)] = HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let limit = args.first("limit", errors, "#[timeout(\"5s\")]", limit);
        let error = args.value("error", errors, |expr| value::callable("error", expr));
        let name = args.value("name", errors, |expr| value::text("name", expr));
        Some(Self {
            limit: limit?.value,
            error: error.map(|keyed| keyed.value),
            name: name.map(|keyed| keyed.value),
        })
    }

    // Output:
    //
    //     match timeout(limit, bound, async move { body }).await {
    //         Ok(out) => out,
    //         Err(limit) => reject(Rejected::timed_out(name, limit)),
    //     }
    fn generate(&self, site: &Site) -> TokenStream {
        let private = &site.private;
        let [out, limit, rejected] = ["out", "limit", "rejected"].map(local);
        let time = value::time_tokens(&self.limit, private);
        let bound = site.mark.bound.as_ref();
        let bound = bound.map_or_else(|| quote!(#private::None), |bound| quote!(#bound));
        let future = site.future();
        let name = site.policy_name(self.name.as_ref());
        let outcome = site.reject(&rejected, self.error.as_ref());
        quote! {
            match #private::timeout(#time, #bound, #future).await {
                ::core::result::Result::Ok(#out) => #out,
                ::core::result::Result::Err(#limit) => {
                    let #rejected = #private::Rejected::timed_out(#name, #limit);
                    #outcome
                }
            }
        }
    }

    fn check_function(&self, function: &Signature, is_async: bool, errors: &mut Errors) {
        // What cannot be async for another reason is told so elsewhere.
        let is_future =
            matches!(&function.output, ReturnType::Type(_, returns) if is_future(returns));
        if !is_async && !is_future && function.constness.is_none() {
            errors.add(
                function.fn_token,
                "`#[timeout]` needs an `async fn`: a sync body cannot be stopped while it runs; give \
                 the call inside it a timeout of its own, or make the function async",
            );
        }
    }
}

/// A duration in quotes, or any expression that is one: the only key that may be known at run time
/// only.
fn limit(expr: Expr) -> syn::Result<Constant<std::time::Duration>> {
    let limit = value::duration_behind("", expr)?;
    match limit.literal() {
        Some(time) if time.is_zero() => Err(syn::Error::new_spanned(
            limit,
            "a timeout of zero leaves no time to run: write `\"5s\"`, or leave the attribute away",
        )),
        _ => Ok(limit),
    }
}

const LIMIT: Hint = Hint::Other("the time stands alone: `#[timeout(\"5s\")]`");

/// The names that other libraries use.
const HINTS: &[(&str, Hint)] = &[
    ("after", LIMIT),
    ("duration", LIMIT),
    ("max", LIMIT),
    ("millis", LIMIT),
    ("ms", LIMIT),
    ("secs", LIMIT),
    ("seconds", LIMIT),
    ("time", LIMIT),
    ("timeout", LIMIT),
    ("value", LIMIT),
    (
        "on_timeout",
        Hint::Other(
            "the error is made by `error = |rejected| …`; the call that is too slow is told as an event",
        ),
    ),
];
