//! The order of several attributes of this crate on one function: the top attribute becomes the
//! outermost layer.
//!
//! The compiler expands the top attribute first, so the top attribute would become the innermost
//! layer. Therefore the first expansion writes all attributes of the stack back in reverse order,
//! with their positions (`StackInfo`). An attribute with a position never reorders. Foreign
//! attributes keep their places.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, LitStr, Meta, Path};

use crate::args::{Args, runtime};
use crate::attrs::{LayerAttribute, Role};
use crate::codegen::{BODY_MARKER, local};
use crate::diagnostics::Errors;
use crate::function::Function;
use crate::stack_info::{BudgetVar, FailureVar, QueueUse, SignalVar, StackInfo};
use crate::third_party;
use crate::value;

/// An attribute of this crate, as known to the siblings on the same function.
#[derive(Clone, Copy)]
pub(crate) struct Sibling {
    pub(crate) name: &'static str,
    roles: &'static [Role],
    /// The keys with values evaluated after the start of the body.
    deferred_keys: &'static [&'static str],
    /// The keys that let a call wait.
    wait_keys: &'static [&'static str],
    /// The keys with which the layer measures the time of the layers inside.
    time_keys: &'static [&'static str],
    /// The keys that decide whether a call waits in place of a rejection.
    patience_keys: &'static [&'static str],
    /// The keys that set a deadline.
    deadline_keys: &'static [&'static str],
    /// The keys with which the layer may count a call that is dropped.
    cancel_keys: &'static [&'static str],
    /// The key for a policy made by hand.
    policy_key: Option<&'static str>,
}

impl Sibling {
    pub(crate) const fn of<A: LayerAttribute>() -> Self {
        Self {
            name: A::NAME,
            roles: A::ROLES,
            deferred_keys: A::DEFERRED_KEYS,
            wait_keys: A::WAIT_KEYS,
            time_keys: A::TIME_KEYS,
            patience_keys: A::PATIENCE_KEYS,
            deadline_keys: A::DEADLINE_KEYS,
            cancel_keys: A::CANCEL_KEYS,
            policy_key: A::POLICY_KEY,
        }
    }

