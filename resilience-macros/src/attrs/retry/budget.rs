//! `budget`, `budget = 0.2`, `budget = expr`: what retries draw on.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit};

use crate::args::{Args, Keyed, Value};
use crate::diagnostics::Errors;
use crate::splice::{Site, local};
use crate::value::{self, Constant};

pub(super) enum Budget {
    /// The function's own standard quota.
    Standard,
    /// The function's own, of a share of its calls.
    Ratio(f64),
    /// One from elsewhere.
    Shared(Expr),
}

impl Budget {
    pub(super) fn read(args: &mut Args, errors: &mut Errors) -> Option<Keyed<Self>> {
        let arg = args.take("budget")?;
        let value = match arg.value {
            Value::Bare => Ok(Self::Standard),
            Value::Expr(expr) => Self::of(expr),
            Value::Names(_) | Value::List(_) => Err(syn::Error::new_spanned(
                &arg.key,
                "`budget` takes no parentheses: `budget`, `budget = 0.2`, `budget = &BUDGET`",
            )),
        };
        errors.keep(value).map(|value| Keyed { key: arg.key, value })
    }

    fn of(expr: Expr) -> syn::Result<Self> {
        if !matches!(expr, Expr::Lit(ExprLit { .. })) {
            return Ok(Self::Shared(expr));
        }
        match value::number("budget", "0.2", expr.clone()).ok().as_ref().and_then(Constant::literal)
        {
            Some(ratio) if *ratio > 0.0 && *ratio <= 1.0 => Ok(Self::Ratio(*ratio)),
            _ => Err(syn::Error::new_spanned(
                expr,
                "a budget is a share of the calls, above 0 and at most 1: `budget = 0.2` allows one \
                 retry for five calls",
            )),
        }
    }

    /// The statements that yield the budget, as the local `budget`.
    ///
    /// The function's own stands in a `static`, which all instances of a generic function share.
    pub(super) fn generate(&self, Site { private, .. }: &Site) -> TokenStream {
        let budget = local("budget");
        let own = |make: TokenStream| {
            quote!(let #budget = {
                static __RESILIENCE_BUDGET: #private::RetryBudget = #make;
                #private::resolve(&__RESILIENCE_BUDGET)
            };)
        };
        match self {
            Self::Standard => own(quote!(#private::RetryBudget::new())),
            Self::Ratio(ratio) => own(quote!(#private::RetryBudget::ratio(#ratio))),
            Self::Shared(expr) => {
                let expr = expr.to_token_stream();
                quote! {
                    let #budget = &#expr;
                    let #budget = ::core::convert::AsRef::<#private::RetryBudget>::as_ref(#budget);
                }
            }
        }
    }
}
