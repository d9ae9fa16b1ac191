//! The level of an event in the log: `log` and `log_give_up`.

use proc_macro2::TokenStream;
use quote::quote;

/// A level of the runtime.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    /// No event in the log.
    Off,
}

impl LogLevel {
    /// Returns the level as an expression.
    pub(crate) fn to_tokens(self, private: &TokenStream) -> TokenStream {
        let name = match self {
            Self::Error => quote!(Error),
            Self::Warn => quote!(Warn),
            Self::Info => quote!(Info),
            Self::Debug => quote!(Debug),
            Self::Off => quote!(Off),
        };
        quote!(#private::Level::#name)
    }
}
