//! What the first expansion tells each attribute about its place among its siblings.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::LitInt;

use crate::attrs::Role;
use crate::order::Entry;

/// The place of an attribute among its siblings.
#[derive(Clone, Default)]
pub(crate) struct Mark {
    /// The attribute's name, where the user has written it.
    pub(crate) at: Option<Ident>,
    /// The layers outside, outermost first.
    pub(crate) outer: Vec<String>,
    /// The layers inside, outermost first.
    pub(crate) inner: Vec<String>,
    /// A layer outside needs the arguments again: the body must borrow them.
    pub(crate) lend: bool,
    /// What stands in the braces is the code of a layer of ours, with no one else's between.
    pub(crate) direct: bool,
    pub(crate) slot: Option<SlotMark>,
    /// The name of the local by which a deadline outside reaches a timeout inside.
    pub(crate) bound: Option<Ident>,
    /// For how long a sibling goes on trying, where this layer must remember for as long.
    pub(crate) horizon: Option<Duration>,
}

/// The local by which a rejection inside is known to the layers outside, and who does what with it.
#[derive(Clone)]
pub(crate) struct SlotMark {
    /// Made once, by the first expansion: all layers name the same local by it.
    pub(crate) name: Ident,
    /// Nobody outside listens: the local is declared here.
    pub(crate) declared: bool,
    /// This layer listens, and one inside speaks.
    pub(crate) listens: bool,
    /// A layer outside listens.
    pub(crate) heard: bool,
}

impl ToTokens for Mark {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let idents = |names: &[String]| -> Vec<Ident> {
            names.iter().map(|name| Ident::new(name, Span::call_site())).collect()
        };
        let (outer, inner) = (idents(&self.outer), idents(&self.inner));
        let lend = self.lend.then(|| quote!(lend));
        let direct = self.direct.then(|| quote!(direct));
        let slot = self.slot.as_ref().map(|slot| {
            let SlotMark { name, declared, listens, heard } = slot;
            let declared = declared.then(|| quote!(declared));
            let listens = listens.then(|| quote!(listens));
            let heard = heard.then(|| quote!(heard));
            quote!(slot[#name #declared #listens #heard])
        });
        let bound = self.bound.as_ref().map(|name| quote!(bound[#name]));
        let at = self.at.as_ref().map(|name| quote!(at[#name]));
        let horizon = self.horizon.map(|horizon| {
            let (seconds, nanos) = (horizon.as_secs(), horizon.subsec_nanos());
            quote!(horizon[#seconds #nanos])
        });
        tokens.extend(
            quote!(@{ #at outer[#(#outer)*] inner[#(#inner)*] #lend #direct #slot #bound #horizon }),
        );
    }
}

impl Mark {
    /// Takes the mark off the arguments of an attribute, where there is one.
    pub(crate) fn split(args: TokenStream) -> (Option<Self>, TokenStream) {
        let mut rest = args.clone().into_iter();
        match (rest.next(), rest.next()) {
            (Some(TokenTree::Punct(at)), Some(TokenTree::Group(group))) if at.as_char() == '@' => {
                (Some(Self::read(group.stream())), rest.collect())
            }
            _ => (None, args),
        }
    }

    fn read(tokens: TokenStream) -> Self {
        let mut mark = Self::default();
        let mut field = String::new();
        for token in tokens {
            match token {
                TokenTree::Ident(word) if word == "lend" => mark.lend = true,
                TokenTree::Ident(word) if word == "direct" => mark.direct = true,
                TokenTree::Ident(word) => field = word.to_string(),
                TokenTree::Group(group) if field == "horizon" => {
                    mark.horizon = horizon(group.stream());
                }
                TokenTree::Group(group) => {
                    let mut words = group.stream().into_iter().filter_map(|token| match token {
                        TokenTree::Ident(word) => Some(word),
                        _ => None,
                    });
                    match field.as_str() {
                        "outer" => mark.outer = words.map(|name| name.to_string()).collect(),
                        "inner" => mark.inner = words.map(|name| name.to_string()).collect(),
                        "at" => mark.at = words.next(),
                        "bound" => mark.bound = words.next(),
                        _ => mark.slot = SlotMark::read(words),
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        mark
    }
}

/// A time in seconds and nanoseconds.
fn horizon(tokens: TokenStream) -> Option<Duration> {
    let read = |token: TokenTree| -> Option<u64> {
        syn::parse2::<LitInt>(token.into()).ok()?.base10_parse().ok()
    };
    let mut numbers = tokens.into_iter().filter_map(read);
    let (seconds, nanos) = (numbers.next()?, numbers.next()?);
    Some(Duration::new(seconds, u32::try_from(nanos).ok()?))
}

impl SlotMark {
    fn read(mut words: impl Iterator<Item = Ident>) -> Option<Self> {
        let name = words.next()?;
        let mut mark = Self { name, declared: false, listens: false, heard: false };
        for word in words {
            mark.declared |= word == "declared";
            mark.listens |= word == "listens";
            mark.heard |= word == "heard";
        }
        Some(mark)
    }

    /// The roles of a layer, where it has one.
    pub(crate) fn of(
        name: &Ident,
        layer: &Entry,
        outer: &[Entry],
        inner: &[Entry],
    ) -> Option<Self> {
        let speaks = |entry: &Entry| entry.is(Role::Rejects);
        let listens = layer.is(Role::Listens) && inner.iter().any(speaks);
        // Whoever listens outside hears this layer, and what is inside it.
        let heard = outer.iter().any(|entry| entry.is(Role::Listens))
            && (speaks(layer) || inner.iter().any(speaks));
        let name = name.clone();
        (listens || heard).then_some(Self { name, declared: listens && !heard, listens, heard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let ident = |name| Ident::new(name, Span::call_site());
        let slot = SlotMark { name: ident("it"), declared: false, listens: true, heard: true };
        let written = Mark {
            at: Some(ident("bulkhead")),
            outer: vec!["fallback".into(), "retry".into()],
            inner: vec!["timeout".into()],
            lend: true,
            direct: false,
            slot: Some(slot),
            bound: Some(ident("until")),
            horizon: Some(Duration::from_millis(1500)),
        };
        let (read, args) = Mark::split(quote!(#written attempts = 4));
        let read = read.expect("a mark");
        let text = |tokens: &dyn ToTokens| tokens.to_token_stream().to_string();
        assert_eq!(text(&read), text(&written));
        assert_eq!(read.horizon, written.horizon);
        assert_eq!((read.outer, read.inner, read.lend), (written.outer, written.inner, true));
        assert_eq!(text(&args), "attempts = 4");
        assert!(Mark::split(quote!(attempts = 4)).0.is_none());
    }
}
