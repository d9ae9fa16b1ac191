//! `#[rate_limit]`: a place in time before the body.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Signature};

use crate::args::{Args, Keyed};
use crate::attrs::{Attribute, Role};
use crate::builder::Builder;
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::splice::{Site, local};
use crate::state_source::{Owned, check_generics};
use crate::value::{self, Constant};

/// The validated keys.
pub(crate) struct RateLimit {
    limiter: Owned,
    rate: Option<Keyed<Constant<u32>>>,
    per: Option<Keyed<Constant<Duration>>>,
    burst: Option<Keyed<Constant<u32>>>,
    wait: Option<Keyed<Constant<Duration>>>,
    error: Option<Expr>,
    name: Option<LitStr>,
}

impl Attribute for RateLimit {
    const NAME: &'static str = "rate_limit";
    const ROLES: &'static [Role] = &[Role::Rejects];
    const LATER: &'static [&'static str] = &["error"];
    const EXAMPLE: &'static str = "rate = 100";
    const BY_HAND: &'static str = "limiter";
    const HINTS: &'static [(&'static str, Hint)] = HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let rate = args.constant("rate", errors, rate);
        let per = args.constant("per", errors, |expr| value::duration("per", expr));
        let burst = args.constant("burst", errors, |expr| value::count("burst", expr));
        let wait = args.constant("wait", errors, |expr| value::duration("wait", expr));
        let name = args.value("name", errors, |expr| value::text("name", expr));
        let limiter = Owned::read("limiter", "RateLimiter", args, errors);
        let error = args.value("error", errors, |expr| value::callable("error", expr));
        let keys = [
            rate.as_ref().map(|keyed| &keyed.key),
            per.as_ref().map(|keyed| &keyed.key),
            burst.as_ref().map(|keyed| &keyed.key),
            wait.as_ref().map(|keyed| &keyed.key),
            name.as_ref().map(|keyed| &keyed.key),
        ];
        let given: Vec<Ident> = keys.into_iter().flatten().cloned().collect();
        let (error, name) = (error.map(|keyed| keyed.value), name.map(|keyed| keyed.value));
        let model = Self { limiter, rate, per, burst, wait, error, name };
        if model.limiter.is_shared() {
            Owned::exclude("limiter", &given, errors);
        } else {
            model.check(args, errors);
        }
        Some(model)
    }

    // Output:
    //
    //     let limiter = own({ static LIMITER: RateLimiter = …; &LIMITER });
    //     match limiter.acquire().await {
    //         Ok(()) => async move { body }.await,
    //         Err(rejected) => reject(rejected),
    //     }
    fn generate(&self, site: &Site) -> TokenStream {
        let [limiter, rejected] = ["limiter", "rejected"].map(local);
        let declared = site.declare_slot();
        let (policy, checks) = self.policy(site);
        let get = self.limiter.get(&limiter, &policy, site);
        let acquire = self.limiter.acquire(&limiter, self.wait.is_some(), site);
        let run = site.run();
        let turned_away = site.reject(&rejected, self.error.as_ref());
        quote! {
            #checks
            #declared
            #get
            match #acquire {
                ::core::result::Result::Ok(()) => #run,
                ::core::result::Result::Err(#rejected) => #turned_away,
            }
        }
    }

    fn check_function(&self, function: &Signature, _: bool, errors: &mut Errors) {
        self.limiter.check_generics(function, errors);
        if !self.limiter.is_shared() {
            check_generics(self.rate.as_ref(), function, errors);
            check_generics(self.per.as_ref(), function, errors);
            check_generics(self.burst.as_ref(), function, errors);
            check_generics(self.wait.as_ref(), function, errors);
        }
    }
}

impl RateLimit {
    /// The rules for literals, in the words of the runtime's `rules`.
    fn check(&self, args: &Args, errors: &mut Errors) {
        match &self.rate {
            Some(rate) if rate.value.literal() == Some(&0) => {
                errors.add(&rate.value, "`rate` is zero, so no call could ever run: at least 1");
            }
            None if args.lack(&["rate", "limiter"]) => errors.whole("`#[rate_limit]` needs a rate: `rate = 100`, and `per = \"1m\"` where it is not for a \
                 second",
            ),
            _ => {}
        }
        if let Some(per) = self.per.as_ref().filter(|per| is_zero(&per.value)) {
            errors.add(&per.value, "`per` is zero, and a rate needs a period");
        }
        if let Some(burst) = self.burst.as_ref().filter(|burst| burst.value.literal() == Some(&0)) {
            errors.add(
                &burst.value,
                "`burst` counts the call that is made, so it must be at least 1",
            );
        }
    }

