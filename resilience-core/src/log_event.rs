//! The emission of a log event, to `tracing` and to the crate `log`.
//!
//! ```text
//! log_event!(WARN, "key table full", {
//!     function: value = name,
//!     key: option = label,
//!     error: text = error,
//! });
//! ```
//!
//! Kinds of fields: `value` is a number, a boolean or a `&str`; `option` is an `Option` of a value,
//! and absent for `None`; `text` is formatted by `Display`, `debug` by `Debug`.

use core::fmt;

/// Emits an event with the target `resilience`. With both features, the bridge of `tracing` passes
/// the event to `log` as long as no subscriber is set.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_event {
    ($level:ident, $message:expr, {
        $($(#[$meta:meta])* $field:ident: $kind:ident = $value:expr),* $(,)?
    }) => {{
        $crate::__tracing_event!($level, $message, { $($field: $kind = $value),* });
        $crate::__log_record!($level, $message, { $($field: $kind = $value),* });
        if false {
            // Without the features, the values are used nevertheless.
            let _ = (&$message, $(&$value),*);
        }
    }};
}

pub(crate) use crate::__log_event as log_event;

/// Emits an event of `tracing`.
#[cfg(feature = "tracing")]
#[doc(hidden)]
#[macro_export]
macro_rules! __tracing_event {
    (@value value, $value:expr) => { $value };
    (@value option, $value:expr) => { $value };
    (@value text, $value:expr) => { $crate::__internal::tracing::field::display(&$value) };
    (@value debug, $value:expr) => { $crate::__internal::tracing::field::debug(&$value) };
    ($level:ident, $message:expr, { $($field:ident: $kind:ident = $value:expr),* }) => {
        $crate::__internal::tracing::event!(
            target: "resilience",
            $crate::__internal::tracing::Level::$level,
            { $($field = $crate::__tracing_event!(@value $kind, $value)),* },
            "{}",
            $message
        )
    };
}

/// Emits nothing without the feature `tracing`.
#[cfg(not(feature = "tracing"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __tracing_event {
    ($($event:tt)*) => {};
}

/// Emits a record of `log`: the message, then the fields as `name=value`.
#[cfg(all(feature = "log", not(feature = "tracing")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __log_record {
    (@level ERROR) => { $crate::__internal::log::Level::Error };
    (@level WARN) => { $crate::__internal::log::Level::Warn };
    (@level INFO) => { $crate::__internal::log::Level::Info };
    (@level DEBUG) => { $crate::__internal::log::Level::Debug };
    (@field $f:ident, $field:ident, option, $value:expr) => {
        if let ::core::option::Option::Some(value) = $value {
            $crate::__internal::write_field($f, stringify!($field), &value)?;
        }
    };
    (@field $f:ident, $field:ident, debug, $value:expr) => {
        $crate::__internal::write_field($f, stringify!($field), &format_args!("{:?}", $value))?;
    };
    (@field $f:ident, $field:ident, $kind:ident, $value:expr) => {
        $crate::__internal::write_field($f, stringify!($field), &$value)?;
    };
    ($level:ident, $message:expr, { $($field:ident: $kind:ident = $value:expr),* }) => {
        $crate::__internal::log::log!(
            target: "resilience",
            $crate::__log_record!(@level $level),
            "{}{}",
            $message,
            $crate::__internal::Fields(|f: &mut ::core::fmt::Formatter<'_>| {
                let _ = &f;
                $($crate::__log_record!(@field f, $field, $kind, $value);)*
                ::core::result::Result::Ok(())
            })
        );
    };
}

/// Emits nothing without the feature `log`, or with the bridge of `tracing`.
#[cfg(any(not(feature = "log"), feature = "tracing"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __log_record {
    ($($event:tt)*) => {};
}

/// The fields of a record, written by a function.
pub struct Fields<F>(pub F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Fields<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

impl<F> fmt::Debug for Fields<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fields")
    }
}

/// Writes a field as `name=value`, in quotes if the value is not one word.
///
/// # Errors
/// Returns the error of the formatter.
pub fn write_field(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    value: &dyn fmt::Display,
) -> fmt::Result {
    let value = value.to_string();
    let is_word = |text: &str| {
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '='))
    };
    if is_word(&value) { write!(f, " {name}={value}") } else { write!(f, " {name}={value:?}") }
}

#[cfg(test)]
mod tests {
    use super::{Fields, write_field};

    #[test]
    fn a_value_that_is_not_one_word_has_quotes() {
        let fields = Fields(|f: &mut core::fmt::Formatter<'_>| {
            write_field(f, "word", &"down")?;
            write_field(f, "words", &"no \"connection\"")?;
            write_field(f, "pair", &"a=b")?;
            write_field(f, "empty", &"")
        });
        let expected = r#" word=down words="no \"connection\"" pair="a=b" empty="""#;
        assert_eq!(fields.to_string(), expected);
    }
}
