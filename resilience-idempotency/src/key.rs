//! From what the user calls a key to the 32 bytes under which a record is kept.
//!
//! The key itself is kept nowhere: nobody who reads the store can replay a call, and neither its length nor
//! its characters can mean anything to a database.

use core::fmt;
use std::borrow::Cow;
use std::sync::Arc;

use crate::key_fault::KeyError;

/// What a record is kept under: a keyed hash of namespace, function, scope and key.
///
/// Its `Debug` form shows the first 4 of its 32 bytes, which is what the log shows too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey(pub [u8; 32]);

/// What a call is about: a keyed hash of its arguments. The same key with another fingerprint is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl RecordKey {
    /// The first 8 hexadecimal digits.
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

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({}…)", hex(self.0.get(..4).unwrap_or_default()))
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// What the keys of a store are hashed with. Without one they are hashed with a constant, by which a reader of
/// the store could try out keys that he guesses; give one that is kept with your other secrets, the same
/// to every process that shares the store. A new one forgets all records.
#[derive(Clone)]
pub struct Secret {
    key: [u8; 32],
    namespace: Cow<'static, str>,
}

impl Secret {
    /// A secret of 32 bytes.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, namespace: Cow::Borrowed("") }
    }

    /// Keeps the records apart from those of others in the same store.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<Cow<'static, str>>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// A hash for this purpose.
    pub(super) fn hasher(&self, purpose: &str) -> Digest {
        let mut digest = Digest(blake3::Hasher::new_keyed(&self.key));
        digest.field(purpose.as_bytes());
        digest.field(self.namespace.as_bytes());
        digest
    }
}

/// Tells apart our hashes from all others of the same function.
impl Default for Secret {
    fn default() -> Self {
        Self::new(*b"resilience, idempotent, unkeyed.")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// A hash of fields, each with its length in front, so that `("a", "bc")` is not `("ab", "c")`.
#[derive(Clone)]
pub(super) struct Digest(blake3::Hasher);

impl Digest {
    /// For what goes into another that is keyed.
    pub(super) fn unkeyed() -> Self {
        Self(blake3::Hasher::new())
    }

    pub(super) fn field(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.update(bytes);
    }

    pub(super) fn length(&mut self, length: usize) {
        self.0.update(&(length as u64).to_le_bytes());
    }

    /// Bytes of a length that follows from what stands in front.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn end(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}

/// Takes the parts of a key. See [`KeyParts`].
pub struct KeyWriter {
    digest: Digest,
    /// The least length of a text; none for a scope, which is no word of the caller's.
    shortest: Option<usize>,
    parts: u32,
}

impl KeyWriter {
    fn new(digest: Digest, shortest: Option<usize>) -> Self {
        Self { digest, shortest, parts: 0 }
    }

    /// A text: 1 to 255 visible ASCII characters, and at least as many as the function asks for. In a scope
    /// any text but an empty one.
    ///
    /// # Errors
    /// Where it is not.
    pub fn text(&mut self, text: &str) -> Result<(), KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if let Some(shortest) = self.shortest {
            if text.len() > 255 {
                return Err(KeyError::TooLong);
            }
            if text.len() < shortest {
                return Err(KeyError::TooShort);
            }
            if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(KeyError::NotVisible);
            }
        }
        self.bytes(text.as_bytes());
        Ok(())
    }

    /// Bytes of any kind, such as those of a number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.parts = self.parts.saturating_add(1);
        self.digest.field(bytes);
    }

    pub(super) fn end(self) -> Result<[u8; 32], KeyError> {
        if self.parts == 0 { Err(KeyError::Missing) } else { Ok(self.digest.end()) }
    }
}

impl fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyWriter").field("parts", &self.parts).finish_non_exhaustive()
    }
}

/// What can be a key, or a scope: texts, numbers, bytes, options and tuples of them, and what you implement it
/// for.
///
/// A `None` is a missing key.
///
/// ```
///
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
    label = "no text, number, `Option` or tuple of them",
    note = "make a text of it, `order.id.to_string()`, or implement `resilience::idempotent::KeyParts` for `{Self}`"
)]
pub trait KeyParts {
    /// Writes the parts of the key.
    ///
    /// # Errors
    /// What is wrong with it.
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

impl<const N: usize> KeyParts for [u8; N] {
    fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
        key.bytes(self);
        Ok(())
    }
}

/// As decimal digits, so that a number and its text are the same key, of whichever width.
macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl KeyParts for $number {
            fn write(&self, key: &mut KeyWriter) -> Result<(), KeyError> {
                key.bytes(self.to_string().as_bytes());
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

/// Whose key it is. Two tenants with the same key have nothing to do with each other.
#[derive(Clone, Copy)]
pub enum Scope<'a> {
    /// Everybody's: for keys that nobody outside can choose.
    Global,
    /// Of a tenant, an account, a user.
    Of(&'a dyn KeyParts),
    /// Of the call that is running on this task.
    Parent(&'a RecordKey),
}

impl Scope<'_> {
    /// For the log, which does not tell whose.
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

/// The key of a record.
pub(super) fn record_key(
    secret: &Secret,
    function: &str,
    scope: Scope<'_>,
    key: &dyn KeyParts,
    shortest: usize,
) -> Result<RecordKey, KeyError> {
    let mut digest = secret.hasher("idem.v1");
    digest.field(function.as_bytes());
    digest.field(scope.kind().as_bytes());
    match scope {
        Scope::Global => {}
        Scope::Parent(parent) => digest.raw(&parent.0),
        Scope::Of(of) => {
            let mut writer = KeyWriter::new(secret.hasher("idem.scope.v1"), None);
            let written = of.write(&mut writer).and_then(|()| writer.end());
            digest.raw(&written.map_err(|_| KeyError::Scope)?);
        }
    }
    let mut writer = KeyWriter::new(digest, Some(shortest));
    key.write(&mut writer)?;
    writer.end().map(RecordKey)
}