    /// Returns whether a call may wait in the layer, with the right keys.
    pub(crate) fn may_wait(&self) -> bool {
        !self.wait_keys.is_empty()
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// An attribute of the stack, as the user wrote it.
struct Written {
    sibling: Sibling,
    path: TokenStream,
    args: TokenStream,
}

impl Written {
    fn has_any(&self, keys: &[&str]) -> bool {
        Args::has_any(&self.args, keys)
    }

    /// Returns whether the policy of the layer is made by hand.
    fn has_own_policy(&self) -> bool {
        self.sibling.policy_key.is_some_and(|key| self.has_any(&[key]))
    }

    /// Returns whether the layer takes the wait of a layer inside for time of the body. A timeout
    /// knows the wait.
    fn measures_time(&self) -> bool {
        self.has_any(self.sibling.time_keys)
    }

    /// Returns whether a call may wait in the layer.
    fn may_wait(&self) -> bool {
        self.has_any(self.sibling.wait_keys)
    }

    /// Returns whether the layer distinguishes a call that is dropped in a queue inside from a call
    /// that runs: a rate limit, and a breaker that may count dropped calls.
    fn reads_queue(&self) -> bool {
        self.sibling.has(Role::TakesBackPermits) || self.has_any(self.sibling.cancel_keys)
    }

    /// Returns whether a deadline outside shortens this layer.
    fn ends_at_deadline(&self) -> bool {
        self.sibling.has(Role::Interrupts) || self.may_wait()
    }

    /// Returns whether the layer has a deadline, or a policy that may have a deadline.
    fn sets_deadline(&self) -> bool {
        self.has_any(self.sibling.deadline_keys)
    }

    /// Returns the time limit of the layer, if the limit is a literal.
    fn time_limit(&self) -> Option<Duration> {
        let first = self.args.clone().into_iter().next()?;
        let text = syn::parse2::<LitStr>(first.into()).ok()?;
        value::duration_text(&text).ok().filter(|_| self.sibling.has(Role::Interrupts))
    }
}

/// Writes the attributes of the stack back in reverse order with their positions. Returns `None`
/// for an attribute without siblings.
pub(crate) fn reorder(
    table: &[Sibling],
    first: Sibling,
    args: &TokenStream,
    function: &Function,
) -> Option<TokenStream> {
    let named: Vec<(usize, &Attribute, Sibling)> = function
        .attrs
        .iter()
        .enumerate()
        .filter(|(index, attribute)| {
            let above = function.attrs.get(..*index).unwrap_or_default();
            !third_party::is_helper(attribute, above)
        })
        .filter_map(|(index, attribute)| Some((index, attribute, find_named(table, attribute)?)))
        .collect();
    // The paths of this library in the source, the first attribute first.
    let written_args = named.iter().map(|(_, attribute, _)| args_of(attribute));
    let roots: Vec<Path> =
        std::iter::once(args.clone()).chain(written_args).filter_map(|args| root(&args)).collect();
    let root = runtime(roots.first().cloned());
    let known = runtime(None);
    let known = syn::parse2(known).into_iter().chain(roots.iter().cloned()).collect::<Vec<_>>();
    // The stack as written, outermost first.
    let name = Ident::new(first.name, Span::call_site());
    let mut stack =
        vec![Written { sibling: first, path: quote!(#root::#name), args: args.clone() }];
    let mut places = Vec::new();
    for (index, attribute, sibling) in named {
        if is_of_library(attribute.path(), &known) {
            let path = attribute.path().to_token_stream();
            stack.push(Written { sibling, path, args: args_of(attribute) });
            places.push(index);
        }
    }
    if places.is_empty() {
        return None;
    }
    let positions = positions(&stack, function, &places).into_iter().map(|position| StackInfo {
        // A path is written once and applies to the whole stack.
        root: roots.first().cloned(),
        ..position
    });
    let positions = positions.zip(&stack);
    let attributes: Vec<_> = positions
        .map(|(position, Written { path, args, .. })| quote!(#[#path(#position #args)]))
        .collect();
    // The innermost layer comes first, in the top place.
    let mut reversed = attributes.into_iter().rev();
    let top = reversed.next();
    let attributes = function.attrs.iter().enumerate().map(|(index, attribute)| {
        match places.contains(&index).then(|| reversed.next()).flatten() {
            Some(written) => written,
            None => attribute.to_token_stream(),
        }
    });
    let attributes: TokenStream = attributes.collect();
    let rest = Function { attrs: Vec::new(), ..function.clone() };
    Some(quote!(#top #attributes #rest))
}

/// Returns whether another attribute has arranged the stack: an attribute below has a position.
pub(crate) fn is_arranged(table: &[Sibling], function: &Function) -> bool {
    let has_position = |attribute| StackInfo::split(table, args_of(attribute)).0.is_some();
    function.attrs.iter().any(has_position)
}

/// Returns the position of each attribute of the stack.
fn positions(stack: &[Written], function: &Function, places: &[usize]) -> Vec<StackInfo> {
    let parameters: Vec<Ident> =
        function.bindings().into_iter().map(|binding| binding.name).collect();
    let siblings: Vec<Sibling> = stack.iter().map(|written| written.sibling).collect();
    let is_async = function.sig.asyncness.is_some();
    let last = places.last().copied().unwrap_or_default();
    // A foreign attribute may move the body into a new function, which hides the locals in front.
    let in_front = function.attrs.get(..last).unwrap_or_default();
    let locals_reach_inside = in_front.iter().enumerate().all(|(index, attribute)| {
        places.contains(&index) || third_party::keeps_body_in_place(attribute, is_async)
    });
    let adjacent = adjacent_layers(function, places, is_async);
    let (signal, deadline_var) = (local("rejection"), local("deadline"));
    let failures = failure_vars(stack);
    let budget_vars = budget_vars(stack);
    let patience_var = local("patience");
    let patient = patient_layers(stack);
    let deadlines = deadline_layers(stack, &patient);
    let attempt_var = local("attempt");
    let attempts = attempt_layers(stack, &adjacent);
    let is_provided =
        |written: &Written| written.sibling.has(Role::CountsPanics) && written.has_own_policy();
    let enters_again =
        locals_reach_inside && (stack.iter().any(is_provided) || function.calls_itself());
    let (mut time_limit, mut next_limit): (Option<Duration>, Option<Duration>) = (None, None);
    let mut borrow_args = false;
    let mut lent: Vec<Ident> = Vec::new();
    let mut positions = Vec::new();
    for (index, written) in stack.iter().enumerate() {
        let Written { sibling, path, args } = written;
        let at = path.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span());
        let at = Ident::new(sibling.name, at);
        let (outer, inner) = siblings.split_at(index);
        let inner = inner.get(1..).unwrap_or_default();
        positions.push(StackInfo {
            at: Some(at),
            outer: outer.to_vec(),
            inner: inner.to_vec(),
            borrow_args,
            lent: lent.clone(),
            adjacent: adjacent.contains(&index),
            queue: queue_use(stack, index, &patient),
            trial_vars: if enters_again { trial_vars(stack, index) } else { Vec::new() },
            signal: SignalVar::of(&signal, sibling, outer, inner).filter(|_| locals_reach_inside),
            deadline_var: (deadlines.contains(&index) && locals_reach_inside)
                .then(|| deadline_var.clone()),
            failure: failures.get(index).cloned().flatten().filter(|_| locals_reach_inside),
            patience_var: (patient.contains(&index) && locals_reach_inside)
                .then(|| patience_var.clone()),
            budget_var: budget_vars.get(index).cloned().flatten().filter(|_| locals_reach_inside),
            attempt_var: (attempts.contains(&index) && is_async && locals_reach_inside)
                .then(|| attempt_var.clone()),
            root: None,
            incomplete: false,
            time_limit,
            next_limit,
        });
        next_limit = written.time_limit().filter(|_| adjacent.contains(&index));
        time_limit = [time_limit, written.time_limit()].into_iter().flatten().min();
        borrow_args |= sibling.has(Role::Repeats);
        lent.extend(Args::mentioned(args, sibling.deferred_keys, &parameters));
    }
    positions
}

/// Returns the layers with the code of the next layer in their braces, without foreign code in
/// between. The innermost layer has no next layer.
fn adjacent_layers(function: &Function, places: &[usize], is_async: bool) -> Vec<usize> {
    let starts = std::iter::once(0).chain(places.iter().map(|place| place + 1));
    let is_inert = |attribute: &Attribute| third_party::is_inert(attribute, is_async);
    let between = |(from, to): (usize, &usize)| function.attrs.get(from..*to).unwrap_or_default();
    let gaps = starts.zip(places).map(between).enumerate();
    gaps.filter(|(_, gap)| gap.iter().all(is_inert)).map(|(layer, _)| layer).collect()
}

/// Returns the layers that use the local with the deadline: a layer that sets the deadline, and the
/// layers inside that end with it.
fn deadline_layers(stack: &[Written], patient: &[usize]) -> Vec<usize> {
    // A retry with patience is in that list, too, and has no deadline outside.
    let ends = |layer: &usize| {
        patient.contains(layer) || stack.get(*layer).is_some_and(Written::ends_at_deadline)
    };
    let shares = |layer: &usize| {
        let (outer, rest) = stack.split_at(*layer);
        let sets_deadline = rest.first().is_some_and(Written::sets_deadline);
        sets_deadline && (layer + 1..stack.len()).any(|inner| ends(&inner))
            || ends(layer) && outer.iter().any(Written::sets_deadline)
    };
    (0..stack.len()).filter(shares).collect()
}

/// Returns the layers that use the local with the scope of an attempt, in an async function: a
/// retry whose attempts need no future of their own, because the next layer is adjacent, and the
/// innermost layer.
fn attempt_layers(stack: &[Written], adjacent: &[usize]) -> Vec<usize> {
    // A wait for the outcome of another call reads the context of the attempt.
    let awaits_outcome = |written: &Written| {
        written.sibling.has(Role::StoresOutcomes) || written.sibling.has(Role::SharesOutcomes)
    };
    let mut layers = Vec::new();
    for (layer, written) in stack.iter().enumerate() {
        let inner = stack.get(layer + 1..).unwrap_or_default();
        let retries = written.sibling.has(Role::RetriesFailures);
        let waits_in_scope = written.sets_deadline() && inner.iter().any(awaits_outcome);
        let is_scoped = retries && adjacent.contains(&layer) && !waits_in_scope;
        let has_outer = !layers.is_empty();
        if is_scoped || has_outer && (retries || inner.is_empty()) {
            layers.push(layer);
        }
    }
    layers
}

/// Returns the calls in queues that a layer distinguishes, or that a layer outside distinguishes.
fn queue_use(stack: &[Written], layer: usize, patient: &[usize]) -> QueueUse {
    let (outer, rest) = stack.split_at(layer);
    // An earlier attempt may have been sent before an attempt that waits in a queue.
    let inside = stack.iter().enumerate().skip(layer + 1);
    let mut inside = inside.take_while(|(_, written)| !written.sibling.has(Role::Repeats));
    let has_queue = inside.any(|(index, written)| patient.contains(&index) || written.may_wait());
    QueueUse {
        is_inside: has_queue && rest.first().is_some_and(Written::reads_queue),
        is_read: outer.iter().any(Written::reads_queue),
    }
}

/// Returns the layers that use the local with the patience of a call: a retry that waits for
/// rejections, the limits inside, and the timeouts in between. A limit then queues the call in
/// place of a rejection, so the calls are served in the order of arrival. The time of a timeout
/// starts after the wait. No other layer in between may take the wait for time of the body.
fn patient_layers(stack: &[Written]) -> Vec<usize> {
    let has_patience = |written: &Written| written.has_any(written.sibling.patience_keys);
    let Some(retry) = stack.iter().position(has_patience) else { return Vec::new() };
    let inside = stack.iter().enumerate().skip(retry + 1);
    let inside = inside.take_while(|(_, written)| !written.measures_time());
    let reached = |(index, written): (usize, &Written)| {
        let is_limit = written.sibling.may_wait();
        (is_limit || written.sibling.has(Role::Interrupts)).then_some((index, is_limit))
    };
    let mut layers: Vec<(usize, bool)> = inside.filter_map(reached).collect();
    // A timeout below the last limit has no wait inside.
    let last_limit = layers.iter().rposition(|(_, is_limit)| *is_limit);
    layers.truncate(last_limit.map_or(0, |last| last + 1));
    let layers = layers.into_iter().map(|(index, _)| index);
    if last_limit.is_some() { std::iter::once(retry).chain(layers).collect() } else { Vec::new() }
}

/// Returns the use of the local with the budget, for each layer: two layers of a function draw from
/// one budget. The policy of a retry made by hand has a budget of its own.
fn budget_vars(stack: &[Written]) -> Vec<Option<BudgetVar>> {
    let spends =
        |written: &Written| written.sibling.has(Role::SpendsBudget) && !written.has_own_policy();
    if stack.iter().filter(|written| spends(written)).count() < 2 {
        return Vec::new();
    }
    let name = local("shared_budget");
    let mut declared = false;
    let vars = stack.iter().map(|written| {
        spends(written).then(|| BudgetVar {
            name: name.clone(),
            declared: !std::mem::replace(&mut declared, true),
        })
    });
    vars.collect()
}

/// Returns the locals with the trial calls of the breakers from the outermost layer to a layer.
fn trial_vars(stack: &[Written], layer: usize) -> Vec<Ident> {
    let layers = stack.iter().take(layer + 1);
    let breakers = layers.filter(|written| written.sibling.has(Role::CountsPanics));
    breakers.enumerate().map(|(index, _)| local(&format!("trial{index}"))).collect()
}

/// Returns the use of the local with the last failure, for each layer.
///
/// A timeout above a retry ends all attempts, and the deadline of a retry ends the attempt of a
/// timeout below. The rejection of the timeout then names the failure of the last attempt.
fn failure_vars(stack: &[Written]) -> Vec<Option<FailureVar>> {
    let repeats = |written: &Written| written.sibling.has(Role::RetriesFailures);
    let interrupts = |written: &Written| written.sibling.has(Role::Interrupts);
    let mut declared = false;
    let vars = stack.iter().enumerate().map(|(index, written)| {
        let (outer, inner) = stack.split_at(index);
        let inner = inner.get(1..).unwrap_or_default();
        let ends_retry = interrupts(written) && inner.iter().any(repeats);
        let ended_by_deadline = interrupts(written) && outer.iter().any(Written::sets_deadline);
        let writes = repeats(written) && outer.iter().any(interrupts)
            || written.sets_deadline() && inner.iter().any(interrupts);
        (ends_retry || ended_by_deadline || writes).then(|| FailureVar {
            name: local("last_failure"),
            declared: !std::mem::replace(&mut declared, true),
            ends_retry,
        })
    });
    vars.collect()
}

/// Returns the sibling with the name of an attribute, whatever the path.
fn find_named(table: &[Sibling], attribute: &Attribute) -> Option<Sibling> {
    let last = attribute.path().segments.last()?;
    table.iter().find(|sibling| last.ident == sibling.name).copied()
}

/// Returns whether a path leads to an attribute of this library: a bare name, a path through a
/// crate named `resilience…`, or a path that ends like one of `roots`, such as `again::retry` for
/// `crate = ::again`.
fn is_of_library(path: &Path, roots: &[Path]) -> bool {
    let words = |path: &Path| -> Vec<String> {
        path.segments.iter().map(|segment| segment.ident.to_string()).collect()
    };
    let mut prefix = words(path);
    prefix.pop();
    match prefix.first() {
        None => true,
        Some(first) if first.starts_with("resilience") => true,
        Some(_) => roots.iter().any(|root| words(root).ends_with(&prefix)),
    }
}

/// Returns the path of this library in the arguments of an attribute.
fn root(args: &TokenStream) -> Option<Path> {
    if !Args::has_any(args, &["crate"]) {
        return None;
    }
    let mut unread = Errors::at(Span::call_site());
    Args::unchecked(args).root(&mut unread)
}

/// Tells the remaining siblings that a layer inside is missing because of a mistake.
pub(crate) fn mark_incomplete(table: &[Sibling], function: &mut Function) {
    for attribute in &mut function.attrs {
        let Meta::List(list) = &mut attribute.meta else { continue };
        if let (Some(info), args) = StackInfo::split(table, list.tokens.clone()) {
            let info = StackInfo { incomplete: true, ..info };
            list.tokens = quote!(#info #args);
        }
    }
}

fn args_of(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
    }
}

/// Returns whether a layer of this crate is already inside this body.
///
/// In that case the attribute was not recognized as a sibling, and the order of the layers would be
/// wrong.
pub(crate) fn is_expanded(body: &TokenStream) -> bool {
    crate::tokens::any_ident(body, &|ident| ident == BODY_MARKER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Sibling] = &[
        Sibling {
            name: "fallback",
            roles: &[],
            deferred_keys: &["with"],
            wait_keys: &[],
            time_keys: &[],
            patience_keys: &[],
            deadline_keys: &[],
            cancel_keys: &[],
            policy_key: None,
        },
        Sibling {
            name: "retry",
            roles: &[
                Role::Repeats,
                Role::RetriesFailures,
                Role::ReadsRejections,
                Role::SetsDeadline,
            ],
            deferred_keys: &[],
            wait_keys: &[],
            time_keys: &[],
            patience_keys: &[],
            deadline_keys: &["deadline"],
            cancel_keys: &[],
            policy_key: None,
        },
        Sibling {
            name: "timeout",
            roles: &[Role::Rejects, Role::Interrupts],
            deferred_keys: &[],
            wait_keys: &[],
            time_keys: &[],
            patience_keys: &[],
            deadline_keys: &[],
            cancel_keys: &[],
            policy_key: None,
        },
    ];

    /// Returns the output of the first expansion, as text with single spaces.
    fn reordered(first: usize, args: &TokenStream, function: TokenStream) -> Option<String> {
        let function = syn::parse2::<Function>(function).expect("a function");
        let tokens = reorder(TABLE, TABLE[first], args, &function)?;
        Some(tokens.to_string())
    }

    fn text(tokens: &TokenStream) -> String {
        tokens.to_string()
    }

    #[test]
    fn the_stack_is_written_back_in_reverse_with_positions() {
        let function = quote! {
            /// Docs stay.
            #[resilience::retry(attempts = 4, deadline = "9s")]
            #[inline]
            #[timeout("5s")]
            fn call(id: u32) -> Result<(), ()> { body }
        };
        let expected = quote! {
            #[timeout(@{ at[timeout] outer[fallback retry] inner[] borrow_args lent[]
                signal[resilience_rejection written] deadline_var[resilience_deadline]
                failure[resilience_last_failure] } "5s")]
            #[doc = r" Docs stay."]
            #[resilience::retry(@{ at[retry] outer[fallback] inner[timeout] lent[] adjacent
                signal[resilience_rejection declared read] deadline_var[resilience_deadline]
                failure[resilience_last_failure declared] } attempts = 4, deadline = "9s")]
            #[inline]
            #[::resilience::fallback(@{ at[fallback] outer[] inner[retry timeout] lent[] adjacent }
                value = 7)]
            fn call(id: u32) -> Result<(), ()> { body }
        };
        assert_eq!(reordered(0, &quote!(value = 7), function), Some(text(&expected)));
    }

