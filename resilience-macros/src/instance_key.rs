//! A key whose values are returned to other calls: the key of `#[coalesce]` and of a fallback with
//! the last good value.
//!
//! A value must not reach a call that means another value. The generic arguments are a part of the
//! key. The fields of `self` are not, so a method names them, or says that all values of the type
//! are alike.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Signature};

use crate::async_trait;
use crate::codegen::Context;
use crate::diagnostics::Errors;
use crate::tokens::mentions;
use crate::value;

/// Reads `scope = "global"`.
#[expect(clippy::needless_pass_by_value, reason = "readers of keys take the value")]
pub(crate) fn scope(expr: Expr) -> syn::Result<()> {
    value::choice("scope", &expr, &[("global", ())])
}

/// Reports a method whose key does not name `self`. `policy` is another way to separate the values
/// of the type.
pub(crate) fn check(
    name: &str,
    function: &Signature,
    key: &Expr,
    is_global: bool,
    policy: Option<&str>,
    errors: &mut Errors,
) {
    let names = ["self", async_trait::SELF].map(|name| Ident::new(name, Span::call_site()));
    if function.receiver().is_none() || is_global || mentions(&key.to_token_stream(), &names) {
        return;
    }
    let policy = policy.map(|policy| format!(", or `{policy}`")).unwrap_or_default();
    let written = key.to_token_stream();
    errors.add(
        key,
        format!(
            "two values of `Self` may give different results for one key, and `#[{name}]` would mix \
             them; name a field in the key, like `key = (self.tenant, {written})`{policy}; if all \
             values are alike, add `scope = \"global\"`"
        ),
    );
}

/// Returns the hash of the key, as an expression. The key is read by reference, before the body
/// may move the arguments.
pub(crate) fn generate(key: &Expr, context: &Context) -> TokenStream {
    let at = Span::mixed_site().located_at(key.span());
    let key = quote_spanned!(key.span()=> &(#key));
    let here = context.private_at(at);
    let hash = quote_spanned!(at=> #here::KeyHash::in_function);
    quote!(#hash(&|| (), #key))
}
