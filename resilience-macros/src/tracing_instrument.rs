//! `#[tracing::instrument]` between a layer and the body.
//!
//! `instrument` puts the body into an `async move` block. The `move` would consume the arguments in
//! the first attempt. The expansion removes the `move`: `instrument` awaits the block in place.

use proc_macro2::{Group, TokenStream, TokenTree};

use crate::tokens::refill;

const FUTURE: &str = "__tracing_instrument_future";

/// Removes the `move` of `#[tracing::instrument]`, recognized by its tokens, from the body.
pub(crate) fn borrow_arguments(body: &Group) -> Group {
    let mut tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let is_future = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == FUTURE);
    let Some(place) = tokens.iter().position(is_future) else { return body.clone() };
    if let Some(block) = strip_move(&mut tokens, place) {
        if let Some(TokenTree::Group(group)) = tokens.get_mut(block) {
            // With `err` or `ret` there is a second block, at the start of the first.
            let mut inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let opens = matches!(inner.first(), Some(TokenTree::Ident(word)) if word == "match" || word == "let");
            if opens && inner.iter().take(6).any(is_async) {
                strip_move(&mut inner, 0);
                *group = refill(group, inner.into_iter().collect::<TokenStream>());
            }
        }
    }
    refill(body, tokens.into_iter().collect())
}

/// Removes the first `move` after an `async`, from index `from` on. Returns the index of the next
/// token.
fn strip_move(tokens: &mut Vec<TokenTree>, from: usize) -> Option<usize> {
    let at = (from..tokens.len()).find(|&index| {
        tokens.get(index).is_some_and(is_async)
            && matches!(tokens.get(index + 1), Some(TokenTree::Ident(word)) if word == "move")
    })?;
    tokens.remove(at + 1);
    Some(at + 1)
}

fn is_async(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == "async")
}
