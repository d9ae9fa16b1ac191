//! Which outcomes are kept, and how they are written.

use core::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use resilience_core::Outcome;
use resilience_core::{FailureClass, FailureKind};

/// What is done with an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Keep {
    /// It is stored: a repetition returns it.
    Store,
    /// It is known that nothing was done: a repetition runs.
    Release,
    /// It is not known what was done: a repetition does what `on_interrupted` says.
    Abandon,
}

/// Which outcomes of type `O` are kept, and how.
pub trait Keeps<O: Sized> {
    /// What is done with an outcome; none where its class decides between releasing and abandoning.
    fn keep(&self, out: &O, class: Option<&FailureClass>) -> Option<Keep>;

    /// Writes an outcome that is to be stored.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads an outcome.
    ///
    /// # Errors
    /// Where the bytes are none.
    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError>;
}

/// An outcome that cannot be written or read, or is not meant to be. Neither form of it shows the outcome.
pub struct CodecError(Option<serde_json::Error>);

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without a value, which may be anybody's.
        f.write_str(match self.0.as_ref().map(serde_json::Error::classify) {
            None => "the outcome is not meant to be stored",
            Some(Category::Data) => "the stored outcome is not of the function's type",
            Some(_) => "the stored outcome is no JSON",
        })
    }
}

impl fmt::Debug for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CodecError")
            .field(&self.0.as_ref().map(serde_json::Error::classify))
            .finish()
    }
}

impl core::error::Error for CodecError {}

fn json(error: serde_json::Error) -> CodecError {
    CodecError(Some(error))
}

impl CodecError {
    /// Whether the outcome is not meant to be stored.
    pub(super) fn is_meant(&self) -> bool {
        self.0.is_none()
    }
}

/// What can be kept: what `serde` can write and read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored, so that a repetition could return it",
    label = "needs `serde::Serialize` and `serde::Deserialize`",
    note = "derive them, `#[derive(serde::Serialize, serde::Deserialize)]`"
)]
pub trait Storable: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Storable for T {}

/// What can be part of the fingerprint: what `serde` can write.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of the fingerprint",
    label = "needs `serde::Serialize`",
    note = "derive it, `#[derive(serde::Serialize)]`, or leave the argument out with `#[skip]`, or say what counts: `fingerprint(order.id, order.amount)`"
)]
pub trait Fingerprinted: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Fingerprinted for T {}

/// `keep = ok`: successes.
#[derive(Clone, Copy, Debug)]
pub struct KeepOk;

impl<O: Outcome<Ok: Storable>> Keeps<O> for KeepOk {
    fn keep(&self, _: &O, class: Option<&FailureClass>) -> Option<Keep> {
        class.is_none().then_some(Keep::Store)
    }

    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        match out.as_result() {
            Ok(value) => serde_json::to_writer(bytes, value).map_err(json),
            // Found out by a reconciling function: a failure is nothing to return again.
            Err(_) => Err(CodecError(None)),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError> {
        serde_json::from_slice(bytes).map(|value| O::from_result(Ok(value))).map_err(json)
    }
}

/// `keep = ok_and_permanent`: successes, and failures that the same call would meet again.
#[derive(Clone, Copy, Debug)]
pub struct KeepOkAndPermanent;

impl<O: Outcome<Ok: Storable, Err: Storable>> Keeps<O> for KeepOkAndPermanent {
    fn keep(&self, _: &O, class: Option<&FailureClass>) -> Option<Keep> {
        let stands = class.is_none_or(|class| class.kind == FailureKind::Permanent);
        stands.then_some(Keep::Store)
    }

    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        serde_json::to_writer(bytes, &out.as_result()).map_err(json)
    }

    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError> {
        serde_json::from_slice(bytes).map(O::from_result).map_err(json)
    }
}

/// `keep = nothing`: that there was a success, and not what it was. Any type will do.
#[derive(Clone, Copy, Debug)]
pub struct KeepNothing;

impl<O: Outcome> Keeps<O> for KeepNothing {
    fn keep(&self, _: &O, class: Option<&FailureClass>) -> Option<Keep> {
        class.is_none().then_some(Keep::Store)
    }

    fn encode(&self, _: &O, _: &mut Vec<u8>) -> Result<(), CodecError> {
        Err(CodecError(None))
    }

    fn decode(&self, _: &[u8]) -> Result<O, CodecError> {
        Err(CodecError(None))
    }
}

/// `keep = with(path)`: what a function of the outcome says.
#[derive(Clone, Copy, Debug)]
pub struct KeepWith<F>(pub F);

impl<O: Outcome<Ok: Storable, Err: Storable>, F: Fn(&O) -> Keep> Keeps<O> for KeepWith<F> {
    fn keep(&self, out: &O, _: Option<&FailureClass>) -> Option<Keep> {
        Some((self.0)(out))
    }

    fn encode(&self, out: &O, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        KeepOkAndPermanent.encode(out, bytes)
    }

    fn decode(&self, bytes: &[u8]) -> Result<O, CodecError> {
        KeepOkAndPermanent.decode(bytes)
    }
}
