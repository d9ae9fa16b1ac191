//! The annotated function: a parsed signature and a body of opaque tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Pat, Receiver, ReceiverKind, ReturnType, Signature, Type,
    Visibility,
};

use crate::tokens::any_ident;

/// A function in the input of the attribute.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
}

#[derive(Clone)]
pub(crate) enum Body {
    Block(Group),
    /// `;`, or an incomplete body.
    Missing(TokenStream),
}

/// A name bound by a parameter.
#[derive(Clone)]
pub(crate) struct Binding {
    pub(crate) name: Ident,
    /// By value and `mut`: a change in one attempt would reach the next attempt.
    pub(crate) mutable: bool,
    pub(crate) pass_mode: PassMode,
}

/// How a parameter is passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassMode {
    Value,
    /// `&T`
    SharedRef,
    /// `&mut T`
    MutRef,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let rest: TokenStream = input.parse()?;
        let mut function = Self { attrs, vis, sig, body: Body::of(rest) };
        function.lift_inner_attributes();
        Ok(function)
    }
}

impl Body {
    /// Finds the body. A `macro_rules!` macro passes a body on in an invisible group.
    fn of(rest: TokenStream) -> Self {
        let mut tokens = rest.clone().into_iter();
        match (tokens.next(), tokens.next()) {
            (Some(TokenTree::Group(group)), None) => match group.delimiter() {
                Delimiter::Brace => Self::Block(group),
                Delimiter::None => Self::of(group.stream()),
                _ => Self::Missing(rest),
            },
            _ => Self::Missing(rest),
        }
    }
}

impl Function {
    /// Moves `#![attr]` from the start of the body above the function, as `#[attr]`.
    fn lift_inner_attributes(&mut self) {
        let Body::Block(body) = &self.body else { return };
        let is = |token: Option<&TokenTree>, mark: char| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark);
        if !is(body.stream().into_iter().next().as_ref(), '#') {
            return;
        }
        let mut tokens = body.stream().into_iter().collect::<Vec<_>>();
        while is(tokens.first(), '#') && is(tokens.get(1), '!') {
            let lifted: TokenStream = tokens.drain(..3.min(tokens.len())).collect();
            if let Ok(inner) = syn::parse::Parser::parse2(Attribute::parse_inner, lifted) {
                self.attrs.extend(
                    inner
                        .into_iter()
                        .map(|attribute| Attribute { style: syn::AttrStyle::Outer, ..attribute }),
                );
            }
        }
        self.body = Body::Block(crate::tokens::refill(body, tokens.into_iter().collect()));
    }

    /// Returns how the receiver is passed: `self` and `self: Box<Self>` are by value.
    pub(crate) fn self_pass_mode(&self) -> PassMode {
        self.sig.receiver().map_or(PassMode::SharedRef, receiver_pass_mode)
    }

    /// Returns the names bound by the parameters, `self` included.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        let mut bindings = Vec::new();
        for input in &self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    let pass_mode = receiver_pass_mode(receiver);
                    let mutable = receiver.mutability.is_some() && pass_mode == PassMode::Value;
                    let name = Ident::from(receiver.self_token);
                    bindings.push(Binding { name, mutable, pass_mode });
                }
                FnArg::Typed(typed) => {
                    bind(&typed.pat.to_token_stream(), type_pass_mode(&typed.ty), &mut bindings);
                }
            }
        }
        bindings
    }

    /// Removes an attribute from the parameters. Returns the names bound by the affected
    /// parameters.
    pub(crate) fn strip_param_attr(&mut self, name: &str) -> Vec<Ident> {
        let mut bindings = Vec::new();
        for input in &mut self.sig.inputs {
            if let FnArg::Typed(typed) = input {
                let before = typed.attrs.len();
                typed.attrs.retain(|attribute| !attribute.path().is_ident(name));
                if typed.attrs.len() < before {
                    bind(&typed.pat.to_token_stream(), type_pass_mode(&typed.ty), &mut bindings);
                }
            }
        }
        bindings.into_iter().map(|binding| binding.name).collect()
    }

    /// Returns the type and constant parameters of the function.
    pub(crate) fn generics(&self) -> Vec<Ident> {
        let parameters = self.sig.generics.params.iter();
        parameters
            .filter_map(|parameter| match parameter {
                GenericParam::Const(parameter) => Some(parameter.ident.clone()),
                GenericParam::Type(parameter) => Some(parameter.ident.clone()),
                GenericParam::Lifetime(_) => None,
            })
            .collect()
    }

    /// Returns the return type for generated code, with the span.
    pub(crate) fn returns(&self) -> (TokenStream, Span) {
        match &self.sig.output {
            ReturnType::Default => {
                let at = self.sig.ident.span();
                (quote_spanned!(at=> ()), at)
            }
            ReturnType::Type(_, ty) => (nameable((**ty).clone()).to_token_stream(), ty.span()),
        }
    }

    /// Removes `mut` from the named parameters. Their clones are `mut` instead.
    pub(crate) fn strip_mut(&mut self, names: &[Ident]) {
        if names.is_empty() {
            return;
        }
        for input in &mut self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) if names.iter().any(|name| name == "self") => {
                    if receiver_pass_mode(receiver) == PassMode::Value {
                        receiver.mutability = None;
                    }
                }
                FnArg::Receiver(_) => {}
                FnArg::Typed(typed) => {
                    let tokens = without_mut(typed.pat.to_token_stream(), names);
                    *typed.pat = Pat::Verbatim(tokens);
                }
            }
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig));
        match body {
            Body::Block(group) => group.to_tokens(tokens),
            Body::Missing(rest) => rest.to_tokens(tokens),
        }
    }
}

