//! Attributes that trace a function, between a layer and the body: `#[tracing::instrument]` and
//! `#[fastrace::trace]`.
//!
//! Both put the body into an `async move` block, or into a `move` closure with `err` and `ret`. The
//! `move` would consume the arguments in the first attempt. The expansion removes the `move`: both
//! run the body in place.

use proc_macro2::{Group, TokenStream, TokenTree};

use crate::tokens::{is_punct, is_word, refill};

/// The local with the future in an async function under `#[tracing::instrument]`.
const FUTURE: &str = "__tracing_instrument_future";
/// The local with the span guard in a sync function under `#[tracing::instrument]`.
const GUARD: &str = "__tracing_attr_guard";
/// The local with the span in an async function under `#[fastrace::trace]`.
const FASTRACE_SPAN: &str = "__span__";

/// Removes the `move` of a tracing attribute, recognized by its tokens, from the body.
pub(crate) fn borrow_arguments(body: &Group) -> Group {
    let mut tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let changed = borrow_in_future(&mut tokens)
        || borrow_in_closure(&mut tokens)
        || borrow_in_fastrace(&mut tokens);
    if changed { refill(body, tokens.into_iter().collect()) } else { body.clone() }
}

/// `let __tracing_instrument_future = async move { … };`
fn borrow_in_future(tokens: &mut Vec<TokenTree>) -> bool {
    let Some(place) = tokens.iter().position(|token| is_word(Some(token), FUTURE)) else {
        return false;
    };
    let Some(block) = strip_move(tokens, place) else { return false };
    change_group(tokens, block, |inner| {
        // With `err` or `ret` there is a second block, at the start of the first. Code of the user
        // is never at the start: `instrument` puts a branch in front.
        let first = inner.first();
        (is_word(first, "match") || is_word(first, "let")) && strip_move(inner, 0).is_some()
    });
    true
}

/// `match (move || { … })() { … }`, or `let x = (move || { … })();`, behind the span guard.
fn borrow_in_closure(tokens: &mut [TokenTree]) -> bool {
    let Some(guard) = tokens.iter().position(|token| is_word(Some(token), GUARD)) else {
        return false;
    };
    (guard..tokens.len()).any(|index| {
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        (is_word(before, "match") || is_punct(before, '='))
            && change_group(tokens, index, |closure| {
                let is_move = is_word(closure.first(), "move") && is_punct(closure.get(1), '|');
                if is_move {
                    closure.remove(0);
                }
                is_move
            })
    })
}

/// `{ let __span__ = …; FutureExt::in_span(async move { … }, __span__) }.await`
fn borrow_in_fastrace(tokens: &mut [TokenTree]) -> bool {
    change_group(tokens, 0, |block| {
        if !is_word(block.get(1), FASTRACE_SPAN) {
            return false;
        }
        let Some(call) = block.iter().position(|word| is_word(Some(word), "in_span")) else {
            return false;
        };
        change_group(block, call + 1, |arguments| strip_move(arguments, 0).is_some())
    })
}

/// Changes the tokens of the group at `index`. Returns whether `change` changed anything.
fn change_group(
    tokens: &mut [TokenTree],
    index: usize,
    change: impl FnOnce(&mut Vec<TokenTree>) -> bool,
) -> bool {
    let Some(TokenTree::Group(group)) = tokens.get_mut(index) else { return false };
    let mut inner: Vec<TokenTree> = group.stream().into_iter().collect();
    let changed = change(&mut inner);
    if changed {
        *group = refill(group, inner.into_iter().collect::<TokenStream>());
    }
    changed
}

/// Removes the first `move` after an `async`, from index `from` on. Returns the index of the next
/// token.
fn strip_move(tokens: &mut Vec<TokenTree>, from: usize) -> Option<usize> {
    let at = (from..tokens.len()).find(|&index| {
        is_word(tokens.get(index), "async") && is_word(tokens.get(index + 1), "move")
    })?;
    tokens.remove(at + 1);
    Some(at + 1)
}
