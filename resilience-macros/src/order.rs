//! Attributes of the family on one function: the one on top becomes the outermost layer.
//!
//! The compiler expands the top attribute first, which would make it the innermost layer. So the
//! first one to be expanded writes itself and its siblings back in reverse order, each with a mark
//! that tells it what stands outside and inside it. A marked attribute never reorders. Attributes
//! that are not ours keep their places.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Meta};

use crate::args::Args;
use crate::attrs::{self, Role};
use crate::diagnostics::Errors;
use crate::foreign;
use crate::function::Function;
use crate::mark::{Mark, SlotMark};

/// What the order needs to know of an attribute of the family.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    roles: &'static [Role],
    /// The keys whose values run when the body has begun.
    later: &'static [&'static str],
    /// For how long a call with these arguments goes on trying.
    horizon: fn(&TokenStream) -> Option<Duration>,
}

impl Entry {
    pub(crate) const fn of<A: attrs::Attribute>() -> Self {
        Self { name: A::NAME, roles: A::ROLES, later: A::LATER, horizon: horizon::<A> }
    }

    pub(crate) fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

fn horizon<A: attrs::Attribute>(args: &TokenStream) -> Option<Duration> {
    // What is wrong with them is told where they are expanded.
    let mut unread = Errors::at(Span::call_site());
    A::validate(&mut Args::unchecked(args), &mut unread)?.horizon()
}

/// Writes the attributes of the family back in reverse, with marks; `None` where `first` stands
/// alone.
pub(crate) fn reorder(
    table: &[Entry],
    first: Entry,
    args: &TokenStream,
    function: &Function,
) -> Option<TokenStream> {
    let sibling = |attribute: &Attribute| sibling(table, attribute);
    let places: Vec<usize> = (0..function.attrs.len())
        .filter(|index| function.attrs.get(*index).and_then(sibling).is_some())
        .collect();
    if places.is_empty() {
        return None;
    }
    // The stack as written, outermost first.
    let name = Ident::new(first.name, Span::call_site());
    let root = root(args);
    let mut stack = vec![(first, quote!(#root::#name), args.clone())];
    for attribute in &function.attrs {
        if let Some(entry) = sibling(attribute) {
            stack.push((entry, attribute.path().to_token_stream(), tokens_of(attribute)));
        }
    }
    let marked = marks(&stack, function, &places).into_iter().zip(&stack);
    let marked: Vec<_> =
        marked.map(|(mark, (_, path, args))| quote!(#[#path(#mark #args)])).collect();
    // The places, top first, take the stack from its innermost layer on.
    let mut marked = marked.into_iter().rev();
    let top = marked.next();
    let attributes = function.attrs.iter().enumerate().map(|(index, attribute)| {
        match places.contains(&index).then(|| marked.next()).flatten() {
            Some(marked) => marked,
            None => attribute.to_token_stream(),
        }
    });
    let attributes: TokenStream = attributes.collect();
    let rest = Function { attrs: Vec::new(), ..function.clone() };
    Some(quote!(#top #attributes #rest))
}

/// The place of each attribute of the stack.
fn marks(
    stack: &[(Entry, TokenStream, TokenStream)],
    function: &Function,
    places: &[usize],
) -> Vec<Mark> {
    let parameters: Vec<Ident> =
        function.bindings().into_iter().map(|binding| binding.name).collect();
    let entries: Vec<Entry> = stack.iter().map(|(entry, ..)| *entry).collect();
    let names = |entries: &[Entry]| entries.iter().map(|entry| entry.name.to_owned()).collect();
    let between = |from: usize, to: usize| function.attrs.get(from..to).unwrap_or_default();
    let last = places.last().copied().unwrap_or_default();
    // A local cannot be named through a function that another attribute makes of the body.
    let is_open = between(0, last).iter().enumerate().all(|(index, attribute)| {
        places.contains(&index) || foreign::keeps_the_body_in_place(attribute)
    });
    let (slot, bound) = (crate::splice::local("rejection"), crate::splice::local("bound"));
    let horizons = stack.iter().filter_map(|(entry, _, args)| (entry.horizon)(args));
    let mut lend = false;
    let mut from = 0;
    let mut marks = Vec::new();
    for (index, (entry, path, args)) in stack.iter().enumerate() {
        let at = path.clone().into_iter().last().map_or_else(Span::call_site, |last| last.span());
        let at = Ident::new(entry.name, at);
        let (outer, inner) = entries.split_at(index);
        let inner = inner.get(1..).unwrap_or_default();
        // Where the next layer inside stands among the attributes.
        let next = places.get(index).copied();
        let direct = next.is_some_and(|next| between(from, next).iter().all(foreign::is_inert));
        from = next.map_or(from, |next| next + 1);
        let any = |entries: &[Entry], role| entries.iter().any(|entry| entry.is(role));
        let bounded = entry.is(Role::Bounds) && any(inner, Role::IsBounded)
            || entry.is(Role::IsBounded) && any(outer, Role::Bounds);
        marks.push(Mark {
            at: Some(at),
            outer: names(outer),
            inner: names(inner),
            lend,
            direct,
            slot: SlotMark::of(&slot, entry, outer, inner).filter(|_| is_open),
            bound: (bounded && is_open).then(|| bound.clone()),
            horizon: horizons.clone().max().filter(|_| entry.is(Role::Remembers)),
        });
        lend |= entry.is(Role::Repeats) || Args::mention(args, entry.later, &parameters);
    }
    marks
}

/// The family's entry for this attribute: a bare name, or a path that begins with the crate's own.
fn sibling(table: &[Entry], attribute: &Attribute) -> Option<Entry> {
    let path = attribute.path();
    let (first, last) = (path.segments.first()?, path.segments.last()?);
    let ours = path.segments.len() == 1 || first.ident.to_string().starts_with("resilience");
    table.iter().find(|entry| ours && last.ident == entry.name).copied()
}

/// Where the family is, for the attribute whose own path is not known: the one that is expanded.
fn root(args: &TokenStream) -> TokenStream {
    let mut unread = Errors::at(Span::call_site());
    Args::unchecked(args).root(&mut unread)
}

fn tokens_of(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) if matches!(list.delimiter, syn::MacroDelimiter::Paren(_)) => {
            list.tokens.clone()
        }
        _ => TokenStream::new(),
    }
}

/// Whether a layer of ours is already inside this body.
///
/// An unmarked attribute that finds one was not seen by it as a sibling: the order would be turned
/// round in silence.
pub(crate) fn is_expanded(body: &TokenStream) -> bool {
    crate::tokens::any_ident(body, &|ident| ident == crate::splice::EDGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Entry] = &[
        Entry { name: "fallback", roles: &[], later: &["with"], horizon: |_| None },
        Entry {
            name: "retry",
            roles: &[Role::Repeats, Role::Listens, Role::Bounds],
            later: &[],
            horizon: |_| Some(Duration::from_secs(90)),
        },
        Entry {
            name: "timeout",
            roles: &[Role::Rejects, Role::IsBounded],
            later: &[],
            horizon: |_| None,
        },
        Entry { name: "once", roles: &[Role::Remembers], later: &[], horizon: |_| None },
    ];

    /// What the first attribute to be expanded writes, as text with single spaces.
    fn reordered(first: usize, args: &TokenStream, function: TokenStream) -> Option<String> {
        let function = syn::parse2::<Function>(function).expect("a function");
        let tokens = reorder(TABLE, TABLE[first], args, &function)?;
        Some(tokens.to_string())
    }

    fn text(tokens: &TokenStream) -> String {
        tokens.to_string()
    }

    #[test]
    fn the_stack_is_written_back_in_reverse_with_marks() {
        let function = quote! {
            /// Docs stay.
            #[resilience::retry(attempts = 4)]
            #[inline]
            #[timeout("5s")]
            fn call(id: u32) -> Result<(), ()> { body }
        };
        let expected = quote! {
            #[timeout(@{ at[timeout] outer[fallback retry] inner[] lend
                slot[resilience_rejection heard] bound[resilience_bound] } "5s")]
            #[doc = r" Docs stay."]
            #[resilience::retry(@{ at[retry] outer[fallback] inner[timeout] direct
                slot[resilience_rejection declared listens] bound[resilience_bound] } attempts = 4)]
            #[inline]
            #[::resilience::fallback(@{ at[fallback] outer[] inner[retry timeout] direct } value = 7)]
            fn call(id: u32) -> Result<(), ()> { body }
        };
        assert_eq!(reordered(0, &quote!(value = 7), function), Some(text(&expected)));
    }

