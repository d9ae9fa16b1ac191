//! The annotated function: a parsed signature and a body of opaque tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Pat, Receiver, ReceiverKind, ReturnType, Signature, Token,
    Type, Visibility,
};

use crate::captures::ArgLocal;
use crate::tokens::{any_ident, is_punct, mentions, refill};

/// A function in the input of the attribute.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// `#![attr]` at the start of the body.
    pub(crate) inner_attrs: TokenStream,
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
    /// The `mut` in front of the name, but not in `&mut self` and `ref mut`.
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) pass_mode: PassMode,
}

/// How a bound value is passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassMode {
    Value,
    /// `&T`
    SharedRef,
    /// `&mut T`
    MutRef,
    /// `&mut Vec<T>` or `&mut String`
    MutRefToList,
    /// `Option<&mut T>`
    OptionMut,
    /// `Pin<&mut T>`
    PinMut,
    /// `ref mut` of a value that the function owns
    OwnedRefMut,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let rest: TokenStream = input.parse()?;
        let inner_attrs = TokenStream::new();
        let mut function = Self { attrs, vis, sig, inner_attrs, body: Body::of(rest) };
        function.take_inner_attributes();
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
    /// Returns whether the body names the function: the function may call itself.
    pub(crate) fn calls_itself(&self) -> bool {
        match &self.body {
            Body::Block(body) => mentions(&body.stream(), std::slice::from_ref(&self.sig.ident)),
            Body::Missing(_) => false,
        }
    }

    /// Takes `#![attr]` from the start of the body.
    fn take_inner_attributes(&mut self) {
        let Body::Block(body) = &self.body else { return };
        if !is_punct(body.stream().into_iter().next().as_ref(), '#') {
            return;
        }
        let mut tokens = body.stream().into_iter().collect::<Vec<_>>();
        while is_punct(tokens.first(), '#') && is_punct(tokens.get(1), '!') {
            self.inner_attrs.extend(tokens.drain(..3.min(tokens.len())));
        }
        self.body = Body::Block(refill(body, tokens.into_iter().collect()));
    }

    /// Returns the names bound by the parameters, `self` included.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        let mut bindings = Vec::new();
        for input in &self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    let pass_mode = receiver_pass_mode(receiver);
                    let name = Ident::from(receiver.self_token);
                    bindings.push(Binding { name, mutability: receiver.mutability, pass_mode });
                }
                FnArg::Typed(typed) => bind(&typed.pat, Some(&typed.ty), &mut bindings),
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
                    bind(&typed.pat, Some(&typed.ty), &mut bindings);
                }
            }
        }
        bindings.into_iter().map(|binding| binding.name).collect()
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

    /// Returns whether the function returns `impl IntoResponse`, as a handler of `axum`.
    pub(crate) fn is_handler(&self) -> bool {
        let ReturnType::Type(_, ty) = &self.sig.output else { return false };
        let Type::ImplTrait(returns) = bare(ty) else { return false };
        let names = returns.bounds.iter().filter_map(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => bound.path.segments.last(),
            _ => None,
        });
        names.into_iter().any(|last| last.ident == "IntoResponse")
    }

    /// Removes `mut` from the parameters of these locals, which are `mut` instead, and adds `mut`
    /// where a local needs it.
    /// Under `#[async_trait]` no parameter needs a `mut`.
    pub(crate) fn move_mut(&mut self, locals: &[ArgLocal], is_boxed: bool) {
        let is_concerned = |local: &&ArgLocal| !(is_boxed && local.needs_mut());
        let locals: Vec<ArgLocal> = locals.iter().filter(is_concerned).cloned().collect();
        if locals.is_empty() {
            return;
        }
        for input in &mut self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => {
                    if let Some(local) = locals.iter().find(|local| local.from == "self") {
                        receiver.mutability = local.needs_mut().then(<Token![mut]>::default);
                    }
                }
                FnArg::Typed(typed) => {
                    let tokens = move_mut(typed.pat.to_token_stream(), &locals);
                    *typed.pat = Pat::Verbatim(tokens);
                }
            }
        }
    }
}