fn receiver_pass_mode(receiver: &Receiver) -> PassMode {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, Some(_)) => PassMode::MutRef,
        ReceiverKind::Reference(..) => PassMode::SharedRef,
        ReceiverKind::Typed(_, ty) => type_pass_mode(ty),
        _ => PassMode::Value,
    }
}

fn type_pass_mode(ty: &Type) -> PassMode {
    match ty {
        Type::Reference(reference) if reference.mutability.is_some() => PassMode::MutRef,
        Type::Reference(_) => PassMode::SharedRef,
        _ => PassMode::Value,
    }
}

/// Collects the names bound by a pattern: lower-case words except paths, field names and types.
pub(crate) fn bind(pattern: &TokenStream, pass_mode: PassMode, bindings: &mut Vec<Binding>) {
    let tokens: Vec<TokenTree> = pattern.clone().into_iter().collect();
    let mut mutable = false;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "mut" => mutable = true,
            TokenTree::Ident(word) if word == "ref" || word == "_" => {}
            TokenTree::Ident(word) => {
                let field_or_path = matches!(tokens.get(index + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == ':')
                    || matches!(tokens.get(index + 1), Some(TokenTree::Group(_)));
                let first = word.to_string().chars().next();
                if !field_or_path
                    && first.is_some_and(|first| first == '_' || !first.is_uppercase())
                {
                    bindings.push(Binding { name: word.clone(), mutable, pass_mode });
                }
                mutable = false;
            }
            TokenTree::Group(group) => bind(&group.stream(), pass_mode, bindings),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Returns the pattern without the `mut` in front of these names.
pub(crate) fn without_mut(pattern: TokenStream, names: &[Ident]) -> TokenStream {
    let mut tokens = pattern.into_iter().peekable();
    let mut kept = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "mut" => {
                let is_named =
                    matches!(tokens.peek(), Some(TokenTree::Ident(name)) if names.contains(name));
                if !is_named {
                    kept.push(TokenTree::Ident(word));
                }
            }
            TokenTree::Group(group) => {
                let inside = without_mut(group.stream(), names);
                kept.push(TokenTree::Group(crate::tokens::refill(&group, inside)));
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

/// Replaces every `impl Trait` in a type by `_`: generated code cannot name such a type.
pub(crate) fn nameable(mut ty: Type) -> Type {
    fn erase(ty: &mut Type) {
        match ty {
            Type::ImplTrait(_) => *ty = syn::parse_quote!(_),
            Type::Path(path) => {
                for segment in &mut path.path.segments {
                    if let syn::PathArguments::AngleBracketed(list) = &mut segment.arguments {
                        for argument in &mut list.args {
                            if let syn::GenericArgument::Type(ty) = argument {
                                erase(ty);
                            }
                        }
                    }
                }
            }
            Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
            Type::Reference(reference) => erase(&mut reference.elem),
            Type::Slice(slice) => erase(&mut slice.elem),
            Type::Array(array) => erase(&mut array.elem),
            Type::Paren(paren) => erase(&mut paren.elem),
            Type::Group(group) => erase(&mut group.elem),
            _ => {}
        }
    }
    erase(&mut ty);
    ty
}

/// Returns whether a type is a future by its name: `impl Future`, `BoxFuture`,
/// `Pin<Box<dyn Future>>`.
pub(crate) fn is_future(returns: &Type) -> bool {
    let names_future = |ident: &Ident| ident.to_string().ends_with("Future");
    match returns {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let inside = last.arguments.to_token_stream();
            names_future(&last.ident) || last.ident == "Pin" && any_ident(&inside, &names_future)
        }),
        Type::ImplTrait(_) => any_ident(&returns.to_token_stream(), &names_future),
        Type::Paren(paren) => is_future(&paren.elem),
        Type::Group(group) => is_future(&group.elem),
        _ => false,
    }
}