    fn policy(&self, site: &Site) -> (TokenStream, TokenStream) {
        let private = &site.private;
        let mut builder = Builder::with("RateLimiter", site, |builder| {
            let Some(rate) = &self.rate else { return Vec::new() };
            let per = self.per.as_ref().map(|per| builder.check_time("per", &per.value));
            let per = per.unwrap_or_else(|| quote!(#private::Duration::from_secs(1)));
            vec![builder.check_count("rate", &rate.value), per]
        });
        if let Some(Keyed { value: burst, .. }) = &self.burst {
            builder.checked("burst", burst, &burst.to_token_stream());
        }
        if let Some(Keyed { value: wait, .. }) = &self.wait {
            let time = builder.time(wait);
            builder.set_at(wait.source().span(), "wait", Some(&time));
        }
        builder.named(&site.policy_name(self.name.as_ref()))
    }
}

/// A whole number. A rate and its period in one, or a part of a call, are told apart.
fn rate(expr: Expr) -> syn::Result<Constant<u32>> {
    let words = match &expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let text = text.value();
            let (rate, period) = text.split_once('/').unwrap_or((&text, "s"));
            let (rate, period) = (rate.trim(), period.trim());
            match (rate.parse::<u32>(), ["s", "m", "h", "d"].contains(&period)) {
                (Ok(rate), true) => format!("write `rate = {rate}, per = \"1{period}\"`"),
                _ => "expected a whole number, with its period: `rate = 100, per = \"1m\"`".into(),
            }
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => {
            "expected a whole number: less than one in a second is one in a longer `per`, like \
             `rate = 1, per = \"2s\"`"
                .into()
        }
        _ => return value::count("rate", expr),
    };
    Err(syn::Error::new_spanned(expr, words))
}

fn is_zero(time: &Constant<Duration>) -> bool {
    time.literal().is_some_and(Duration::is_zero)
}

const RATE: &str = "calls in a period";
const PER: &str = "the period that the rate is for";
const WAIT: &str = "how long a call may wait for its turn";

/// The names that other libraries use.
const HINTS: &[(&str, Hint)] = &[
    ("limit", Hint::Same("rate", "100", RATE)),
    ("calls", Hint::Same("rate", "100", RATE)),
    ("max_calls", Hint::Same("rate", "100", RATE)),
    ("requests", Hint::Same("rate", "100", RATE)),
    ("permits", Hint::Same("rate", "100", RATE)),
    ("limit_for_period", Hint::Same("rate", "100", RATE)),
    ("max_executions", Hint::Same("rate", "100", RATE)),
    ("requests_per_second", Hint::Same("rate", "100", RATE)),
    ("per_second", Hint::Same("rate", "100", RATE)),
    ("rps", Hint::Same("rate", "100", RATE)),
    ("period", Hint::Same("per", "\"1s\"", PER)),
    ("interval", Hint::Same("per", "\"1s\"", PER)),
    ("window", Hint::Same("per", "\"1s\"", PER)),
    ("limit_refresh_period", Hint::Same("per", "\"1s\"", PER)),
    ("burst_size", Hint::Same("burst", "20", "calls at once from rest")),
    ("bucket", Hint::Same("burst", "20", "calls at once from rest")),
    ("capacity", Hint::Same("burst", "20", "calls at once from rest")),
    ("max_burst", Hint::Same("burst", "20", "calls at once from rest")),
    ("timeout", Hint::Same("wait", "\"100ms\"", WAIT)),
    ("timeout_duration", Hint::Same("wait", "\"100ms\"", WAIT)),
    ("max_wait", Hint::Same("wait", "\"100ms\"", WAIT)),
    ("max_wait_time", Hint::Same("wait", "\"100ms\"", WAIT)),
    ("shared", Hint::Other("write `limiter = &SHARED`")),
];