/// Returns the type and constant parameters of a function.
pub(crate) fn generics(sig: &Signature) -> Vec<Ident> {
    let parameters = sig.generics.params.iter();
    parameters
        .filter_map(|parameter| match parameter {
            GenericParam::Const(parameter) => Some(parameter.ident.clone()),
            GenericParam::Type(parameter) => Some(parameter.ident.clone()),
            GenericParam::Lifetime(_) => None,
        })
        .collect()
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, inner_attrs, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig));
        match body {
            Body::Block(group) => {
                let stream = inner_attrs.clone().into_iter().chain(group.stream()).collect();
                refill(group, stream).to_tokens(tokens);
            }
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
    match bare(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => match bare(&reference.elem)
        {
            Type::Path(path) if path.path.segments.last().is_some_and(is_list) => {
                PassMode::MutRefToList
            }
            _ => PassMode::MutRef,
        },
        Type::Reference(_) => PassMode::SharedRef,
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return PassMode::Value };
            let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return PassMode::Value;
            };
            match arguments.args.first() {
                Some(syn::GenericArgument::Type(ty)) if type_pass_mode(ty).is_mut_ref() => {
                    match last.ident.to_string().as_str() {
                        "Option" => PassMode::OptionMut,
                        "Pin" => PassMode::PinMut,
                        _ => PassMode::Value,
                    }
                }
                _ => PassMode::Value,
            }
        }
        _ => PassMode::Value,
    }
}

fn is_list(segment: &syn::PathSegment) -> bool {
    segment.ident == "Vec" || segment.ident == "String"
}

impl PassMode {
    /// Returns whether the value is a `&mut`.
    pub(crate) fn is_mut_ref(self) -> bool {
        matches!(self, Self::MutRef | Self::MutRefToList)
    }

    /// Returns whether the function borrows the value exclusively from the caller.
    pub(crate) fn is_exclusive(self) -> bool {
        self.is_mut_ref() || matches!(self, Self::OptionMut | Self::PinMut)
    }
}

/// Removes parentheses, and the invisible group around a type passed on by a `macro_rules!` macro.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Collects the names bound by the pattern of a parameter, which has the type `ty`, if known.
pub(crate) fn bind(pat: &Pat, ty: Option<&Type>, bindings: &mut Vec<Binding>) {
    Place { owned: true, default: None }.bind(pat, ty, bindings);
}

/// The place that a part of a pattern matches.
#[derive(Clone, Copy)]
struct Place {
    /// The function owns the place: no reference is in between.
    owned: bool,
    /// The mode of names in a pattern that matches a reference without a `&`.
    default: Option<PassMode>,
}

impl Place {
    fn bind(self, pat: &Pat, ty: Option<&Type>, bindings: &mut Vec<Binding>) {
        let ty = ty.map(bare);
        match (pat, ty) {
            (Pat::Ident(pat), ty) => {
                // `name @ ..` binds a list, and not an element.
                let is_list =
                    matches!(&pat.subpat, Some((_, inside)) if matches!(**inside, Pat::Rest(_)));
                let ty = ty.filter(|_| !is_list);
                let by_value = || match self.default {
                    Some(mode) if pat.mutability.is_none() => mode,
                    _ => ty.map_or(PassMode::Value, type_pass_mode),
                };
                let (mutability, pass_mode) = match (&pat.by_ref, pat.mutability) {
                    (Some(_), Some(_)) if self.owned => (None, PassMode::OwnedRefMut),
                    (Some(_), Some(_)) => (None, PassMode::MutRef),
                    (Some(_), None) => (None, PassMode::SharedRef),
                    (None, mutability) => (mutability, by_value()),
                };
                bindings.push(Binding { name: pat.ident.clone(), mutability, pass_mode });
                if let Some((_, pat)) = &pat.subpat {
                    self.bind(pat, ty, bindings);
                }
            }
            (Pat::Reference(pat), ty) => {
                let ty = match ty {
                    Some(Type::Reference(reference)) => Some(&*reference.elem),
                    _ => None,
                };
                Self { owned: false, default: None }.bind(&pat.pat, ty, bindings);
            }
            (Pat::Paren(pat), ty) => self.bind(&pat.pat, ty, bindings),
            // Every alternative binds the same names.
            (Pat::Or(pat), ty) => {
                if let Some(first) = pat.cases.first() {
                    self.bind(first, ty, bindings);
                }
            }
            (pat, Some(Type::Reference(reference))) => {
                let mode = match self.default {
                    Some(PassMode::SharedRef) => PassMode::SharedRef,
                    _ if reference.mutability.is_some() => PassMode::MutRef,
                    _ => PassMode::SharedRef,
                };
                let inside = Self { owned: false, default: Some(mode) };
                inside.bind(pat, Some(&reference.elem), bindings);
            }
            // With as many parts as types, a `..` stands for one element.
            (Pat::Tuple(pat), Some(Type::Tuple(types))) if types.elems.len() == pat.elems.len() => {
                for (pat, ty) in pat.elems.iter().zip(&types.elems) {
                    self.bind(pat, Some(ty), bindings);
                }
            }
            (Pat::Tuple(pat), _) => self.bind_all(&pat.elems, None, bindings),
            (Pat::TupleStruct(pat), _) => self.bind_all(&pat.elems, None, bindings),
            (Pat::Slice(pat), Some(Type::Array(array))) => {
                self.bind_all(&pat.elems, Some(&array.elem), bindings);
            }
            (Pat::Slice(pat), _) => self.bind_all(&pat.elems, None, bindings),
            (Pat::Struct(pat), _) => {
                for field in &pat.fields {
                    self.bind(&field.pat, None, bindings);
                }
            }
            _ => {}
        }
    }

