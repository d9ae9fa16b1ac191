//! The result of a function, as success or failure.

/// A return type that distinguishes success and failure: `Result`, `Option`, or your own type.
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
    message = "a resilience attribute needs a fallible return type, but this function returns `{Self}`",
    label = "not a `Result` or an `Option`",
    note = "return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `{Self}`",
    note = "a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`"
)]
pub trait Outcome: Sized {
    /// The value of a success.
    type Ok;
    /// The error of a failure.
    type Err;

    /// Borrows the value or the error.
    ///
    /// # Errors
    /// Returns the error of a failure.
    fn as_result(&self) -> Result<&Self::Ok, &Self::Err>;

    /// Extracts the value or the error.
    ///
    /// # Errors
    /// Returns the error of a failure.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;

    /// Creates an outcome from a value or an error.
    fn from_result(result: Result<Self::Ok, Self::Err>) -> Self;

    /// Returns whether the outcome is a success.
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
