//! How the body gets the arguments: moved in, borrowed, or through a local in front of the body.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Token;

use crate::function::{Binding, PassMode};
use crate::tokens::{is_punct, is_word, mentions};

/// The local in place of `self`, in the body of the user. A name with the hygiene of a macro would
/// not reach a `{self}` in a format string.
pub(crate) const SELF: &str = "resilience_self";

/// The layers that need the arguments beside the body.
pub(crate) struct Needs<'n> {
    /// The body runs more than once, so each run borrows the arguments.
    pub(crate) repeated: bool,
    /// The arguments that keys name, which are evaluated after the start of the body.
    pub(crate) lent: &'n [Ident],
    pub(crate) is_async: bool,
    /// The return type borrows from a `&mut` argument.
    pub(crate) returns_mut_borrow: bool,
}

/// The captures of a block around the body.
#[derive(Default)]
pub(crate) struct Captures {
    /// The locals in front of the body.
    pub(crate) locals: Vec<ArgLocal>,
    /// Statements that never run. They decide how the block captures an argument.
    pub(crate) uses: TokenStream,
}

/// A local in front of the body: `let [mut] name = value;`.
#[derive(Clone)]
pub(crate) struct ArgLocal {
    pub(crate) name: Ident,
    pub(crate) from: Ident,
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) value: LocalValue,
}

/// The value of a local in front of the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LocalValue {
    Clone,
    /// The argument itself, moved or copied.
    Argument,
    /// A reborrow, so that the next run can use the argument.
    Reborrow(PassMode),
}

impl ArgLocal {
    /// Returns the local for an argument. A `let` cannot bind `self`: in the body the local has
    /// another name.
    fn new(binding: &Binding, value: LocalValue) -> Self {
        let from = binding.name.clone();
        let name = if from == "self" { Ident::new(SELF, from.span()) } else { from.clone() };
        Self { name, from, mutability: binding.mutability, value }
    }

    /// Returns whether the argument must be `mut` for the value of the local.
    pub(crate) fn needs_mut(&self) -> bool {
        matches!(self.value, LocalValue::Reborrow(PassMode::OptionMut | PassMode::PinMut))
    }
}

impl ToTokens for ArgLocal {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, from, mutability, value } = self;
        let value = match value {
            LocalValue::Clone => quote!(::core::clone::Clone::clone(&#from)),
            LocalValue::Argument => quote!(#from),
            LocalValue::Reborrow(PassMode::OptionMut) => quote! {
                match &mut #from {
                    ::core::option::Option::Some(resilience_value) => {
                        ::core::option::Option::Some(&mut **resilience_value)
                    }
                    ::core::option::Option::None => ::core::option::Option::None,
                }
            },
            LocalValue::Reborrow(PassMode::PinMut) => {
                quote!(::core::pin::Pin::as_mut(&mut #from))
            }
            LocalValue::Reborrow(_) => quote!(&mut *#from),
        };
        // The name and the `mut` are those of the signature: the compiler reports them there.
        tokens.extend(quote! {
            #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
            let #mutability #name = #value;
        });
    }
}

impl Captures {
    /// Decides how a block around `body` captures the arguments.
    pub(crate) fn of(
        bindings: &[Binding],
        clones: &[Ident],
        body: &TokenStream,
        needs: &Needs<'_>,
    ) -> Self {
        let mut captures = Self::default();
        let mut moved = Vec::new();
        for binding in bindings {
            let Binding { name, mutability, pass_mode } = binding;
            if clones.contains(name) || !mentions(body, std::slice::from_ref(name)) {
                continue;
            }
            let is_lent = needs.lent.contains(name);
            let is_mut = mutability.is_some();
            let local = if needs.repeated || is_lent {
                match pass_mode {
                    mode if mode.is_mut_ref()
                        && (is_mut && needs.repeated || may_move(body, name)) =>
                    {
                        Some(LocalValue::Reborrow(*mode))
                    }
                    PassMode::OptionMut | PassMode::PinMut => {
                        Some(LocalValue::Reborrow(*pass_mode))
                    }
                    // A reference is `Copy`: each run starts with the argument.
                    PassMode::SharedRef if is_mut && needs.repeated => Some(LocalValue::Argument),
                    _ => None,
                }
            } else {
                // As in a plain `async fn`, the local may later hold a shorter borrow.
                (needs.is_async && is_mut && name != "self").then_some(LocalValue::Argument)
            };
            if let Some(value) = local {
                captures.locals.push(ArgLocal::new(binding, value));
            } else if !needs.is_async && needs.returns_mut_borrow && pass_mode.is_mut_ref() {
                // In edition 2018 a closure would borrow the `&mut` itself, and the borrow would
                // end with the closure.
                if !needs.repeated && !is_lent {
                    moved.push(name);
                }
            } else if !needs.is_async || is_lent {
            } else if needs.repeated && pass_mode.is_mut_ref() {
                // The future of a plain function holds a `&mut`, which is `Send` without `Sync`.
                // Clippy suggests a slice only for a list that the function uses as a slice.
                let is_list = *pass_mode == PassMode::MutRefToList;
                let place = if is_list { quote!(#name[..]) } else { quote!(*#name) };
                captures.uses.extend(quote!(let _ = &mut #place;));
            } else if !needs.repeated && !needs.lent.is_empty() {
                moved.push(name);
            }
        }
        if !moved.is_empty() {
            captures.uses.extend(quote!(let _ = (#(#moved,)*);));
        }
        captures
    }

    /// Returns the owned arguments that are cloned for each run and used by no key.
    pub(crate) fn cloned(&self, bindings: &[Binding], lent: &[Ident]) -> Vec<Ident> {
        let is_cloned = |binding: &&Binding| {
            let is_local =
                |local: &ArgLocal| local.value == LocalValue::Clone && local.from == binding.name;
            binding.pass_mode == PassMode::Value
                && self.locals.iter().any(is_local)
                && !lent.contains(&binding.name)
        };
        bindings.iter().filter(is_cloned).map(|binding| binding.name.clone()).collect()
    }

    /// Adds the locals of the arguments that are cloned for each run.
    pub(crate) fn clone_arguments(&mut self, bindings: &[Binding], clones: &[Ident]) {
        let found = clones
            .iter()
            .filter_map(|clone| bindings.iter().find(|binding| binding.name == *clone));
        self.locals.extend(found.map(|binding| ArgLocal::new(binding, LocalValue::Clone)));
    }
}

/// Returns whether the body may move a variable: a use that is neither a borrow, a dereference, an
/// index, nor the start of a path to a field or a method.
fn may_move(body: &TokenStream, name: &Ident) -> bool {
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    tokens.iter().enumerate().any(|(index, token)| match token {
        TokenTree::Ident(word) => {
            let before = index.checked_sub(1).and_then(|index| tokens.get(index));
            let after = tokens.get(index + 1);
            let is_place = is_punct(after, '.') && !is_punct(tokens.get(index + 2), '.')
                || matches!(after, Some(TokenTree::Group(group)) if group.delimiter() == proc_macro2::Delimiter::Bracket);
            let is_borrowed = is_word(before, "mut")
                || ['&', '*', '.'].iter().any(|mark| is_punct(before, *mark));
            word == name && !is_place && !is_borrowed
        }
        TokenTree::Group(group) => may_move(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
