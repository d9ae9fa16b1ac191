//! Idempotency keys, and the 32 bytes that identify a record.
//!
//! The store never holds the key itself. A reader of the store cannot repeat a call, and a
//! database never interprets the characters of a key.

use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;

pub use resilience_rules::KeyError;
use resilience_rules::idempotency_key;

use crate::digest::{Digest, hex};
use crate::secret::Secret;

/// The key of a record: a keyed hash of namespace, function, scope and idempotency key.
///
/// The `Debug` form and the log show the first 4 of the 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey(pub [u8; 32]);

/// A keyed hash of the arguments of a call. A call with a known key and another fingerprint is
/// rejected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

/// A keyed hash of the scope of a call, for stores that limit the records of each scope.
///
/// The steps of a call have the scope of the call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeKey(pub [u8; 32]);

impl RecordKey {
    /// Returns the first 8 hexadecimal digits.
    #[must_use]
    pub fn short(&self) -> String {
        hex(self.0.get(..4).unwrap_or_default())
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({}…)", self.short())
    }
}

impl fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopeKey({}…)", hex(self.0.get(..4).unwrap_or_default()))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({}…)", hex(self.0.get(..4).unwrap_or_default()))
    }
}

/// A receiver of the parts of a key. See [`KeyParts`].
pub struct KeyWriter {
    digest: Digest,
    /// The minimum length of a text of a key. `None` for a scope, whose texts only must not be
    /// empty.
    min_length: Option<usize>,
    parts: u32,
}

impl KeyWriter {
    fn new(digest: Digest, min_length: Option<usize>) -> Self {
        Self { digest, min_length, parts: 0 }
    }

    /// Adds a text.
    ///
    /// A text of a key has 1 to 255 printable ASCII characters, and at least
    /// [`min_key_length`](crate::IdempotencyPolicy::min_key_length). A text of a scope is not
    /// empty.
    ///
    /// # Errors
    /// [`KeyError`] if `text` breaks the rule.
    pub fn text(&mut self, text: &str) -> Result<(), KeyError> {
        match (self.min_length, idempotency_key(text.as_bytes())) {
            (None, _) if text.is_empty() => return Err(KeyError::Empty),
            (None, _) => {}
            (Some(min_length), Ok(()) | Err(KeyError::NotPrintable)) if text.len() < min_length => {
                return Err(KeyError::TooShort);
            }
            (Some(_), checked) => checked?,
        }
        self.bytes(text.as_bytes());
        Ok(())
    }

    /// Adds arbitrary bytes, such as a number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.parts = self.parts.saturating_add(1);
        self.digest.field(bytes);
    }

    /// Adds the text of a number.
    fn number(&mut self, number: impl fmt::Display) {
        self.parts = self.parts.saturating_add(1);
        self.digest.display_field(number);
    }

    fn finish(self) -> Result<[u8; 32], KeyError> {
        if self.parts == 0 { Err(KeyError::Missing) } else { Ok(self.digest.finish()) }
    }
}

impl fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyWriter").field("parts", &self.parts).finish_non_exhaustive()
    }
}

/// A value that can be a key or a scope: a text, a number, bytes, or an `Option` or tuple of
/// these.
///
/// A `None` is a missing key.
///
/// # Examples
/// ```
/// use resilience::idempotent::{KeyParts, KeyError, KeyWriter};
///
/// struct OrderId(u64);
///
/// impl KeyParts for OrderId {
///     fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
///         self.0.write(key)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be neither an idempotency key nor the scope of one",
    label = "not a text, number, bytes, `Option` or tuple of these",
    note = "convert the value to a text, `order.id.to_string()`, or implement `resilience::idempotent::KeyParts` for `{Self}`"
)]
pub trait KeyParts {
    /// Writes the parts of the key.
    ///
    /// # Errors
    /// [`KeyError`] if the value cannot be a key.
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError>;
}

impl KeyParts for str {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        key.text(self)
    }
}

impl KeyParts for String {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        key.text(self)
    }
}

impl KeyParts for Cow<'_, str> {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        key.text(self)
    }
}

impl<T: KeyParts + ?Sized> KeyParts for &T {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        (**self).write(key)
    }
}

impl<T: KeyParts + ?Sized> KeyParts for Box<T> {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        (**self).write(key)
    }
}

impl<T: KeyParts + ?Sized> KeyParts for Arc<T> {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        (**self).write(key)
    }
}

impl<T: KeyParts> KeyParts for Option<T> {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        self.as_ref().ok_or(KeyError::Missing)?.write(key)
    }
}

/// An empty key is no key, as for a text.
impl KeyParts for [u8] {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        if self.is_empty() {
            return Err(KeyError::Empty);
        }
        key.bytes(self);
        Ok(())
    }
}

impl KeyParts for Vec<u8> {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        self.as_slice().write(key)
    }
}

impl<const N: usize> KeyParts for [u8; N] {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        self.as_slice().write(key)
    }
}

/// Decimal digits: a number and its text are the same key, whatever the width of the number.
macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl KeyParts for $number {
            fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
                key.number(self);
                Ok(())
            }
        })*
    };
}
numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

macro_rules! tuples {
    ($(($($part:ident)*))*) => {
        $(impl<$($part: KeyParts),*> KeyParts for ($($part,)*) {
            #[allow(non_snake_case, reason = "a part is named for its type")]
            fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
                let ($($part,)*) = self;
                $($part.write(key)?;)*
                Ok(())
            }
        })*
    };
}
tuples!((A) (A B) (A B C) (A B C D));

/// The scope of a key. Equal keys in different scopes are independent.
#[derive(Clone, Copy)]
pub enum Scope<'a> {
    /// One scope for all callers, for keys that no external caller can choose.
    Global,
    /// The scope of a tenant, an account or a user.
    Of(&'a dyn KeyParts),
    /// The scope of the call that runs on this task.
    Parent(&'a RecordKey),
}

impl Scope<'_> {
    /// Returns the word for the log. The log never shows the scope itself.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Of(_) => "scoped",
            Self::Parent(_) => "parent",
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// Returns the key of a record, and the hash of its scope.
pub(super) fn record_key(
    secret: &Secret,
    function: &str,
    scope: Scope<'_>,
    key: &dyn KeyParts,
    min_length: usize,
) -> Result<(RecordKey, Option<ScopeKey>), KeyError> {
    let mut digest = secret.hasher("idem.v1");
    digest.field(function.as_bytes());
    digest.field(scope.kind().as_bytes());
    let mut scope_key = None;
    match scope {
        Scope::Global => {}
        Scope::Parent(parent) => digest.raw(&parent.0),
        Scope::Of(of) => {
            let mut writer = KeyWriter::new(secret.hasher("idem.scope.v1"), None);
            let written = of.write(&mut writer).and_then(|()| writer.finish());
            let hash = written.map_err(|_| KeyError::Scope)?;
            digest.raw(&hash);
            scope_key = Some(ScopeKey(hash));
        }
    }
    let mut writer = KeyWriter::new(digest, Some(min_length));
    key.write(&mut writer)?;
    Ok((RecordKey(writer.finish()?), scope_key))
}
