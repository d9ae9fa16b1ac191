//! Macros for the cases: the command line of the compiler, and an attribute of another crate.

use std::env;

use proc_macro::{Group, Literal, Punct, Spacing, TokenStream, TokenTree};

/// Expands to the command line of the compiler that expands this macro, as an array of strings.
///
/// The first string is the path of the compiler. The others include the `--extern` and `-L`
/// options of the crate that contains the call, which Cargo does not report to a test in another
/// way.
#[proc_macro]
pub fn compiler_args(_: TokenStream) -> TokenStream {
    let compiler = env::current_exe().into_iter().map(|path| path.display().to_string());
    let items = compiler.chain(env::args().skip(1)).flat_map(|arg| {
        let comma = TokenTree::from(Punct::new(',', Spacing::Alone));
        [TokenTree::from(Literal::string(&arg)), comma]
    });
    let array = Group::new(proc_macro::Delimiter::Bracket, items.collect());
    TokenStream::from(TokenTree::from(array))
}

/// Returns the item unchanged: an attribute of another crate.
#[proc_macro_attribute]
pub fn unchanged(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}
