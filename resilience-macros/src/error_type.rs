//! The error type in the return type, as far as the tokens show it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, Type, TypePath};

use crate::function::bare;

/// The pointers with the `Classify` implementation of their target.
const POINTERS: &[&str] = &["Arc", "Box", "Rc"];

/// Returns the type that tells the runtime whether an error type depends on a type parameter:
/// `Parameter` for a parameter of the function, the target for a pointer, otherwise `()`.
///
/// `generics` lists the parameters of the function. A parameter of the `impl` block is invisible
/// here. The runtime recognizes such a parameter by itself, except behind a pointer.
pub(crate) fn dependency(
    error: Option<&Type>,
    generics: &[Ident],
    private: &TokenStream,
) -> TokenStream {
    let Some(error) = error else { return quote!(()) };
    let mut target = error;
    while let Some(next) = pointer_target(target) {
        target = next;
    }
    match target {
        Type::Path(path) if first_word(path).is_some_and(|word| generics.contains(word)) => {
            quote!(#private::Parameter)
        }
        Type::Path(path) if pointer_target(error).is_some() => path.to_token_stream(),
        _ => quote!(()),
    }
}

/// Returns the error type of `Result<T, E>`, or of an alias with two or more types.
pub(crate) fn of(returns: &TokenStream) -> Option<Type> {
    let returns: Type = syn::parse2(returns.clone()).ok()?;
    let mut types = types_of(bare(&returns))?;
    let error = types.pop()?;
    (!types.is_empty()).then(|| error.clone())
}

/// Returns the target of a `Box`, an `Rc`, an `Arc` or a reference.
fn pointer_target(ty: &Type) -> Option<&Type> {
    match bare(ty) {
        Type::Reference(reference) => Some(&reference.elem),
        pointer @ Type::Path(path) => {
            let last = &path.path.segments.last()?.ident;
            let is_pointer = POINTERS.iter().any(|name| last == name);
            types_of(pointer).filter(|_| is_pointer)?.into_iter().next()
        }
        _ => None,
    }
}

/// Returns the types in the angle brackets of a path.
fn types_of(ty: &Type) -> Option<Vec<&Type>> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(list) = &path.path.segments.last()?.arguments else {
        return None;
    };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(bare(ty)),
        _ => None,
    });
    Some(types.collect())
}

/// Returns `T` for `T`, `T::Error` and `<T as Trait>::Error`.
fn first_word(path: &TypePath) -> Option<&Ident> {
    match path.qself.as_ref().map(|qself| bare(&qself.ty)) {
        Some(Type::Path(of)) => first_word(of),
        Some(_) => None,
        None => path.path.segments.first().map(|first| &first.ident),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn dependency_of(returns: &TokenStream) -> String {
        let generics = ["E", "Api"].map(|name| Ident::new(name, Span::call_site()));
        dependency(of(returns).as_ref(), &generics, &quote!(p)).to_string().replace(' ', "")
    }

    #[test]
    fn parameters_of_the_function_are_dependencies() {
        for returns in [
            quote!(Result<(), E>),
            quote!(std::result::Result<(), Box<E>>),
            quote!(Result<u32, &'a Arc<E>>),
            quote!(Result<(), Api::Error>),
            quote!(Result<(), <Api as Service>::Error>),
            quote!(Attempted<u32, E>),
        ] {
            assert_eq!(dependency_of(&returns), "p::Parameter", "{returns}");
        }
    }

    #[test]
    fn the_target_of_a_pointer_is_a_dependency() {
        assert_eq!(dependency_of(&quote!(Result<(), Box<Self::Error>>)), "Self::Error");
        assert_eq!(dependency_of(&quote!(Result<(), &NotFound>)), "NotFound");
        assert_eq!(dependency_of(&quote!(Result<(), Rc<Box<Other>>>)), "Other");
        assert_eq!(dependency_of(&quote!(Result<(), Box<Other, Allocator>>)), "Other");
    }

    #[test]
    fn other_error_types_have_no_dependency_in_the_tokens() {
        for returns in [
            quote!(Option<E>),
            quote!(io::Result<E>),
            quote!(Result<E, NotFound>),
            quote!(Result<(), Self::Error>),
            quote!(Result<(), Box<dyn Error + Send>>),
            quote!(Result<(), SendError<E>>),
            quote!(()),
        ] {
            assert_eq!(dependency_of(&returns), "()", "{returns}");
        }
    }
}
