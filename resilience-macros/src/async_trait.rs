//! Methods under `#[async_trait]`, already turned into sync functions:
//!
//! ```text
//! Box::pin(async move { … let __self = self; let x = x; let __ret: Ret = { body }; … __ret })
//! Box::pin(async move { … let __self = self; let x = x; let _: () = { body }; })
//! ```
//!
//! The layer wraps `{ body }`. The tokens of the shape are recognized at any depth, because foreign
//! attributes may have wrapped the shape again.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::{Pat, Signature, Type};

use crate::captures::ArgLocal;
use crate::function::{Binding, PassMode, bind, move_mut};
use crate::tokens::{is_punct, is_word, refill};

/// The name of `self` under `#[async_trait]`.
pub(crate) const SELF: &str = "__self";

/// The body of a method under `#[async_trait]`.
pub(crate) struct Boxed {
    pub(crate) returns: Type,
    pub(crate) block: Group,
    /// The names bound between the parameters and the body of the method.
    pub(crate) bindings: Vec<Binding>,
}

impl Boxed {
    /// Finds the body inside the desugared body. `parameters` are the names in the signature.
    pub(crate) fn find(body: &Group, parameters: &[Binding]) -> Option<Self> {
        let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        let Some(place) = Place::find(&tokens) else {
            let mut groups = tokens.iter().filter_map(|token| match token {
                TokenTree::Group(group) => Some(group),
                _ => None,
            });
            return groups.find_map(|group| Self::find(group, parameters));
        };
        let returns = tokens.get(place.returns.clone())?.iter().cloned().collect();
        let Some(TokenTree::Group(block)) = tokens.get(place.block) else { return None };
        let mut bindings = Vec::new();
        for pattern in prelude(tokens.get(..place.start)?) {
            if let Ok(pattern) = Pat::parse_single.parse2(pattern) {
                bind(&pattern, None, &mut bindings);
            }
        }
        for Binding { name, mutability, pass_mode } in parameters {
            let name = if name == "self" { Ident::new(SELF, name.span()) } else { name.clone() };
            if let Some(binding) = bindings.iter_mut().find(|binding| binding.name == name) {
                binding.pass_mode = *pass_mode;
                // For `&mut self` the desugared body adds a `mut`, which is no `mut` of the user.
                if name == SELF && *pass_mode != PassMode::Value {
                    binding.mutability = None;
                }
            } else if pass_mode.is_mut_ref() || *pass_mode == PassMode::SharedRef {
                // References are not rebound in front of the body.
                let (mutability, pass_mode) = (*mutability, *pass_mode);
                bindings.push(Binding { name, mutability, pass_mode });
            }
        }
        Some(Self { returns: syn::parse2(returns).ok()?, block: block.clone(), bindings })
    }

    /// Returns whether the method has no return type.
    pub(crate) fn returns_nothing(&self) -> bool {
        matches!(&self.returns, Type::Tuple(returns) if returns.elems.is_empty())
    }

    /// Replaces the block of the method inside the desugared body. The arguments of `locals` have a
    /// `mut` where the locals need it, and only there.
    pub(crate) fn replace(body: &Group, new: &TokenStream, locals: &[ArgLocal]) -> Group {
        let mut tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        if let Some(place) = Place::find(&tokens) {
            if let Some(TokenTree::Group(block)) = tokens.get_mut(place.block) {
                *block = refill(block, new.clone());
            }
            let statement = tokens.split_off(place.start);
            return refill(body, move_mut_in_lets(tokens, locals).chain(statement).collect());
        }
        let is_around =
            |token: &TokenTree| matches!(token, TokenTree::Group(group) if Place::is_within(group));
        let around = tokens.iter().position(is_around);
        if let Some(TokenTree::Group(group)) = around.and_then(|around| tokens.get_mut(around)) {
            *group = Self::replace(group, new, locals);
        }
        refill(body, tokens.into_iter().collect())
    }
}

/// Returns whether a method is under `#[async_trait]`. A method with a value has a `Boxed` body.
pub(crate) fn is_method(sig: &Signature) -> bool {
    sig.generics.lifetimes().any(|parameter| parameter.lifetime.ident == "async_trait")
}

/// Returns whether a body is `Box::pin(async move { … })` and nothing else, as made by a macro.
pub(crate) fn is_boxed_block(body: &Group) -> bool {
    let mut tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let Some(TokenTree::Group(arguments)) = tokens.pop() else { return false };
    let mut block = arguments.stream().into_iter();
    let path = tokens.into_iter().collect::<TokenStream>().to_string().replace(' ', "");
    ["Box::pin", "::std::boxed::Box::pin"].contains(&&*path)
        && is_word(block.next().as_ref(), "async")
        && is_word(block.next().as_ref(), "move")
}

/// The place of `let __ret: returns = block;` or `let _: () = block;` in a list of tokens.
struct Place {
    start: usize,
    returns: std::ops::Range<usize>,
    block: usize,
}

impl Place {
    fn is_within(group: &Group) -> bool {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        Self::find(&tokens).is_some()
            || tokens
                .iter()
                .any(|token| matches!(token, TokenTree::Group(group) if Self::is_within(group)))
    }

    fn find(tokens: &[TokenTree]) -> Option<Self> {
        let at = |index: usize| tokens.get(index);
        let start = (0..tokens.len()).find(|&index| {
            is_word(at(index), "let")
                && (is_word(at(index + 1), "__ret") || is_word(at(index + 1), "_"))
                && is_punct(at(index + 2), ':')
        })?;
        let end = (start..tokens.len()).find(|&index| is_punct(at(index), ';'))?;
        let block = end.checked_sub(1)?;
        let is_block = matches!(at(block), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
        (is_block && is_punct(at(block.checked_sub(1)?), '=')).then_some(Self {
            start,
            returns: start + 3..block - 1,
            block,
        })
    }
}

/// Moves `mut` in the patterns of `let` statements.
fn move_mut_in_lets(
    tokens: Vec<TokenTree>,
    locals: &[ArgLocal],
) -> impl Iterator<Item = TokenTree> {
    let mut moved = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let is_let = is_word(Some(&token), "let");
        moved.push(token);
        if is_let {
            let mut end = None;
            let pattern = tokens.by_ref().take_while(|token| {
                if is_punct(Some(token), '=') {
                    end = Some(token.clone());
                }
                end.is_none()
            });
            let pattern: TokenStream = pattern.collect();
            moved.extend(move_mut(pattern, locals));
            moved.extend(end);
        }
    }
    moved.into_iter()
}

/// Returns the patterns of the `let` statements for the parameters.
fn prelude(tokens: &[TokenTree]) -> Vec<TokenStream> {
    let mut patterns = Vec::new();
    let mut rest = tokens.iter();
    // `if let Some(__ret) = None::<Ret>` helps type inference and rebinds no parameter.
    let mut is_condition = false;
    while let Some(token) = rest.next() {
        let is_let = is_word(Some(token), "let") && !is_condition;
        is_condition = is_word(Some(token), "if");
        if is_let {
            let pattern = rest.by_ref().take_while(|token| !is_punct(Some(token), '='));
            patterns.push(pattern.cloned().collect());
        }
    }
    patterns
}
