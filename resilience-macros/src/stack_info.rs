//! The position of an attribute in the stack. The first expansion writes the position into the
//! arguments of each attribute: `@{ … }`.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

use crate::attrs::Role;
use crate::order::Sibling;

/// The position of an attribute among the siblings, and the duties of the position.
#[derive(Clone, Default)]
pub(crate) struct StackInfo {
    /// The name of the attribute, spanned where the user wrote the attribute.
    pub(crate) at: Option<Ident>,
    /// The layers outside, outermost first.
    pub(crate) outer: Vec<Sibling>,
    /// The layers inside, outermost first.
    pub(crate) inner: Vec<Sibling>,
    /// A layer outside runs the body again: each run borrows the arguments.
    pub(crate) borrow_args: bool,
    /// The arguments that the keys of the layers outside name: the body borrows them.
    pub(crate) lent: Vec<Ident>,
    /// The braces hold the code of a layer of this crate, without foreign code in between.
    pub(crate) adjacent: bool,
    pub(crate) queue: QueueUse,
    /// The locals with the trial calls of the breakers outside and of this layer, outermost first.
    pub(crate) trial_vars: Vec<Ident>,
    pub(crate) signal: Option<SignalVar>,
    /// The local with the deadline from outside, for a timeout inside.
    pub(crate) deadline_var: Option<Ident>,
    pub(crate) failure: Option<FailureVar>,
    /// The local with the time that a limit inside may let the call wait in place of a rejection.
    pub(crate) patience_var: Option<Ident>,
    /// The local with the budget of a retry and a hedge.
    pub(crate) budget_var: Option<BudgetVar>,
    /// The local with the scope of an attempt, for the layer around the code of the user.
    pub(crate) attempt_var: Option<Ident>,
    /// The path of the runtime, for a layer without `crate`.
    pub(crate) root: Option<Path>,
    /// A layer inside is missing because of a mistake in its attribute.
    pub(crate) incomplete: bool,
    /// The shortest literal time limit of the layers outside.
    pub(crate) time_limit: Option<Duration>,
    /// The literal time limit of the next layer outside, without foreign code in between.
    pub(crate) next_limit: Option<Duration>,
}

/// The calls that a layer distinguishes from running calls: a call that waits in a queue.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QueueUse {
    /// This layer distinguishes a call in the queue of a layer inside. No layer in between repeats
    /// the body.
    pub(crate) is_inside: bool,
    /// A layer outside distinguishes a call in the queue of this layer.
    pub(crate) is_read: bool,
}

/// The local with the budget that a retry and a hedge share.
#[derive(Clone)]
pub(crate) struct BudgetVar {
    pub(crate) name: Ident,
    /// This layer is the outer of the two: this layer declares the local.
    pub(crate) declared: bool,
}

/// The local with the text of the last failure of a retry, for the rejection of a timeout.
#[derive(Clone)]
pub(crate) struct FailureVar {
    /// Created by the first expansion, so all layers name the same local.
    pub(crate) name: Ident,
    /// This layer is the outermost that uses the local.
    pub(crate) declared: bool,
    /// This layer is a timeout with a retry inside.
    pub(crate) ends_retry: bool,
}

/// The local with rejections for the layers outside, and the use of the local by this layer.
#[derive(Clone)]
pub(crate) struct SignalVar {
    /// Created by the first expansion, so all layers name the same local.
    pub(crate) name: Ident,
    /// No layer outside reads the local: this layer declares the local.
    pub(crate) declared: bool,
    /// This layer reads the local, and a layer inside writes the local.
    pub(crate) read: bool,
    /// A layer outside reads the local: this layer writes the local.
    pub(crate) written: bool,
}

