//! `budget`, `budget = 0.2`, `budget = expr`: the budget of the retries.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use resilience_rules::retry as rules;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit};

use crate::args::Value;
use crate::codegen::{Context, local};
use crate::state_source::bind_handle;
use crate::value;

pub(super) enum Budget {
    /// A standard budget of the function.
    Standard,
    /// A budget of the function, as a share of the calls.
    Ratio(f64),
    /// A budget made elsewhere.
    Provided(Expr),
}

impl Budget {
    pub(super) fn read(key: &Ident, value: Value) -> syn::Result<Self> {
        match value {
            Value::Bare => Ok(Self::Standard),
            Value::Expr(expr) => Self::from_expr(expr),
            Value::Names(_) | Value::List(_) => Err(syn::Error::new_spanned(
                key,
                "`budget` takes no parentheses; write `budget`, `budget = 0.2` or \
                 `budget = &BUDGET`",
            )),
        }
    }

    fn from_expr(expr: Expr) -> syn::Result<Self> {
        let Expr::Lit(ExprLit { lit, .. }) = &expr else { return Ok(Self::Provided(expr)) };
        let ratio = value::decimal(lit).unwrap_or(f64::NAN);
        match rules::budget(ratio) {
            Ok(()) => Ok(Self::Ratio(ratio)),
            Err(broken) => Err(syn::Error::new_spanned(expr, broken)),
        }
    }

    /// Returns a reference to a budget that certainly lives as long as the process: the budget of
    /// the function in `local`, or `&BUDGET` with the name of a `static`.
    pub(super) fn of_process(&self, local: &Ident, context: &Context) -> Option<TokenStream> {
        let Self::Provided(expr) = self else { return Some(local.to_token_stream()) };
        let Expr::Reference(reference) = expr else { return None };
        let Expr::Path(path) = &*reference.expr else { return None };
        let last = path.path.segments.last()?.ident.to_string();
        let private = context.private_at(expr.span().resolved_at(Span::call_site()));
        let is_static = !last.chars().any(char::is_lowercase);
        is_static.then(|| quote!(::core::convert::AsRef::<#private::RetryBudget>::as_ref(#expr)))
    }

    /// Returns the statements that bind the budget to the local `budget`.
    ///
    /// All instances of a generic function share the `static` budget of the function.
    pub(super) fn generate(&self, context: &Context) -> TokenStream {
        let private = &context.private;
        let budget = local("budget");
        let per_function = |make: TokenStream| {
            quote!(let #budget = {
                static __RESILIENCE_BUDGET: #private::RetryBudget = #make;
                #private::resolve(&__RESILIENCE_BUDGET)
            };)
        };
        match self {
            Self::Standard => per_function(quote!(#private::RetryBudget::new())),
            Self::Ratio(ratio) => per_function(quote!(#private::RetryBudget::ratio(#ratio))),
            Self::Provided(expr) => {
                let ty = Ident::new("RetryBudget", Span::call_site());
                bind_handle(expr, &ty, context.is_exclusive(expr), &budget, context)
            }
        }
    }
}
