//! `#[bulkhead]`: limits concurrent calls.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use resilience_rules::bulkhead as rules;
use syn::{Expr, Signature};

use crate::args::{Args, Keyed, value_of};
use crate::attrs::Role;
use crate::builder::Builder;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::keys::{check_literal, keys};
use crate::limit::{Limit, Limiter};
use crate::state_source::PolicyType;
use crate::value::Constant;

pub(crate) type Bulkhead = Limit<Keys>;

keys! {
    /// The keys of `#[bulkhead]`.
    pub(crate) struct Keys {
        policy {
            max: count [argument max],
            queue: count,
            wait: wait,
            shadow: switch,
            name: policy_name,
        }
        deferred {
            error: callable,
        }
    }
}

impl Limiter for Keys {
    const NAME: &'static str = "bulkhead";
    const DEFERRED_KEYS: &'static [&'static str] = Self::DEFERRED;
    const EXAMPLE: &'static str = "max = 10";
    const POLICY: PolicyType = PolicyType {
        name: "Bulkhead",
        key: "bulkhead",
        resolves_overrides: false,
        has_place: false,
    };
    const ROLES: &'static [Role] = &[Role::Rejects, Role::LimitsConcurrency];
    const WAIT_KEYS: &'static [&'static str] = &["queue", "wait", Self::POLICY.key];
    const HOLDS_PERMIT: bool = true;

    fn read(args: &mut Args, errors: &mut Errors) -> Self {
        Self::read(args, errors)
    }

    fn settings(&self) -> Vec<Ident> {
        self.settings()
    }

    fn check(&self, args: &Args, errors: &mut Errors) {
        if self.max.is_none() && args.lacks(&["max", "bulkhead"]) {
            errors.on_attribute("`#[bulkhead]` needs the number of concurrent calls: `max = 10`");
        }
        self.check_rules(errors);
        if let (Some(_), Some(_)) = (&self.queue, &self.wait) {
            check_literal(self.queue.as_ref(), rules::queue_of_wait, errors);
            check_literal(self.wait.as_ref(), rules::wait_in_queue, errors);
        }
    }

    fn check_generics(&self, function: &Signature, errors: &mut Errors) {
        self.check_generics(function, errors);
    }

    fn waits(&self) -> bool {
        self.queue.is_some() || self.wait.is_some()
    }

    fn wait(&self) -> Option<&Keyed<Constant<Duration>>> {
        self.wait.as_ref()
    }

    fn rejects(&self) -> bool {
        let is_unlimited = self.queue.is_none() && self.waits_without_limit();
        !is_unlimited && value_of(self.shadow.as_ref()) != Some(&true)
    }

    fn error(&self) -> Option<&Expr> {
        value_of(self.error.as_ref())
    }

    fn name(&self) -> Option<&Expr> {
        value_of(self.name.as_ref())
    }

    fn generate(&self, context: &Context) -> (TokenStream, TokenStream) {
        let mut builder = Builder::with("Bulkhead", context, |builder| {
            let max = value_of(self.max.as_ref());
            max.iter().map(|max| builder.argument(max, Some("max"))).collect()
        });
        self.set_constants(&mut builder);
        let (queue, wait) = (value_of(self.queue.as_ref()), value_of(self.wait.as_ref()));
        builder.require("queue_and_wait", queue, wait);
        if value_of(self.shadow.as_ref()) == Some(&true) {
            builder.set("shadow", None);
        }
        let name = value_of(self.name.as_ref());
        builder.into_static(&context.policy_name(name))
    }
}
