//! From an attribute to code: read, order, validate, generate. On any mistake the user gets the
//! messages and the function as it was.

use proc_macro2::{Group, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use crate::args::Args;
use crate::async_trait::{self, Boxed};
use crate::attrs::Attribute;
use crate::check;
use crate::diagnostics::Errors;
use crate::function::{Body, Function, nameable};
use crate::instrument;
use crate::order::{self, Entry, Mark};
use crate::splice::{Clone, Site, braced};
use crate::tokens::rename_self;

pub(crate) fn run<A: Attribute>(
    table: &[Entry],
    args: TokenStream,
    item: &TokenStream,
) -> TokenStream {
    let function = match syn::parse2::<Function>(item.clone()) {
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
    let mut errors = Errors::default();
    let layer = Layer::<A>::read(mark.as_ref(), args, &function, &mut errors);
    match (errors.into_compile_errors(), layer, &function.body) {
        (None, Some(layer), Body::Block(body)) => layer.around(body, function.clone()),
        (errors, ..) => quote!(#function #errors),
    }
}

/// A validated attribute, and the function it goes around.
struct Layer<A> {
    model: A,
    /// The path of the runtime.
    root: TokenStream,
    /// Where `#[async_trait]` has put the body.
    boxed: Option<Boxed>,
}

impl<A: Attribute> Layer<A> {
    fn read(
        mark: Option<&Mark>,
        args: TokenStream,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        let boxed = match &function.body {
            Body::Block(body) if function.sig.asyncness.is_none() => {
                Boxed::find(body, function.owned_self())
            }
            _ => None,
        };
        let args = if boxed.is_some() { rename_self(args, async_trait::SELF) } else { args };
        let bindings = match &boxed {
            Some(boxed) => boxed.bindings.clone(),
            None => function.bindings(),
        };
        let variables = bindings.iter().map(|binding| binding.name.clone()).collect();
        let mut args = Args::parse(A::NAME, args, variables, errors);
        let root = args.root(errors);
        let model = A::validate(&mut args, errors);
        args.finish(A::HINTS, errors);
        check::function(A::NAME, function, boxed.is_some(), errors);
        match mark {
            Some(mark) => A::check_order(mark, errors),
            None => check::unmarked(A::NAME, function, errors),
        }
        let clones = model.as_ref().map(A::clones).unwrap_or_default();
        check::clones(&bindings, clones, errors);
        if A::REPEATS {
            check::repeatable(A::NAME, function, &bindings, clones, errors);
        }
        model.map(|model| Self { model, root, boxed })
    }

    /// The function with this layer around its body.
    fn around(self, body: &Group, mut function: Function) -> TokenStream {
        let Self { model, root, boxed } = self;
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
        let inside = boxed.as_ref().map_or(body, |boxed| &boxed.block);
        let inside = instrument::lend_arguments(inside);
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
            clones,
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
