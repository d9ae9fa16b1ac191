//! `budget`, `budget = 0.2`, `budget = expr`: the budget of retries and hedges.
//!
//! A `#[retry]` and a `#[hedge]` on one function share a budget. The outer of the two creates the
//! budget, and the inner uses the local of the outer.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use resilience_rules::hints::as_share;
use resilience_rules::retry as rules;
use syn::Expr;
use syn::spanned::Spanned;

use crate::args::{Keyed, Value};
use crate::attrs::Role;
use crate::codegen::{Context, local};
use crate::diagnostics::Errors;
use crate::stack_info::{BudgetVar, StackInfo};
use crate::state_source::bind_handle;
use crate::value;

pub(crate) enum Budget {
    /// A standard budget of the function.
    Standard,
    /// A budget of the function, as a share of the calls.
    Ratio(f64),
    /// A budget made elsewhere.
    Provided(Expr),
}

impl Budget {
    /// The budget of a `#[hedge]` without `budget`, and of a `#[retry]` beside it.
    pub(crate) const SHARED: Self = Self::Ratio(resilience_rules::hedge::BUDGET);

    pub(crate) fn read(key: &Ident, value: Value) -> syn::Result<Self> {
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
        let ratio = match value::decimal(&expr) {
            Some(ratio) => ratio,
            None if !matches!(expr, Expr::Lit(_)) => {
                return value::policy(expr, String::new).map(Self::Provided);
            }
            None => f64::NAN,
        };
        let meant = value::number_in_quotes(&expr).and_then(as_share);
        match (rules::budget(ratio), meant) {
            (Ok(()), _) => Ok(Self::Ratio(ratio)),
            (Err(broken), None) => Err(syn::Error::new_spanned(expr, broken)),
            (Err(broken), Some(share)) => {
                Err(syn::Error::new_spanned(expr, format!("{broken}; write `budget = {share}`")))
            }
        }
    }

    /// Reports a budget on the inner of two attributes that share a budget.
    pub(crate) fn check_order(
        budget: Option<&Keyed<Self>>,
        stack: &StackInfo,
        errors: &mut Errors,
    ) {
        let (Some(Keyed { key, .. }), Some(BudgetVar { declared: false, .. })) =
            (budget, &stack.budget_var)
        else {
            return;
        };
        let outer = stack.outside(Role::Repeats).map_or("", |outer| outer.name);
        errors.add(
            key,
            format!(
                "the attempts of one function share one budget; move `{key}` to the `#[{outer}]` above"
            ),
        );
    }

    /// Returns a reference to a budget of a layer that certainly lives as long as the process.
    pub(crate) fn of_process(budget: Option<&Self>, context: &Context) -> Option<TokenStream> {
        match &context.stack.budget_var {
            Some(BudgetVar { declared: false, .. }) => None,
            Some(BudgetVar { name, .. }) => budget.unwrap_or(&Self::SHARED).forever(name, context),
            None => budget?.forever(&local("budget"), context),
        }
    }

    /// Returns a reference to a budget that certainly lives as long as the process: the budget of
    /// the function in `local`, or `&BUDGET` with the name of a `static`.
    fn forever(&self, local: &Ident, context: &Context) -> Option<TokenStream> {
        let Self::Provided(expr) = self else { return Some(local.to_token_stream()) };
        let Expr::Reference(reference) = expr else { return None };
        let Expr::Path(path) = &*reference.expr else { return None };
        let last = path.path.segments.last()?.ident.to_string();
        let private = context.private_at(expr.span().resolved_at(Span::call_site()));
        let is_static = !last.chars().any(char::is_lowercase);
        is_static.then(|| quote!(::core::convert::AsRef::<#private::RetryBudget>::as_ref(#expr)))
    }

    /// Returns the statements that start to spend for a call, in the local `spending`. A layer with
    /// a budget of its own uses `budget`. Returns `None` for a layer without a budget.
    pub(crate) fn spend(budget: Option<&Self>, context: &Context) -> Option<TokenStream> {
        let private = &context.private;
        let spending = local("spending");
        let (name, made) = match (&context.stack.budget_var, budget) {
            (Some(BudgetVar { name, declared: false }), _) => {
                return Some(quote!(let #spending = #private::Spending::joined(#name);));
            }
            (Some(BudgetVar { name, .. }), budget) => {
                (name.clone(), budget.unwrap_or(&Self::SHARED).generate(name, context))
            }
            (None, budget) => {
                let name = local("budget");
                let made = budget?.generate(&name, context);
                (name, made)
            }
        };
        Some(quote! {
            #made
            let #spending = #private::Spending::new(::core::option::Option::Some(#name));
        })
    }

    /// Returns the statements that bind the budget to the local `budget`.
    ///
    /// All instances of a generic function share the `static` budget of the function.
    fn generate(&self, budget: &Ident, context: &Context) -> TokenStream {
        let private = &context.private;
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
                bind_handle(
                    expr,
                    &ty.to_token_stream(),
                    context.is_exclusive(expr),
                    budget,
                    context,
                )
            }
        }
    }
}
