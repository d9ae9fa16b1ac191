//! The steps from an attribute to code: parse, order, validate, generate. On any mistake the output
//! is the messages and the function without changes.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::args::{Args, Spec, runtime};
use crate::async_trait::{self, Boxed};
use crate::attrs::{LayerAttribute, Role};
use crate::captures::{self, Captures, Needs};
use crate::check;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::function::{Body, Function, PassMode, generics, nameable};
use crate::order::{self, Sibling};
use crate::returned_borrow;
use crate::stack_info::StackInfo;
use crate::tokens::{refill, rename_self};
use crate::tracing_instrument;

pub(crate) fn run<A: LayerAttribute>(
    table: &[Sibling],
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
    let (stack, args) = StackInfo::split(table, args);
    if stack.is_none() {
        if order::is_arranged(table, &function) {
            let error = syn::Error::new(Span::call_site(), check::renamed(A::NAME));
            let error = error.into_compile_error();
            order::mark_incomplete(table, &mut function);
            return quote!(#function #error);
        }
        if let Some(reordered) = order::reorder(table, Sibling::of::<A>(), &args, &function) {
            return reordered;
        }
    }
    let skipped = A::PARAM_MARKER.map(|name| function.strip_param_attr(name)).unwrap_or_default();
    let at = stack.as_ref().and_then(|stack| stack.at.as_ref());
    let mut errors = Errors::at(at.map_or_else(Span::call_site, Ident::span));
    let owed = stack.as_ref().filter(|stack| !stack.inner.is_empty()).map(|stack| {
        let root = runtime(stack.root.clone());
        stack.owed_locals(A::ROLES.contains(&Role::SetsDeadline), &quote!(#root::__private))
    });
    let layer = Layer::<A>::validate(stack, args, &function, &mut errors);
    match (errors.into_compile_errors(), layer, function.body.clone()) {
        (None, Some(layer), Body::Block(body)) => layer.generate(&body, function, skipped),
        (errors, ..) => {
            order::mark_incomplete(table, &mut function);
            if let (Some(owed), Body::Block(body)) = (owed, &function.body) {
                let with_owed = |block: &Group| {
                    let rest = block.stream();
                    quote!(#owed #rest)
                };
                function.body = Body::Block(match find_boxed(&function) {
                    Some(boxed) => Boxed::replace(body, &with_owed(&boxed.block), &[]),
                    None => refill(body, with_owed(body)),
                });
            }
            quote!(#function #errors)
        }
    }
}

/// A validated attribute and the facts about the function.
struct Layer<A> {
    model: A,
    /// The path of the runtime.
    root: TokenStream,
    stack: StackInfo,
    /// The body of a method under `#[async_trait]`.
    boxed: Option<Boxed>,
}

/// Finds the body of a method under `#[async_trait]`.
fn find_boxed(function: &Function) -> Option<Boxed> {
    match &function.body {
        Body::Block(body) if async_trait::is_method(&function.sig) => {
            Boxed::find(body, &function.bindings())
        }
        _ => None,
    }
}

impl<A: LayerAttribute> Layer<A> {
    fn validate(
        stack: Option<StackInfo>,
        args: TokenStream,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        let boxed = find_boxed(function);
        let args = if boxed.is_some() { rename_self(args, async_trait::SELF) } else { args };
        let bindings = match &boxed {
            Some(boxed) => boxed.bindings.clone(),
            None => function.bindings(),
        };
        let variables: Vec<_> = bindings.iter().map(|binding| binding.name.clone()).collect();
        let spec = Spec {
            name: A::NAME,
            positional_key: A::POSITIONAL_KEY,
            example: A::EXAMPLE,
            policy_key: A::POLICY_KEY,
            list_keys: A::LIST_KEYS,
        };
        let lent = Args::mentioned(&args, A::DEFERRED_KEYS, &variables);
        let mut args = Args::parse(spec, args, variables, errors);
        let root = args.root(errors).or_else(|| stack.as_ref()?.root.clone());
        let root = runtime(root);
        let model = A::validate(&mut args, errors);
        args.finish(errors);
        check::function(A::NAME, function, boxed.is_some(), errors);
        match &stack {
            None => check::not_expanded(A::NAME, function, errors),
            Some(stack) => check::sibling_expanded(stack, function, errors),
        }
        let mut stack = stack.unwrap_or_default();
        if let Some(model) = &model {
            let is_async = boxed.is_some() || function.sig.asyncness.is_some();
            model.check_order(&stack, errors);
            model.check_function(&function.sig, is_async, errors);
        }
        if boxed.is_some() {
            for name in stack.lent.iter_mut().filter(|name| *name == "self") {
                *name = Ident::new(async_trait::SELF, name.span());
            }
        }
        stack.lent.extend(lent);
        let clones = model.as_ref().map(A::clones).unwrap_or_default();
        let carried = model.as_ref().map(A::carried).unwrap_or_default();
        check::clones(&bindings, clones, errors);
        check::carried(&bindings, carried, clones, errors);
        if A::ROLES.contains(&Role::RunsConcurrently) {
            check::concurrent(A::NAME, &bindings, clones, errors);
        } else if A::ROLES.contains(&Role::Repeats) {
            let named: Vec<&Ident> = clones.iter().chain(carried).collect();
            check::repeatable(A::NAME, function, &bindings, &named, errors);
        }
        model.map(|model| Self { model, root, stack, boxed })
    }

    /// Returns the function with this layer around the body.
    fn generate(self, body: &Group, mut function: Function, skipped: Vec<Ident>) -> TokenStream {
        let Self { model, root, stack, boxed } = self;
        let is_handler = function.is_handler();
        let (returns, returns_span) = match &boxed {
            Some(boxed) if boxed.returns_nothing() => {
                let at = function.sig.ident.span();
                (quote_spanned!(at=> ()), at)
            }
            Some(boxed) => {
                let returns = nameable(boxed.returns.clone());
                (quote!(#returns), boxed.returns.span())
            }
            None if is_handler => {
                let at = function.returns().1;
                (quote_spanned!(at=> #root::__private::handler_outcome!()), at)
            }
            None => function.returns(),
        };
        let bindings = boxed.as_ref().map_or_else(|| function.bindings(), |b| b.bindings.clone());
        let unshared = bindings.iter().filter(|binding| binding.pass_mode != PassMode::SharedRef);
        let unshared = unshared.map(|binding| binding.name.clone()).collect();
        let inside = boxed.as_ref().map_or(body, |boxed| &boxed.block);
        let repeated = stack.borrow_args || A::ROLES.contains(&Role::Repeats);
        let inside = if repeated || !stack.lent.is_empty() {
            tracing_instrument::borrow_arguments(inside)
        } else {
            inside.clone()
        };
        let is_async = boxed.is_some() || function.sig.asyncness.is_some();
        let mut captures = Captures::default();
        if stack.has_own_block() {
            let returns_mut_borrow = returned_borrow::returns_mut_borrow(&function.sig);
            let needs = Needs { repeated, lent: &stack.lent, is_async, returns_mut_borrow };
            captures = Captures::of(&bindings, model.clones(), &inside.stream(), &needs);
        }
        captures.clone_arguments(&bindings, model.clones());
        let renames_self = captures.locals.iter().any(|local| local.from == "self");
        let inside = if renames_self {
            refill(&inside, rename_self(inside.stream(), captures::SELF))
        } else {
            inside
        };
        let context = Context {
            is_async,
            returns,
            returns_span,
            is_handler,
            body: inside,
            name: function.sig.ident.clone(),
            private: quote!(#root::__private),
            generics: generics(&function.sig),
            unshared,
            bindings,
            skipped,
            captures,
            stack,
        };
        let mut new = model.generate(&context);
        if cfg!(feature = "duration-histograms") && context.stack.outer.is_empty() {
            new = context.measured(&new, model.name());
        }
        let cloned = context.captures.cloned(&context.bindings, &context.stack.lent);
        if !is_async && !cloned.is_empty() {
            // The body consumes a clone; Clippy would report that the function does not consume the
            // argument.
            let consumed = context.dead_branch(&quote!(let _ = (#(#cloned,)*);));
            new = quote!(#consumed #new);
        }
        let locals = &context.captures.locals;
        function.body = Body::Block(match &boxed {
            Some(_) => Boxed::replace(body, &new, locals),
            None => refill(body, new),
        });
        function.move_mut(locals, boxed.is_some());
        quote!(#function)
    }
}
