//! Queries and changes of code as tokens.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

/// Returns whether `tokens` mention any of `names`. Inline format arguments count.
pub(crate) fn mentions(tokens: &TokenStream, names: &[Ident]) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.contains(&ident),
        TokenTree::Group(group) => mentions(&group.stream(), names),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            names.iter().any(|name| text.contains(&format!("{{{name}")))
        }
        TokenTree::Punct(_) => false,
    })
}

/// Returns whether `tokens` contain an identifier accepted by `test`, at any depth.
pub(crate) fn any_ident(tokens: &TokenStream, test: &impl Fn(&Ident) -> bool) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => test(&ident),
        TokenTree::Group(group) => any_ident(&group.stream(), test),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Gives all tokens another span.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(at).collect()
}

/// Replaces the tokens inside a group.
pub(crate) fn refill(group: &Group, stream: TokenStream) -> Group {
    let mut filled = Group::new(group.delimiter(), stream);
    filled.set_span(group.span());
    filled
}

/// Renames `self`, except inside nested items: there `self` is another value.
pub(crate) fn rename_self(tokens: TokenStream, name: &str) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut in_item = false;
    let rename = |(index, token): (usize, &TokenTree)| {
        let before = index.checked_sub(1).and_then(|index| tokens.get(index));
        let after = tokens.get(index + 1);
        match token {
            TokenTree::Ident(ident) if ident == "self" && !in_item => {
                // `self::name` is a path.
                let is_path = is_punct(after, ':') && is_punct(tokens.get(index + 2), ':');
                let name = if is_path { "self" } else { name };
                TokenTree::Ident(Ident::new(name, ident.span()))
            }
            TokenTree::Ident(ident) => {
                // `fn name` begins an item; `fn(u8) -> u8` is a type.
                in_item |= matches!(before, Some(TokenTree::Ident(word)) if word == "fn")
                    || ["impl", "trait", "macro_rules"].iter().any(|word| ident == word);
                token.clone()
            }
            TokenTree::Group(group) if in_item => {
                in_item = group.delimiter() != Delimiter::Brace;
                token.clone()
            }
            TokenTree::Group(group) => {
                let inside = rename_self(group.stream(), name);
                let is_macro = is_punct(before, '!');
                let inside = if is_macro { rename_in_formats(inside, name) } else { inside };
                TokenTree::Group(refill(group, inside))
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => token.clone(),
        }
    };
    tokens.iter().enumerate().map(rename).collect()
}

fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// Renames `{self}` in the format strings of a macro call.
fn rename_in_formats(tokens: TokenStream, name: &str) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match &token {
            TokenTree::Literal(literal) if literal.to_string().contains("{self") => {
                let text = literal.to_string();
                let renamed = text
                    .replace("{self}", &format!("{{{name}}}"))
                    .replace("{self:", &format!("{{{name}:"));
                let mut new = renamed.parse::<Literal>().unwrap_or_else(|_| literal.clone());
                new.set_span(literal.span());
                TokenTree::Literal(new)
            }
            _ => token,
        })
        .collect()
}
