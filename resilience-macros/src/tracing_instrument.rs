//! Attributes that trace a function, between a layer and the body: `#[tracing::instrument]` and
//! `#[fastrace::trace]`.
//!
//! Both put the body into an `async move` block, or into a `move` closure with `err` and `ret`. The
//! `move` would consume the arguments in the first attempt. The expansion removes the `move`: both
//! run the body in place.

use proc_macro2::{Group, TokenStream, TokenTree};

use crate::tokens::refill;

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
    let Some(place) = tokens.iter().position(|token| is_word(token, FUTURE)) else { return false };
    let Some(block) = strip_move(tokens, place) else { return false };
    change_group(tokens, block, |inner| {
        // With `err` or `ret` there is a second block, at the start of the first.
        let opens =
            inner.first().is_some_and(|word| is_word(word, "match") || is_word(word, "let"));
        opens && inner.iter().take(6).any(is_async) && strip_move(inner, 0).is_some()
    });
    true
}

/// `match (move || { … })() { … }`, or `let x = (move || { … })();`, behind the span guard.
fn borrow_in_closure(tokens: &mut [TokenTree]) -> bool {
    let Some(guard) = tokens.iter().position(|token| is_word(token, GUARD)) else { return false };
    (guard..tokens.len()).any(|index| {
        let begins = index.checked_sub(1).and_then(|before| tokens.get(before));
        let begins = begins.is_some_and(|token| is_word(token, "match") || is_punct(token, '='));
        begins
            && change_group(tokens, index, |closure| {
                let is_move = closure.first().is_some_and(|word| is_word(word, "move"))
                    && closure.get(1).is_some_and(|bar| is_punct(bar, '|'));
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
        if !block.get(1).is_some_and(|word| is_word(word, FASTRACE_SPAN)) {
            return false;
        }
        let Some(call) = block.iter().position(|word| is_word(word, "in_span")) else {
            return false;
        };
        change_group(block, call + 1, |arguments| {
            arguments.first().is_some_and(is_async) && strip_move(arguments, 0).is_some()
        })
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
        tokens.get(index).is_some_and(is_async)
            && tokens.get(index + 1).is_some_and(|word| is_word(word, "move"))
    })?;
    tokens.remove(at + 1);
    Some(at + 1)
}

fn is_async(token: &TokenTree) -> bool {
    is_word(token, "async")
}

fn is_word(token: &TokenTree, text: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if word == text)
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}
