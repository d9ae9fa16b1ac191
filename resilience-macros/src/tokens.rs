//! Queries and changes of code as tokens.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

/// Returns whether `tokens` mention any of `names`. Inline format arguments of a macro count.
pub(crate) fn mentions(tokens: &TokenStream, names: &[Ident]) -> bool {
    names.iter().any(|name| {
        let text = name.to_string();
        mentions_name(tokens.clone(), name, &text, false)
    })
}

fn mentions_name(tokens: TokenStream, name: &Ident, text: &str, in_macro: bool) -> bool {
    let mut is_called = false;
    tokens.into_iter().any(|token| {
        let in_macro = in_macro || is_called;
        is_called = is_punct(Some(&token), '!');
        match token {
            TokenTree::Ident(ident) => ident == *name,
            TokenTree::Group(group) => mentions_name(group.stream(), name, text, in_macro),
            TokenTree::Literal(literal) if in_macro => {
                let literal = literal.to_string();
                literal.contains(text) && format_arguments(&literal).any(|(_, found)| found == text)
            }
            TokenTree::Literal(_) | TokenTree::Punct(_) => false,
        }
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

/// Returns whether a body has a statement with a semicolon.
pub(crate) fn has_semicolon(body: &TokenStream) -> bool {
    body.clone().into_iter().any(|token| is_punct(Some(&token), ';'))
}

/// Returns whether a body has a word that may begin an item without a semicolon.
pub(crate) fn may_have_item(body: &TokenStream) -> bool {
    const ITEMS: [&str; 9] =
        ["enum", "extern", "fn", "impl", "macro_rules", "mod", "struct", "trait", "union"];
    let is_item = |token: TokenTree| ITEMS.iter().any(|item| is_word(Some(&token), item));
    body.clone().into_iter().any(is_item)
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
                in_item |= is_word(before, "fn")
                    || ["impl", "trait", "macro_rules"].iter().any(|word| ident == word);
                token.clone()
            }
            TokenTree::Group(group) if in_item => {
                in_item = group.delimiter() != Delimiter::Brace;
                token.clone()
            }
            TokenTree::Group(group) => {
                let inside = rename_self(group.stream(), name);
                let called = index.checked_sub(2).and_then(|index| tokens.get(index));
                let inside = match called.filter(|_| is_punct(before, '!')) {
                    Some(TokenTree::Ident(called)) => rename_in_format(inside, called, name),
                    _ => inside,
                };
                TokenTree::Group(refill(group, inside))
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => token.clone(),
        }
    };
    tokens.iter().enumerate().map(rename).collect()
}

/// Returns whether the token is this punctuation mark.
pub(crate) fn is_punct(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
}

/// Returns whether the token is this word.
pub(crate) fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

/// Returns whether a type has a reference or a lifetime other than `'static`.
pub(crate) fn returns_borrow(ty: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = ty.clone().into_iter().collect();
    let is_static = |index: usize| {
        is_punct(tokens.get(index), '\'') && is_word(tokens.get(index + 1), "static")
    };
    tokens.iter().enumerate().any(|(index, token)| match token {
        TokenTree::Punct(punct) if punct.as_char() == '&' => !is_static(index + 1),
        TokenTree::Punct(punct) if punct.as_char() == '\'' => !is_static(index),
        TokenTree::Group(group) => returns_borrow(&group.stream()),
        _ => false,
    })
}

/// The macros with a format string, and the number of arguments in front of the format string.
const FORMATS: &[(&str, usize)] = &[
    ("anyhow", 0),
    ("assert", 1),
    ("assert_eq", 2),
    ("assert_ne", 2),
    ("bail", 0),
    ("debug", 0),
    ("debug_assert", 1),
    ("debug_assert_eq", 2),
    ("debug_assert_ne", 2),
    ("ensure", 1),
    ("eprint", 0),
    ("eprintln", 0),
    ("error", 0),
    ("event", 1),
    ("eyre", 0),
    ("format", 0),
    ("format_args", 0),
    ("info", 0),
    ("log", 1),
    ("panic", 0),
    ("print", 0),
    ("println", 0),
    ("todo", 0),
    ("trace", 0),
    ("unimplemented", 0),
    ("unreachable", 0),
    ("warn", 0),
    ("write", 1),
    ("writeln", 1),
];

/// Renames `{self}` in the format string of a macro call. Other literals stay.
fn rename_in_format(tokens: TokenStream, called: &Ident, name: &str) -> TokenStream {
    let Some((_, before)) = FORMATS.iter().find(|(known, _)| called == known) else {
        return tokens;
    };
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut argument = 0;
    let mut is_start = true;
    let place = tokens.iter().enumerate().position(|(index, token)| {
        let is_alone =
            is_start && tokens.get(index + 1).is_none_or(|next| is_punct(Some(next), ','));
        is_start = is_punct(Some(token), ',');
        argument += usize::from(is_start);
        is_alone && argument >= *before && matches!(token, TokenTree::Literal(_))
    });
    if let Some(TokenTree::Literal(literal)) = place.and_then(|place| tokens.get_mut(place)) {
        let text = literal.to_string();
        let mut renamed = String::new();
        let mut end = 0;
        for (start, found) in format_arguments(&text).filter(|(_, found)| *found == "self") {
            renamed.push_str(text.get(end..start).unwrap_or_default());
            renamed.push_str(name);
            end = start + found.len();
        }
        renamed.push_str(text.get(end..).unwrap_or_default());
        if let Ok(mut new) = renamed.parse::<Literal>() {
            new.set_span(literal.span());
            *literal = new;
        }
    }
    tokens.into_iter().collect()
}

/// Returns the names in `{name}`, `{name:…}` and `{…:name$}` of a format string, with their
/// positions in the source of the literal.
fn format_arguments(literal: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = literal.char_indices().peekable();
    let mut is_open = false;
    std::iter::from_fn(move || {
        let is_word = |letter: char| letter == '_' || letter.is_alphanumeric();
        while let Some((index, letter)) = rest.next() {
            match letter {
                '{' if !is_open => is_open = rest.next_if(|(_, next)| *next == '{').is_none(),
                '}' => is_open = false,
                _ if is_open && is_word(letter) => {
                    let mut end = index + letter.len_utf8();
                    while let Some((next, letter)) = rest.next_if(|(_, next)| is_word(*next)) {
                        end = next + letter.len_utf8();
                    }
                    let before = literal.get(..index).unwrap_or_default();
                    let is_argument = match rest.peek() {
                        Some((_, '}' | ':')) => before.ends_with('{'),
                        Some((_, '$')) => true,
                        _ => false,
                    };
                    if let Some(word) = literal.get(index..end).filter(|_| is_argument) {
                        return Some((index, word));
                    }
                }
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literal: &str) -> Vec<&str> {
        format_arguments(literal).map(|(_, name)| name).collect()
    }

    #[test]
    fn the_arguments_of_a_format_string_are_found() {
        assert_eq!(
            found(r#""{a} {b:?} {{c}} {} {0} {:>d$} {:.e$} {é}""#),
            ["a", "b", "0", "d", "e", "é"]
        );
        assert_eq!(found(r##"r#"{a}{{{b}}}"#"##), ["a", "b"]);
        assert_eq!(found("\"a\""), [""; 0]);
        assert_eq!(found("7"), [""; 0]);
    }

    #[test]
    fn names_in_format_strings_are_mentioned() {
        let names = [Ident::new("id", Span::call_site())];
        let mentions = |tokens| mentions(&tokens, &names);
        assert!(mentions(quote::quote!(f(&[id]))));
        assert!(mentions(quote::quote!(f(format!("{id:?}")))));
        assert!(mentions(quote::quote!(f(format!("{:>1$}", vec!["{id}"])))));
        assert!(!mentions(quote::quote!(f("{id}"))));
        assert!(!mentions(quote::quote!(format!("{{id}} {ids}"))));
    }

    #[test]
    fn only_format_strings_are_renamed() {
        let tokens = quote::quote! {
            f("{self}");
            vec!["{self}"];
            format!("{self} {{self}} {:self$}", "{self}");
            write!(self, "{self:?}");
            assert_eq!("{self}", self.0, "{self}");
            info!(target: "{self}", id = 7, "{self}");
        };
        let renamed = quote::quote! {
            f("{self}");
            vec!["{self}"];
            format!("{me} {{self}} {:me$}", "{self}");
            write!(me, "{me:?}");
            assert_eq!("{self}", me.0, "{me}");
            info!(target: "{self}", id = 7, "{me}");
        };
        assert_eq!(rename_self(tokens, "me").to_string(), renamed.to_string());
    }
}
