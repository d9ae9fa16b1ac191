//! Attributes of the family on one function: the one on top becomes the outermost layer.
//!
//! The compiler expands the top attribute first, which would make it the innermost layer. So the
//! first one to be expanded writes itself and its siblings back in reverse order, each with a mark
//! that tells it what stands outside and inside it. A marked attribute never reorders. Attributes
//! that are not ours keep their places.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Meta};

use crate::args::Args;
use crate::attrs;
use crate::diagnostics::Errors;
use crate::function::Function;
use crate::tokens::mentions;

/// What the order needs to know of an attribute of the family.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) repeats: bool,
}

impl Entry {
    pub(crate) const fn of<A: attrs::Attribute>() -> Self {
        Self { name: A::NAME, repeats: A::REPEATS }
    }
}

/// The place of an attribute among its siblings.
#[derive(Default)]
pub(crate) struct Mark {
    /// The layers outside, outermost first.
    pub(crate) outer: Vec<String>,
    /// The layers inside, outermost first.
    pub(crate) inner: Vec<String>,
    /// A layer outside needs the arguments again: the body must borrow them.
    pub(crate) lend: bool,
}

impl ToTokens for Mark {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let idents = |names: &[String]| -> Vec<Ident> {
            names.iter().map(|name| Ident::new(name, Span::call_site())).collect()
        };
        let (outer, inner) = (idents(&self.outer), idents(&self.inner));
        let lend = self.lend.then(|| quote!(lend));
        tokens.extend(quote!(@{ outer[#(#outer)*] inner[#(#inner)*] #lend }));
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
                TokenTree::Ident(word) => field = word.to_string(),
                TokenTree::Group(group) => {
                    let names = group.stream().into_iter().map(|name| name.to_string()).collect();
                    if field == "outer" {
                        mark.outer = names;
                    } else {
                        mark.inner = names;
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        mark
    }
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
    let root = root(first.name, args);
    let mut stack = vec![(first, quote!(#root::#name), args.clone())];
    for attribute in &function.attrs {
        if let Some(entry) = sibling(attribute) {
            stack.push((entry, attribute.path().to_token_stream(), tokens_of(attribute)));
        }
    }
    let names: Vec<String> = stack.iter().map(|(entry, ..)| entry.name.to_owned()).collect();
    let parameters: Vec<Ident> =
        function.bindings().into_iter().map(|binding| binding.name).collect();
    let mut lend = false;
    let mut marked = Vec::new();
    for (index, (entry, path, args)) in stack.iter().enumerate() {
        let (outer, inner) = names.split_at(index);
        let inner = inner.get(1..).unwrap_or_default();
        let mark = Mark { outer: outer.to_vec(), inner: inner.to_vec(), lend };
        marked.push(quote!(#[#path(#mark #args)]));
        lend |= entry.repeats || mentions(args, &parameters);
    }
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

/// The family's entry for this attribute: a bare name, or a path that begins with the crate's own.
fn sibling(table: &[Entry], attribute: &Attribute) -> Option<Entry> {
    let path = attribute.path();
    let (first, last) = (path.segments.first()?, path.segments.last()?);
    let ours = path.segments.len() == 1 || first.ident.to_string().starts_with("resilience");
    table.iter().find(|entry| ours && last.ident == entry.name).copied()
}

/// Where the family is, for the attribute whose own path is not known: the one that is expanded.
fn root(name: &'static str, args: &TokenStream) -> TokenStream {
    let mut unread = Errors::default();
    Args::parse(name, args.clone(), Vec::new(), &mut unread).root(&mut unread)
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
    let label = crate::splice::local("layer");
    crate::tokens::any_ident(body, &|ident| *ident == label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Entry] = &[
        Entry { name: "fallback", repeats: false },
        Entry { name: "retry", repeats: true },
        Entry { name: "timeout", repeats: false },
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
            #[timeout(@{ outer[fallback retry] inner[] lend } "5s")]
            #[doc = r" Docs stay."]
            #[resilience::retry(@{ outer[fallback] inner[timeout] } attempts = 4)]
            #[inline]
            #[::resilience::fallback(@{ outer[] inner[retry timeout] } value = 7)]
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
    fn attributes_of_others_are_no_siblings() {
        let alone = quote! {
            #[ntest::timeout(100)]
            #[tokio::test]
            fn call() {}
        };
        assert_eq!(reordered(1, &quote!(), alone), None);
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let written = Mark {
            outer: vec!["fallback".into(), "retry".into()],
            inner: vec!["timeout".into()],
            lend: true,
        };
        let (read, args) = Mark::split(quote!(#written attempts = 4));
        let read = read.expect("a mark");
        assert_eq!((read.outer, read.inner, read.lend), (written.outer, written.inner, true));
        assert_eq!(text(&args), text(&quote!(attempts = 4)));
        assert!(Mark::split(quote!(attempts = 4)).0.is_none());
    }
}