    #[test]
    fn a_layer_that_uses_an_argument_makes_the_ones_inside_lend() {
        let function = quote! {
            #[timeout("5s")]
            fn call(id: String) -> Result<(), ()> { body }
        };
        let marks = |args| reordered(0, &args, function.clone()).expect("two attributes");
        assert!(marks(quote!(with = |_| id.len())).contains("lend"));
        assert!(marks(quote!(with = |_| format!("{id}"))).contains("lend"));
        assert!(!marks(quote!(with = |_| 7)).contains("lend"));
    }

    #[test]
    fn what_another_attribute_may_wrap_is_neither_direct_nor_heard() {
        let stack = |foreign: TokenStream| {
            let function = quote! {
                #foreign
                #[timeout("5s")]
                fn call() -> Result<(), ()> { body }
            };
            reordered(1, &quote!(), function).expect("two attributes")
        };
        assert!(stack(quote!(#[must_use])).contains("direct slot"));
        let instrumented = stack(quote!(#[tracing::instrument]));
        assert!(!instrumented.contains("direct") && instrumented.contains("slot"));
        let unknown = stack(quote!(#[some::wrapper]));
        assert!(!unknown.contains("direct") && !unknown.contains("slot"), "{unknown}");
    }

    #[test]
    fn who_remembers_is_told_for_how_long_a_sibling_goes_on() {
        let stack = |sibling: TokenStream| {
            let function = quote! {
                #sibling
                fn call() -> Result<(), ()> { body }
            };
            reordered(3, &quote!(), function).expect("two attributes")
        };
        assert!(
            stack(quote!(#[retry])).contains(
                "once (@ { at [once] outer [] inner [retry] direct horizon [90u64 0u32] }"
            )
        );
        assert!(!stack(quote!(#[timeout])).contains("horizon"));
    }

    #[test]
    fn attributes_of_others_are_no_siblings() {
        let alone = quote! {
            #[ntest::timeout(100)]
            #[tokio::test]
            fn call() {}
        };
        assert_eq!(reordered(1, &quote!(), alone), None);
    }
}