impl ToTokens for StackInfo {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let names = |siblings: &[Sibling]| -> Vec<Ident> {
            siblings.iter().map(|sibling| Ident::new(sibling.name, Span::call_site())).collect()
        };
        let (outer, inner) = (names(&self.outer), names(&self.inner));
        let borrow_args = self.borrow_args.then(|| quote!(borrow_args));
        let lent = &self.lent;
        let adjacent = self.adjacent.then(|| quote!(adjacent));
        let queue = (self.queue != QueueUse::default()).then(|| {
            let QueueUse { is_inside, is_read } = self.queue;
            let (inside, read) = (is_inside.then(|| quote!(inside)), is_read.then(|| quote!(read)));
            quote!(queue[#inside #read])
        });
        let trial_vars = match &self.trial_vars[..] {
            [] => None,
            names => Some(quote!(trial_vars[#(#names)*])),
        };
        let signal = self.signal.as_ref().map(|signal| {
            let SignalVar { name, declared, read, written } = signal;
            let declared = declared.then(|| quote!(declared));
            let read = read.then(|| quote!(read));
            let written = written.then(|| quote!(written));
            quote!(signal[#name #declared #read #written])
        });
        let deadline_var = self.deadline_var.as_ref().map(|name| quote!(deadline_var[#name]));
        let at = self.at.as_ref().map(|name| quote!(at[#name]));
        let failure = self.failure.as_ref().map(|failure| {
            let FailureVar { name, declared, ends_retry } = failure;
            let declared = declared.then(|| quote!(declared));
            let ends_retry = ends_retry.then(|| quote!(ends_retry));
            quote!(failure[#name #declared #ends_retry])
        });
        let patience_var = self.patience_var.as_ref().map(|name| quote!(patience_var[#name]));
        let budget_var = self.budget_var.as_ref().map(|BudgetVar { name, declared }| {
            let declared = declared.then(|| quote!(declared));
            quote!(budget_var[#name #declared])
        });
        let attempt_var = self.attempt_var.as_ref().map(|name| quote!(attempt_var[#name]));
        let root = self.root.as_ref().map(|root| quote!(root[#root]));
        let incomplete = self.incomplete.then(|| quote!(incomplete));
        let time_limit = self.time_limit.map(nanos_word).map(|nanos| quote!(time_limit[#nanos]));
        let next_limit = self.next_limit.map(nanos_word).map(|nanos| quote!(next_limit[#nanos]));
        tokens.extend(quote!(@{
            #at outer[#(#outer)*] inner[#(#inner)*] #borrow_args lent[#(#lent)*] #adjacent #queue
            #trial_vars #signal #deadline_var #failure #patience_var #budget_var #attempt_var #root #incomplete #time_limit
            #next_limit
        }));
    }
}

impl StackInfo {
    /// Separates the position from the arguments of an attribute. `table` lists the siblings.
    pub(crate) fn split(table: &[Sibling], args: TokenStream) -> (Option<Self>, TokenStream) {
        let mut rest = args.clone().into_iter();
        match (rest.next(), rest.next()) {
            (Some(TokenTree::Punct(at)), Some(TokenTree::Group(group))) if at.as_char() == '@' => {
                (Some(Self::parse(table, group.stream())), rest.collect())
            }
            _ => (None, args),
        }
    }

    fn parse(table: &[Sibling], tokens: TokenStream) -> Self {
        let mut info = Self::default();
        let mut field = String::new();
        for token in tokens {
            match token {
                TokenTree::Ident(word) if word == "borrow_args" => info.borrow_args = true,
                TokenTree::Ident(word) if word == "adjacent" => info.adjacent = true,
                TokenTree::Ident(word) if word == "incomplete" => info.incomplete = true,
                TokenTree::Ident(word) => field = word.to_string(),
                TokenTree::Group(group) => {
                    let mut words = group.stream().into_iter().filter_map(|token| match token {
                        TokenTree::Ident(word) => Some(word),
                        _ => None,
                    });
                    let sibling =
                        |name: Ident| table.iter().find(|sibling| name == sibling.name).copied();
                    match field.as_str() {
                        "outer" => info.outer = words.filter_map(sibling).collect(),
                        "inner" => info.inner = words.filter_map(sibling).collect(),
                        "at" => info.at = words.next(),
                        "queue" => info.queue = QueueUse::parse(words),
                        "trial_vars" => info.trial_vars = words.collect(),
                        "lent" => info.lent = words.collect(),
                        "deadline_var" => info.deadline_var = words.next(),
                        "failure" => info.failure = FailureVar::parse(words),
                        "patience_var" => info.patience_var = words.next(),
                        "budget_var" => info.budget_var = BudgetVar::parse(words),
                        "attempt_var" => info.attempt_var = words.next(),
                        "time_limit" => {
                            info.time_limit = words.next().and_then(|word| nanos(&word));
                        }
                        "next_limit" => {
                            info.next_limit = words.next().and_then(|word| nanos(&word));
                        }
                        "root" => info.root = syn::parse2(group.stream()).ok(),
                        _ => info.signal = SignalVar::parse(words),
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        info
    }

    /// Returns the declarations that a layer with a mistake owes to the layers inside. Without
    /// them, the compiler would report the locals of the layers inside as further mistakes.
    /// `sets_deadline` says whether the layer declares the locals of a deadline.
    pub(crate) fn owed_locals(&self, sets_deadline: bool, private: &TokenStream) -> TokenStream {
        let owned =
            |name: &Ident, make: TokenStream| quote!(let #name = #make; let #name = &#name;);
        let signal = self.signal.as_ref().filter(|signal| signal.declared);
        let signal =
            signal.map(|signal| owned(&signal.name, quote!(#private::RejectionSignal::new())));
        let failure = self.failure.as_ref().filter(|failure| failure.declared);
        let failure =
            failure.map(|failure| owned(&failure.name, quote!(#private::LastFailure::new())));
        let budget = self.budget_var.as_ref().filter(|budget| budget.declared);
        let budget = budget.map(|BudgetVar { name, .. }| {
            quote!(static __RESILIENCE_BUDGET: #private::RetryBudget = #private::RetryBudget::new();
                let #name = &__RESILIENCE_BUDGET;)
        });
        let deadline = self.deadline_var.as_ref().filter(|_| sets_deadline).map(|name| {
            quote!(let #name = #private::RetryState::bound(
                #private::RetryState::new(), &#private::RetryPolicy::new());)
        });
        let patience = self.patience_var.as_ref().filter(|_| sets_deadline);
        let patience = patience.map(|name| quote!(let #name: ::core::primitive::u64 = 0;));
        quote!(#signal #failure #budget #deadline #patience)
    }

    /// Returns whether the code of the layer has a block for the body. Otherwise the body is the
    /// code of a layer inside, which has the block.
    pub(crate) fn has_own_block(&self) -> bool {
        self.inner.is_empty() || !self.adjacent
    }

    /// Returns the outermost layer outside with this role.
    pub(crate) fn outside(&self, role: Role) -> Option<&Sibling> {
        self.outer.iter().find(|sibling| sibling.has(role))
    }

    /// Returns the outermost layer inside with this role.
    pub(crate) fn inside(&self, role: Role) -> Option<&Sibling> {
        self.inner.iter().find(|sibling| sibling.has(role))
    }
}

/// Returns a word that holds a duration. The first letter makes the number a word.
fn nanos_word(limit: Duration) -> Ident {
    Ident::new(&format!("n{}", limit.as_nanos()), Span::call_site())
}

/// Returns the duration that a word holds.
fn nanos(word: &Ident) -> Option<Duration> {
    let nanos: u128 = word.to_string().strip_prefix('n')?.parse().ok()?;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, rest))
}

impl QueueUse {
    fn parse(words: impl Iterator<Item = Ident>) -> Self {
        let mut queue = Self::default();
        for word in words {
            queue.is_inside |= word == "inside";
            queue.is_read |= word == "read";
        }
        queue
    }
}

impl BudgetVar {
    fn parse(mut words: impl Iterator<Item = Ident>) -> Option<Self> {
        let name = words.next()?;
        Some(Self { name, declared: words.any(|word| word == "declared") })
    }
}

impl FailureVar {
    fn parse(mut words: impl Iterator<Item = Ident>) -> Option<Self> {
        let name = words.next()?;
        let mut failure = Self { name, declared: false, ends_retry: false };
        for word in words {
            failure.declared |= word == "declared";
            failure.ends_retry |= word == "ends_retry";
        }
        Some(failure)
    }
}

impl SignalVar {
    fn parse(mut words: impl Iterator<Item = Ident>) -> Option<Self> {
        let name = words.next()?;
        let mut signal = Self { name, declared: false, read: false, written: false };
        for word in words {
            signal.declared |= word == "declared";
            signal.read |= word == "read";
            signal.written |= word == "written";
        }
        Some(signal)
    }

    /// Returns the use of the local by `layer`, or `None` for a layer that does not use the local.
    pub(crate) fn of(
        name: &Ident,
        layer: &Sibling,
        outer: &[Sibling],
        inner: &[Sibling],
    ) -> Option<Self> {
        let rejects = |sibling: &Sibling| sibling.has(Role::Rejects);
        let read = layer.has(Role::ReadsRejections) && inner.iter().any(rejects);
        // A timeout outside asks whether the call waits between two attempts.
        let waits = layer.has(Role::RetriesFailures)
            && outer.iter().any(|sibling| sibling.has(Role::Interrupts));
        // A reader outside reads the rejections of this layer and of the layers inside.
        let written = outer.iter().any(|sibling| sibling.has(Role::ReadsRejections))
            && (waits || rejects(layer) || inner.iter().any(rejects));
        let name = name.clone();
        (read || written).then_some(Self { name, declared: read && !written, read, written })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_info_survives_writing_and_parsing() {
        let ident = |name| Ident::new(name, Span::call_site());
        let signal = SignalVar { name: ident("it"), declared: false, read: true, written: true };
        let find = |name| crate::TABLE.iter().find(|sibling| sibling.name == name).copied();
        let written = StackInfo {
            at: Some(ident("bulkhead")),
            outer: [find("fallback"), find("retry")].into_iter().flatten().collect(),
            inner: find("timeout").into_iter().collect(),
            borrow_args: true,
            lent: vec![ident("id")],
            adjacent: false,
            queue: QueueUse { is_inside: true, is_read: true },
            trial_vars: vec![ident("trial0"), ident("trial1")],
            signal: Some(signal),
            deadline_var: Some(ident("until")),
            failure: Some(FailureVar { name: ident("last"), declared: true, ends_retry: true }),
            patience_var: Some(ident("patience")),
            budget_var: Some(BudgetVar { name: ident("budget"), declared: true }),
            attempt_var: Some(ident("attempt")),
            root: Some(syn::parse_quote!(::again)),
            incomplete: true,
            next_limit: Some(Duration::from_nanos(7)),
            time_limit: Some(Duration::MAX),
        };
        let (parsed, args) = StackInfo::split(crate::TABLE, quote!(#written attempts = 4));
        let parsed = parsed.expect("stack info");
        let text = |tokens: &dyn ToTokens| tokens.to_token_stream().to_string();
        assert_eq!(text(&parsed), text(&written));
        assert_eq!((parsed.outer.len(), parsed.inner.len()), (2, 1));
        assert_eq!(parsed.time_limit, Some(Duration::MAX));
        assert_eq!(parsed.next_limit, written.next_limit);
        assert_eq!(text(&args), "attempts = 4");
        assert!(StackInfo::split(crate::TABLE, quote!(attempts = 4)).0.is_none());
    }
}
