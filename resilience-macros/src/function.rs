//! The annotated function: its signature parsed, its body kept as tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Pat, Receiver, ReceiverKind, ReturnType, Signature, Type,
    Visibility,
};

/// A function as the attribute receives it.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// Behind the signature: the body in braces, or what else stands there.
    pub(crate) body: Body,
}

#[derive(Clone)]
pub(crate) enum Body {
    Block(Group),
    /// `;`, or a body that is half typed.
    Missing(TokenStream),
}

/// A name that a parameter binds.
#[derive(Clone)]
pub(crate) struct Binding {
    pub(crate) name: Ident,
    /// By value and `mut`: a change that one attempt makes would reach the next.
    pub(crate) mutable: bool,
    pub(crate) taken: Taken,
}

/// How a parameter is declared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Value,
    /// `&T`
    Shared,
    /// `&mut T`
    Exclusive,
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
    /// A body that a `macro_rules!` macro passed on arrives in an invisible group.
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
    /// `#![attr]` at the start of the body becomes `#[attr]` above the function.
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

    /// How the receiver is taken: `self` and `self: Box<Self>` are by value.
    pub(crate) fn self_taken(&self) -> Taken {
        self.sig.receiver().map_or(Taken::Shared, receiver_taken)
    }

    /// Every name that the parameters bind, `self` included.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        let mut bindings = Vec::new();
        for input in &self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    let taken = receiver_taken(receiver);
                    let mutable = receiver.mutability.is_some() && taken == Taken::Value;
                    let name = Ident::from(receiver.self_token);
                    bindings.push(Binding { name, mutable, taken });
                }
                FnArg::Typed(typed) => {
                    bind(&typed.pat.to_token_stream(), type_taken(&typed.ty), &mut bindings);
                }
            }
        }
        bindings
    }

    /// Takes an attribute off the parameters; the names that those bind which had it.
    pub(crate) fn take_off(&mut self, name: &str) -> Vec<Ident> {
        let mut bindings = Vec::new();
        for input in &mut self.sig.inputs {
            if let FnArg::Typed(typed) = input {
                let before = typed.attrs.len();
                typed.attrs.retain(|attribute| !attribute.path().is_ident(name));
                if typed.attrs.len() < before {
                    bind(&typed.pat.to_token_stream(), type_taken(&typed.ty), &mut bindings);
                }
            }
        }
        bindings.into_iter().map(|binding| binding.name).collect()
    }

    /// The type and constant parameters of the function.
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

    /// The return type as generated code may name it, and where it stands.
    pub(crate) fn returns(&self) -> (TokenStream, Span) {
        match &self.sig.output {
            ReturnType::Default => {
                let at = self.sig.ident.span();
                (quote_spanned!(at=> ()), at)
            }
            ReturnType::Type(_, ty) => (nameable((**ty).clone()).to_token_stream(), ty.span()),
        }
    }

    /// Takes the `mut` off the named parameters, whose clones carry it.
    pub(crate) fn settle(&mut self, names: &[Ident]) {
        if names.is_empty() {
            return;
        }
        for input in &mut self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) if names.iter().any(|name| name == "self") => {
                    if receiver_taken(receiver) == Taken::Value {
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

fn receiver_taken(receiver: &Receiver) -> Taken {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, Some(_)) => Taken::Exclusive,
        ReceiverKind::Reference(..) => Taken::Shared,
        ReceiverKind::Typed(_, ty) => type_taken(ty),
        _ => Taken::Value,
    }
}

fn type_taken(ty: &Type) -> Taken {
    match ty {
        Type::Reference(reference) if reference.mutability.is_some() => Taken::Exclusive,
        Type::Reference(_) => Taken::Shared,
        _ => Taken::Value,
    }
}

/// Collects the names that a pattern binds: lower-case words that are no path, field name or type.
pub(crate) fn bind(pattern: &TokenStream, taken: Taken, bindings: &mut Vec<Binding>) {
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
                    bindings.push(Binding { name: word.clone(), mutable, taken });
                }
                mutable = false;
            }
            TokenTree::Group(group) => bind(&group.stream(), taken, bindings),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The pattern without the `mut` in front of these names.
pub(crate) fn without_mut(pattern: TokenStream, names: &[Ident]) -> TokenStream {
    let mut tokens = pattern.into_iter().peekable();
    let mut kept = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "mut" => {
                let carried =
                    matches!(tokens.peek(), Some(TokenTree::Ident(name)) if names.contains(name));
                if !carried {
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

/// The type with `_` for every `impl Trait`, which cannot be named.
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
