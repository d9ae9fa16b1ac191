//! What a function returns, seen as success or failure.

/// A return type that can tell success from failure: `Result`, `Option`, or a type of your own.
///
/// For `Option` the error is `()`.
///
/// ```
/// use resilience::Outcome;
///
/// /// A reply that carries its failure inside.
/// enum Reply {
///     Body(String),
///     Status(u16),
/// }
///
/// impl Outcome for Reply {
///     type Ok = String;
///     type Err = u16;
///
///     fn as_result(&self) -> Result<&String, &u16> {
///         match self {
///             Reply::Body(body) => Ok(body),
///             Reply::Status(status) => Err(status),
///         }
///     }
///     fn into_result(self) -> Result<String, u16> {
///         match self {
///             Reply::Body(body) => Ok(body),
///             Reply::Status(status) => Err(status),
///         }
///     }
///     fn from_result(result: Result<String, u16>) -> Self {
///         result.map_or_else(Reply::Status, Reply::Body)
///     }
/// }
///
/// assert!(Reply::Body("hello".into()).is_ok());
/// assert!(!Reply::Status(503).is_ok());
/// ```
#[diagnostic::on_unimplemented(
    message = "what may be retried or turned away needs a fallible return type, but this function returns `{Self}`",
    label = "not a `Result` or an `Option`",
    note = "return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `{Self}`"
)]
pub trait Outcome: Sized {
    /// What a success carries.
    type Ok;
    /// What a failure carries.
    type Err;

    /// Borrows the success or the failure.
    ///
    /// # Errors
    /// The failure, where the outcome is one.
    fn as_result(&self) -> Result<&Self::Ok, &Self::Err>;

    /// Takes the success or the failure out.
    ///
    /// # Errors
    /// The failure, where the outcome is one.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;

    /// Makes an outcome of a success or a failure.
    fn from_result(result: Result<Self::Ok, Self::Err>) -> Self;

    /// Whether this is a success.
    #[inline]
    fn is_ok(&self) -> bool {
        self.as_result().is_ok()
    }
}

impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Err = E;

    #[inline]
    fn as_result(&self) -> Result<&T, &E> {
        self.as_ref()
    }

    #[inline]
    fn into_result(self) -> Self {
        self
    }

    #[inline]
    fn from_result(result: Self) -> Self {
        result
    }

    #[inline]
    fn is_ok(&self) -> bool {
        self.is_ok()
    }
}

impl<T> Outcome for Option<T> {
    type Ok = T;
    type Err = ();

    #[inline]
    fn as_result(&self) -> Result<&T, &()> {
        self.as_ref().ok_or(&())
    }

    #[inline]
    fn into_result(self) -> Result<T, ()> {
        self.ok_or(())
    }

    #[inline]
    fn from_result(result: Result<T, ()>) -> Self {
        result.ok()
    }

    #[inline]
    fn is_ok(&self) -> bool {
        self.is_some()
    }
}