    #[test]
    fn layers_inside_a_layer_that_uses_an_argument_borrow_the_argument() {
        let function = quote! {
            #[timeout("5s")]
            fn call(id: String, other: u32) -> Result<(), ()> { body }
        };
        let output = |args| reordered(0, &args, function.clone()).expect("two attributes");
        assert!(output(quote!(with = |_| id.len())).contains("lent [id]"));
        assert!(output(quote!(with = |_| format!("{id}"))).contains("lent [id]"));
        assert!(output(quote!(with = |_| "{{id}}")).contains("lent []"));
    }

    #[test]
    fn a_timeout_knows_the_limit_of_a_timeout_directly_above() {
        let position = |between: TokenStream| {
            let function = quote! {
                #between
                #[timeout("1s")]
                fn call() -> Result<(), ()> { body }
            };
            let output = reordered(2, &quote!("2s"), function).expect("two attributes");
            // The innermost layer comes first.
            let (innermost, _) = output.split_once("\"1s\"").expect("the limit");
            innermost.contains("next_limit [n2000000000]")
        };
        assert!(position(quote!()));
        assert!(!position(quote!(#[retry])));
        assert!(!position(quote!(#[some::wrapper])));
    }

    #[test]
    fn unknown_attributes_between_layers_hide_locals() {
        let stack = |foreign: TokenStream| {
            let function = quote! {
                #foreign
                #[timeout("5s")]
                fn call() -> Result<(), ()> { body }
            };
            reordered(1, &quote!(), function).expect("two attributes")
        };
        assert!(stack(quote!(#[must_use])).contains("adjacent signal"));
        let instrumented = stack(quote!(#[tracing::instrument]));
        assert!(!instrumented.contains("adjacent") && instrumented.contains("signal"));
        let unknown = stack(quote!(#[some::wrapper]));
        assert!(!unknown.contains("adjacent") && !unknown.contains("signal"), "{unknown}");
    }

    #[test]
    fn a_path_of_the_library_applies_to_every_layer() {
        let function = quote! {
            #[again::timeout("5s")]
            fn call() -> Result<(), ()> { body }
        };
        let output = reordered(1, &quote!(crate = ::exports::again), function);
        let output = output.expect("two attributes");
        assert_eq!(output.matches("root [:: exports :: again]").count(), 2, "{output}");
        assert!(output.contains("# [:: exports :: again :: retry"), "{output}");
    }

    #[test]
    fn attributes_of_other_crates_are_no_siblings() {
        let alone = quote! {
            #[ntest::timeout(100)]
            #[tokio::test]
            fn call() {}
        };
        assert_eq!(reordered(1, &quote!(), alone), None);
    }
}