    fn bind_all<'p>(
        self,
        pats: impl IntoIterator<Item = &'p Pat>,
        ty: Option<&Type>,
        bindings: &mut Vec<Binding>,
    ) {
        for pat in pats {
            self.bind(pat, ty, bindings);
        }
    }
}

/// Returns a pattern in which the parameters of these locals have a `mut` where the locals need it,
/// and only there.
pub(crate) fn move_mut(pattern: TokenStream, locals: &[ArgLocal]) -> TokenStream {
    let mut tokens = pattern.into_iter().peekable();
    let mut kept = Vec::new();
    let find = |token: Option<&TokenTree>| match token {
        Some(TokenTree::Ident(name)) => locals.iter().find(|local| local.from == *name),
        _ => None,
    };
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "mut" => {
                // `&mut name` and `ref mut name` have another meaning.
                let is_other = match kept.last() {
                    Some(TokenTree::Ident(before)) => before == "ref",
                    before => is_punct(before, '&'),
                };
                if is_other || find(tokens.peek()).is_none() {
                    kept.push(TokenTree::Ident(word));
                }
            }
            TokenTree::Group(group) => {
                let inside = move_mut(group.stream(), locals);
                kept.push(TokenTree::Group(refill(&group, inside)));
            }
            other => {
                if find(Some(&other)).is_some_and(ArgLocal::needs_mut) {
                    kept.push(TokenTree::Ident(Ident::new("mut", Span::call_site())));
                }
                kept.push(other);
            }
        }
    }
    kept.into_iter().collect()
}

/// Replaces every `impl Trait` in a type by `_`, and every named lifetime by `'_`: generated code
/// cannot name an `impl Trait`, and Clippy reports a lifetime as needless only if the body does not
/// name any. A type of several bounds gets parentheses.
pub(crate) fn nameable(mut ty: Type) -> Type {
    fn erase(ty: &mut Type) {
        match ty {
            Type::ImplTrait(_) => *ty = syn::parse_quote!(_),
            Type::Path(path) => {
                for segment in &mut path.path.segments {
                    if let syn::PathArguments::AngleBracketed(list) = &mut segment.arguments {
                        for argument in &mut list.args {
                            match argument {
                                syn::GenericArgument::Type(ty) => erase(ty),
                                syn::GenericArgument::Lifetime(lifetime) => infer(lifetime),
                                _ => {}
                            }
                        }
                    }
                }
            }
            Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
            Type::Reference(reference) => {
                reference.lifetime.as_mut().map(infer);
                erase(&mut reference.elem);
            }
            Type::Slice(slice) => erase(&mut slice.elem),
            Type::Array(array) => erase(&mut array.elem),
            Type::Paren(paren) => erase(&mut paren.elem),
            Type::Group(group) => erase(&mut group.elem),
            _ => {}
        }
    }
    fn infer(lifetime: &mut syn::Lifetime) {
        if lifetime.ident != "static" {
            lifetime.ident = Ident::new("_", lifetime.ident.span());
        }
    }
    erase(&mut ty);
    // `<A + B as Outcome>` is no type.
    if let Type::TraitObject(_) = ty { syn::parse_quote!((#ty)) } else { ty }
}

/// Returns whether a function is sync, and could be async: `check::function` reports functions for
/// which `async` is impossible. `is_async` is true for a method under `#[async_trait]` as well.
pub(crate) fn is_sync(sig: &Signature, is_async: bool) -> bool {
    let is_future = matches!(&sig.output, ReturnType::Type(_, returns) if is_future(returns));
    !is_async && !is_future && sig.constness.is_none()
}

/// Returns whether a type is a future by its name: `impl Future`, `BoxFuture`,
/// `Pin<Box<dyn Future>>`.
pub(crate) fn is_future(returns: &Type) -> bool {
    let names_future = |ident: &Ident| ident.to_string().ends_with("Future");
    match bare(returns) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let inside = last.arguments.to_token_stream();
            names_future(&last.ident) || last.ident == "Pin" && any_ident(&inside, &names_future)
        }),
        Type::ImplTrait(_) => any_ident(&returns.to_token_stream(), &names_future),
        _ => false,
    }
}
