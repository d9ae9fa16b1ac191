//! From an attribute to code: read, order, validate, generate. On any mistake the user gets the
//! messages and the function as it was.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use crate::args::{About, Args};
use crate::async_trait::{self, Boxed};
use crate::attrs::{Attribute, Role};
use crate::check;
use crate::diagnostics::Errors;
use crate::function::{Body, Function, Taken, nameable};
use crate::instrument;
use crate::mark::Mark;
use crate::order::{self, Entry};
use crate::splice::{Clone, Site, braced};
use crate::tokens::rename_self;

pub(crate) fn run<A: Attribute>(
    table: &[Entry],
    args: TokenStream,
    item: &TokenStream,
) -> TokenStream {
    let mut function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = check::not_a_function(A::NAME, item, error).into_compile_error();
            return quote!(#item #error);
        }
    };
    let (mark, args) = Mark::split(args);
    if mark.is_none() {
        if let Some(reordered) = order::reorder(table, Entry::of::<A>(), &args, &function) {
            return reordered;
        }
    }
    let skipped = A::SKIP.map(|name| function.take_off(name)).unwrap_or_default();
    let at = mark.as_ref().and_then(|mark| mark.at.as_ref());
    let mut errors = Errors::at(at.map_or_else(Span::call_site, Ident::span));
    let layer = Layer::<A>::read(mark, args, &function, &mut errors);
    match (errors.into_compile_errors(), layer, function.body.clone()) {
        (None, Some(layer), Body::Block(body)) => layer.around(&body, function, skipped),
        (errors, ..) => quote!(#function #errors),
    }
}

/// A validated attribute, and the function it goes around.
struct Layer<A> {
    model: A,
    /// The path of the runtime.
    root: TokenStream,
    mark: Mark,
    /// Where `#[async_trait]` has put the body.
    boxed: Option<Boxed>,
}

impl<A: Attribute> Layer<A> {
    fn read(
        mark: Option<Mark>,
        args: TokenStream,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        let boxed = match &function.body {
            Body::Block(body) if function.sig.asyncness.is_none() => {
                Boxed::find(body, function.self_taken())
            }
            _ => None,
        };
        let args = if boxed.is_some() { rename_self(args, async_trait::SELF) } else { args };
        let bindings = match &boxed {
            Some(boxed) => boxed.bindings.clone(),
            None => function.bindings(),
        };
        let variables: Vec<_> = bindings.iter().map(|binding| binding.name.clone()).collect();
        let about = About {
            name: A::NAME,
            first: A::FIRST,
            example: A::EXAMPLE,
            by_hand: A::BY_HAND,
            lists: A::LISTS,
        };
        let needs_arguments = Args::mention(&args, A::LATER, &variables);
        let mut args = Args::parse(about, args, variables, errors);
        let root = args.root(errors);
        let model = A::validate(&mut args, errors);
        args.finish(A::HINTS, errors);
        check::function(A::NAME, function, boxed.is_some(), errors);
        if mark.is_none() {
            check::unmarked(A::NAME, function, errors);
        }
        let mut mark = mark.unwrap_or_default();
        if let Some(model) = &model {
            let is_async = boxed.is_some() || function.sig.asyncness.is_some();
            model.check_order(&mark, errors);
            model.check_function(&function.sig, is_async, errors);
        }
        mark.lend |= needs_arguments;
        let clones = model.as_ref().map(A::clones).unwrap_or_default();
        check::clones(&bindings, clones, errors);
        if A::ROLES.contains(&Role::Repeats) {
            check::repeatable(A::NAME, function, &bindings, clones, errors);
        }
        model.map(|model| Self { model, root, mark, boxed })
    }

    /// The function with this layer around its body.
    fn around(self, body: &Group, mut function: Function, skipped: Vec<Ident>) -> TokenStream {
        let Self { model, root, mark, boxed } = self;
        let (returns, returns_span) = match &boxed {
            Some(boxed) => {
                let returns = nameable(boxed.returns.clone());
                (quote!(#returns), boxed.returns.span())
            }
            None => function.returns(),
        };
        let bindings = boxed.as_ref().map_or_else(|| function.bindings(), |b| b.bindings.clone());
        let clones: Vec<Clone> = model
            .clones()
            .iter()
            .filter_map(|name| {
                bindings.iter().find(|binding| binding.name == *name).map(|binding| {
                    // Nothing can be bound to `self`, so the body gets another name for it.
                    let own = name == "self";
                    let local =
                        if own { async_trait::named_self(&binding.name) } else { name.clone() };
                    Clone { name: local, from: name.clone(), mutable: binding.mutable }
                })
            })
            .collect();
        let unshared = bindings.iter().filter(|binding| binding.taken != Taken::Shared);
        let unshared = unshared.map(|binding| binding.name.clone()).collect();
        let inside = boxed.as_ref().map_or(body, |boxed| &boxed.block);
        let lends = mark.lend || A::ROLES.contains(&Role::Repeats);
        let inside = if lends { instrument::lend_arguments(inside) } else { inside.clone() };
        let inside = if clones.iter().any(|clone| clone.from == "self") {
            crate::tokens::refill(&inside, rename_self(inside.stream(), async_trait::SELF))
        } else {
            inside
        };
        let site = Site {
            is_async: boxed.is_some() || function.sig.asyncness.is_some(),
            returns,
            returns_span,
            body: inside,
            name: function.sig.ident.to_string(),
            private: quote!(#root::__private),
            generics: function.generics(),
            unshared,
            bindings,
            skipped,
            clones,
            mark,
        };
        let new = model.generate(&site);
        let settled = model.clones();
        function.settle(settled);
        function.body = Body::Block(match boxed {
            Some(_) => Boxed::replace(body, &new, settled),
            None => braced(new),
        });
        quote!(#function)
    }
}
