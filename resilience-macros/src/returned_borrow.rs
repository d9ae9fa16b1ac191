//! Return values with a borrow from a `&mut` argument: a failed attempt would keep the borrow, and
//! the next attempt needs the argument.

use syn::{FnArg, Lifetime, ReceiverKind, Signature, Type, TypeReference};

/// Returns whether the return type borrows from a `&mut` argument, by elision or by the same
/// lifetime.
pub(crate) fn returns_mut_borrow(sig: &Signature) -> bool {
    let syn::ReturnType::Type(_, returns) = &sig.output else { return false };
    let mut borrows = Borrows::default();
    borrows.collect(returns);
    let references: Vec<(Option<&Lifetime>, bool)> =
        sig.inputs.iter().filter_map(reference).collect();
    let by_name = references.iter().any(|(lifetime, mutable)| {
        *mutable && lifetime.is_some_and(|lifetime| borrows.named.contains(lifetime))
    });
    // Elision takes the lifetime of the receiver, or else the only lifetime of the parameters.
    let source = match (sig.receiver().is_some(), references.as_slice()) {
        (true, [receiver, ..]) | (false, [receiver]) => Some(receiver),
        _ => None,
    };
    by_name || (borrows.elided && source.is_some_and(|(_, mutable)| *mutable))
}

/// Returns the lifetime and mutability of a parameter with a reference type.
fn reference(input: &FnArg) -> Option<(Option<&Lifetime>, bool)> {
    let of = |reference: &'_ TypeReference| reference.mutability.is_some();
    match input {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, lifetime, mutable) => {
                Some((lifetime.as_ref(), mutable.is_some()))
            }
            ReceiverKind::Typed(_, ty) => match &**ty {
                Type::Reference(reference) => Some((reference.lifetime.as_ref(), of(reference))),
                _ => None,
            },
            _ => None,
        },
        FnArg::Typed(typed) => match &*typed.ty {
            Type::Reference(reference) => Some((reference.lifetime.as_ref(), of(reference))),
            _ => None,
        },
    }
}

/// The lifetimes in a return type.
#[derive(Default)]
struct Borrows {
    elided: bool,
    named: Vec<Lifetime>,
}

impl Borrows {
    fn collect(&mut self, ty: &Type) {
        match ty {
            Type::Reference(reference) => {
                match &reference.lifetime {
                    Some(lifetime) => self.add(lifetime),
                    None => self.elided = true,
                }
                self.collect(&reference.elem);
            }
            Type::Path(path) => {
                for segment in &path.path.segments {
                    if let syn::PathArguments::AngleBracketed(list) = &segment.arguments {
                        for argument in &list.args {
                            match argument {
                                syn::GenericArgument::Lifetime(lifetime) => self.add(lifetime),
                                syn::GenericArgument::Type(ty) => self.collect(ty),
                                _ => {}
                            }
                        }
                    }
                }
            }
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| self.collect(ty)),
            Type::Slice(slice) => self.collect(&slice.elem),
            Type::Array(array) => self.collect(&array.elem),
            Type::Paren(paren) => self.collect(&paren.elem),
            Type::Group(group) => self.collect(&group.elem),
            _ => {}
        }
    }

    fn add(&mut self, lifetime: &Lifetime) {
        if lifetime.ident == "_" {
            self.elided = true;
        } else if lifetime.ident != "static" {
            self.named.push(lifetime.clone());
        }
    }
}
