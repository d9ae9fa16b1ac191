//! `#[bulkhead]`: a permit for as long as the body runs.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, LitStr, Signature};

use crate::args::{Args, Keyed};
use crate::attrs::{Attribute, Role};
use crate::builder::Builder;
use crate::diagnostics::Errors;
use crate::hint::Hint;
use crate::splice::{Site, local};
use crate::state_source::{Owned, check_generics};
use crate::value::{self, Constant};

/// The validated keys.
pub(crate) struct Bulkhead {
    bulkhead: Owned,
    max: Option<Keyed<Constant<u32>>>,
    queue: Option<Keyed<Constant<u32>>>,
    wait: Option<Keyed<Constant<Duration>>>,
    error: Option<Expr>,
    name: Option<LitStr>,
}

impl Attribute for Bulkhead {
    const NAME: &'static str = "bulkhead";
    const ROLES: &'static [Role] = &[Role::Rejects];
    const LATER: &'static [&'static str] = &["error"];
    const EXAMPLE: &'static str = "max = 10";
    const BY_HAND: &'static str = "bulkhead";
    const HINTS: &'static [(&'static str, Hint)] = HINTS;

    fn validate(args: &mut Args, errors: &mut Errors) -> Option<Self> {
        let max = args.constant("max", errors, |expr| value::count("max", expr));
        let queue = args.constant("queue", errors, |expr| value::count("queue", expr));
        let wait = args.constant("wait", errors, |expr| value::duration("wait", expr));
        let name = args.value("name", errors, |expr| value::text("name", expr));
        let bulkhead = Owned::read("bulkhead", "Bulkhead", args, errors);
        let error = args.value("error", errors, |expr| value::callable("error", expr));
        let keys = [
            max.as_ref().map(|keyed| &keyed.key),
            queue.as_ref().map(|keyed| &keyed.key),
            wait.as_ref().map(|keyed| &keyed.key),
            name.as_ref().map(|keyed| &keyed.key),
        ];
        let given: Vec<Ident> = keys.into_iter().flatten().cloned().collect();
        let (error, name) = (error.map(|keyed| keyed.value), name.map(|keyed| keyed.value));
        let model = Self { bulkhead, max, queue, wait, error, name };
        if model.bulkhead.is_shared() {
            Owned::exclude("bulkhead", &given, errors);
        } else {
            model.check(args, errors);
        }
        Some(model)
    }

    // Output:
    //
    //     let bulkhead = own({ static BULKHEAD: Bulkhead = …; &BULKHEAD });
    //     match bulkhead.acquire().await {
    //         Ok(permit) => {
    //             let out = async move { body }.await;
    //             drop(permit);
    //             out
    //         }
    //         Err(rejected) => reject(rejected),
    //     }
    fn generate(&self, site: &Site) -> TokenStream {
        let [bulkhead, permit, rejected, out] =
            ["bulkhead", "permit", "rejected", "out"].map(local);
        let declared = site.declare_slot();
        let (policy, checks) = self.policy(site);
        let get = self.bulkhead.get(&bulkhead, &policy, site);
        let waits = self.queue.is_some() || self.wait.is_some();
        let acquire = self.bulkhead.acquire(&bulkhead, waits, site);
        let run = site.run();
        let turned_away = site.reject(&rejected, self.error.as_ref());
        quote! {
            #checks
            #declared
            #get
            match #acquire {
                ::core::result::Result::Ok(#permit) => {
                    let #out = #run;
                    ::core::mem::drop(#permit);
                    #out
                }
                ::core::result::Result::Err(#rejected) => #turned_away,
            }
        }
    }

    fn check_function(&self, function: &Signature, _: bool, errors: &mut Errors) {
        self.bulkhead.check_generics(function, errors);
        if !self.bulkhead.is_shared() {
            check_generics(self.max.as_ref(), function, errors);
            check_generics(self.queue.as_ref(), function, errors);
            check_generics(self.wait.as_ref(), function, errors);
        }
    }
}

impl Bulkhead {
    /// The rules for literals, in the words of the runtime's `rules`.
    fn check(&self, args: &Args, errors: &mut Errors) {
        match &self.max {
            Some(max) if max.value.literal() == Some(&0) => {
                errors.add(&max.value, "`max` is zero, so no call could ever run: at least 1");
            }
            None if args.lack(&["max", "bulkhead"]) => errors
                .whole("`#[bulkhead]` needs to know how many calls may run at once: `max = 10`"),
            _ => {}
        }
        let queue = self.queue.as_ref().and_then(|keyed| keyed.value.literal());
        let wait = self.wait.as_ref().and_then(|keyed| keyed.value.literal());
        if let (Some(keyed), Some(0), Some(_)) = (&self.queue, queue, &self.wait) {
            errors.add(&keyed.value, "`queue` is zero, so there is no place for the `wait`");
        }
        if let (Some(keyed), Some(time), Some(_)) = (&self.wait, wait, &self.queue) {
            if time.is_zero() {
                errors.add(&keyed.value, "`wait` is zero, so nobody could stay in the `queue`");
            }
        }
    }

    fn policy(&self, site: &Site) -> (TokenStream, TokenStream) {
        let mut builder = Builder::with("Bulkhead", site, |builder| {
            self.max.iter().map(|max| builder.check_count("max", &max.value)).collect()
        });
        if let Some(Keyed { value: queue, .. }) = &self.queue {
            builder.set_at(queue.source().span(), "queue", Some(&queue.to_token_stream()));
        }
        if let Some(Keyed { value: wait, .. }) = &self.wait {
            let time = builder.time(wait);
            builder.set_at(wait.source().span(), "wait", Some(&time));
        }
        if let (Some(Keyed { value: queue, .. }), Some(Keyed { value: wait, .. })) =
            (&self.queue, &self.wait)
        {
            if queue.literal().is_none() || wait.literal().is_none() {
                let time = builder.time(wait);
                builder.require("queue_and_wait", queue, wait, &quote!(#queue, #time));
            }
        }
        builder.named(&site.policy_name(self.name.as_ref()))
    }
}

/// The names that other libraries use.
const HINTS: &[(&str, Hint)] = &[
    ("limit", Hint::Same("max", "10", "calls at once")),
    ("concurrency", Hint::Same("max", "10", "calls at once")),
    ("max_concurrency", Hint::Same("max", "10", "calls at once")),
    ("max_concurrent", Hint::Same("max", "10", "calls at once")),
    ("max_concurrent_calls", Hint::Same("max", "10", "calls at once")),
    ("permits", Hint::Same("max", "10", "calls at once")),
    ("permit_limit", Hint::Same("max", "10", "calls at once")),
    ("value", Hint::Same("max", "10", "calls at once")),
    ("capacity", Hint::Other("`max = 10` is how many run, `queue = 20` how many wait")),
    ("max_capacity", Hint::Other("`max = 10` is how many run, `queue = 20` how many wait")),
    ("max_queue", Hint::Same("queue", "20", "calls that may wait")),
    ("queue_limit", Hint::Same("queue", "20", "calls that may wait")),
    ("queue_size", Hint::Same("queue", "20", "calls that may wait")),
    ("queue_capacity", Hint::Same("queue", "20", "calls that may wait")),
    ("waiting_task_queue", Hint::Same("queue", "20", "calls that may wait")),
    ("max_wait", Hint::Same("wait", "\"100ms\"", "how long a call may wait")),
    ("max_wait_duration", Hint::Same("wait", "\"100ms\"", "how long a call may wait")),
    ("timeout", Hint::Same("wait", "\"100ms\"", "how long a call may wait")),
    ("shared", Hint::Other("write `bulkhead = &SHARED`")),
];
