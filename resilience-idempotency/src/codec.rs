//! The disposition and the encoding of outcomes.

use core::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::ambiguous_null;
use resilience_core::{FailureClass, FailureKind, Outcome};

/// The treatment of an outcome after the body has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// Stores the outcome. A repeated call returns the stored outcome.
    Store,
    /// Releases the claim, because the side effect was not applied. A repeated call runs.
    Release,
    /// Abandons the claim, because the side effect may have been applied. A repeated call follows
    /// [`OnInterrupted`](crate::OnInterrupted).
    Abandon,
}

/// The disposition and the encoding of outcomes of type `O`.
pub trait OutcomePolicy<O: Sized> {
    /// Returns the disposition of an outcome. With `None`, the class of the failure decides
    /// between release and abandon.
    fn disposition(&self, out: &O, class: Option<&FailureClass>) -> Option<Disposition>;

    /// Encodes an outcome.
    ///
    /// # Errors
    /// [`CodecError`] if the outcome is excluded from the store or cannot be serialized.
    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Decodes an outcome.
    ///
    /// # Errors
    /// [`CodecError`] if the bytes are not an outcome of this type.
    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError>;
}

/// The reason why an outcome has no encoding. The `Display` and `Debug` forms show no part of the
/// outcome.
pub enum CodecError {
    /// The policy excludes the outcome from the store.
    NotStored,
    /// `serde_json` failed.
    Json(serde_json::Error),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStored => "the outcome is excluded from the store",
            // The text of the inner error may show a part of the outcome.
            Self::Json(error) => match error.classify() {
                Category::Data => "the stored outcome does not have the type of the function",
                Category::Io | Category::Syntax | Category::Eof => {
                    "the stored outcome is not valid JSON"
                }
            },
        })
    }
}

impl fmt::Debug for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStored => f.write_str("NotStored"),
            Self::Json(error) => f.debug_tuple("Json").field(&error.classify()).finish(),
        }
    }
}

impl core::error::Error for CodecError {}

/// A type whose values can be stored and returned again: `serde` writes and reads the type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored and returned to repeated calls",
    label = "needs `serde::Serialize` and `serde::Deserialize`",
    note = "derive both, `#[derive(serde::Serialize, serde::Deserialize)]`"
)]
pub trait Storable: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Storable for T {}

/// A type whose values can be part of a fingerprint: `serde` writes the type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of the fingerprint",
    label = "needs `serde::Serialize`",
    note = "derive it, `#[derive(serde::Serialize)]`, exclude the argument with `#[skip]`, or list the values that count: `fingerprint(order.id, order.amount)`"
)]
pub trait Fingerprinted: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Fingerprinted for T {}

/// Writes a value that reads back as the same value.
fn write_json<T: Serialize>(bytes: &mut Vec<u8>, value: &T) -> Result<(), CodecError> {
    ambiguous_null::check(value).map_err(CodecError::Json)?;
    serde_json::to_writer(bytes, value).map_err(CodecError::Json)
}

/// `keep = "ok"`: stores successes.
#[derive(Clone, Copy, Debug)]
pub struct KeepOk;

impl<O: Outcome<Ok: Storable>> OutcomePolicy<O> for KeepOk {
    fn disposition(&self, _: &O, class: Option<&FailureClass>) -> Option<Disposition> {
        class.is_none().then_some(Disposition::Store)
    }

    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        match out.as_result() {
            Ok(value) => write_json(bytes, value),
            // A reconcile function found a failure. A failure is never returned to repeated calls.
            Err(_) => Err(CodecError::NotStored),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError> {
        let value = serde_json::from_slice(bytes).map_err(CodecError::Json)?;
        Ok(O::from_result(Ok(value)))
    }
}

/// `keep = "ok_and_permanent"`: stores successes and permanent failures.
#[derive(Clone, Copy, Debug)]
pub struct KeepOkAndPermanent;

impl<O: Outcome<Ok: Storable, Err: Storable>> OutcomePolicy<O> for KeepOkAndPermanent {
    fn disposition(&self, _: &O, class: Option<&FailureClass>) -> Option<Disposition> {
        let is_final = class.is_none_or(|class| class.kind == FailureKind::Permanent);
        is_final.then_some(Disposition::Store)
    }

    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        write_json(bytes, &out.as_result())
    }

    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError> {
        serde_json::from_slice(bytes).map(O::from_result).map_err(CodecError::Json)
    }
}

/// `keep = "nothing"`: records a success without the value, so the value can have any type.
#[derive(Clone, Copy, Debug)]
pub struct KeepNothing;

impl<O: Outcome> OutcomePolicy<O> for KeepNothing {
    fn disposition(&self, _: &O, class: Option<&FailureClass>) -> Option<Disposition> {
        class.is_none().then_some(Disposition::Store)
    }

    fn encode(&self, _: &O, _: &mut Vec<u8>) -> Result<(), CodecError> {
        Err(CodecError::NotStored)
    }

    fn decode(&self, _: &[u8]) -> Result<O, CodecError> {
        Err(CodecError::NotStored)
    }
}

/// `keep = with(path)`: a function decides about each outcome.
#[derive(Clone, Copy, Debug)]
pub struct KeepWith<F>(F);

/// Returns the policy of `keep = with(path)`.
pub fn keep_with<O, F: Fn(&O) -> Disposition>(keep: F) -> KeepWith<F> {
    KeepWith(keep)
}

impl<O, F> OutcomePolicy<O> for KeepWith<F>
where
    O: Outcome<Ok: Storable, Err: Storable>,
    F: Fn(&O) -> Disposition,
{
    fn disposition(&self, out: &O, _: Option<&FailureClass>) -> Option<Disposition> {
        Some((self.0)(out))
    }

    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        KeepOkAndPermanent.encode(out, bytes)
    }

    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError> {
        KeepOkAndPermanent.decode(bytes)
    }
}
