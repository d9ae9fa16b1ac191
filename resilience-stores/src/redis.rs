//! Redis: classification of errors, and a store of idempotency records.

use resilience_core::{Effect, FailureClass};

#[cfg(all(feature = "idempotent", feature = "redis"))]
pub use crate::records::redis::{RedisStore, Warning};

/// Classifies an error of `redis`, for `on`.
///
/// The feature `redis` knows version 1 of the client, and `redis-032` knows version 0.32. The class
/// follows `RedisError::retry_method`, and the answers `READONLY`, `NOREPLICAS` and `BUSY` are
/// transient. The [`Effect`] is:
///
/// - [`NotSent`](Effect::NotSent) if the server was not reached;
/// - [`Refused`](Effect::Refused) if the server rejected the command;
/// - [`Unknown`](Effect::Unknown) if the connection broke or the answer timed out, and if a server
///   rejected some commands of a pipeline, because the other commands may have been executed.
///   Version 0.32 does not tell a pipeline from a single command, so the effect of every rejection
///   is unknown.
///
/// ```
/// use std::io;
/// use redis::{ErrorKind, RedisError};
/// use resilience::{FailureClass, Effect};
/// use resilience::stores::redis::classify;
///
/// let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert_eq!(classify(&refused), FailureClass::transient().effect(Effect::NotSent));
/// let reset = RedisError::from(io::Error::from(io::ErrorKind::ConnectionReset));
/// assert_eq!(classify(&reset), FailureClass::transient()); // the command may have been executed
/// let wrong = RedisError::from((ErrorKind::UnexpectedReturnType, "not a number"));
/// assert_eq!(classify(&wrong), FailureClass::permanent());
/// ```
#[must_use]
pub fn classify<E: RedisClientError>(error: &E) -> FailureClass {
    error.class()
}

/// A `RedisError` of a version with an enabled feature.
#[diagnostic::on_unimplemented(
    message = "`resilience::stores::redis` cannot classify `{Self}`",
    label = "needs `RedisClientError`",
    note = "for a `RedisError`, enable the feature for its version: `redis` for `redis` 1 and `redis-032` for 0.32; `cargo tree -i redis` shows the version in use",
    note = "for an error with a `RedisError` as `source`, write `on = |error| resilience::stores::classify_chain(error)`, for `anyhow` and boxed errors with `error.as_ref()`"
)]
pub trait RedisClientError: sealed::Sealed {
    /// Returns the class of the error.
    fn class(&self) -> FailureClass;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! versions {
    ($(#[cfg(feature = $feature:literal)] $redis:ident, $effect:expr;)*) => {$(
        #[cfg(feature = $feature)]
        impl sealed::Sealed for ::$redis::RedisError {}

        #[cfg(feature = $feature)]
        impl RedisClientError for ::$redis::RedisError {
            fn class(&self) -> FailureClass {
                use ::$redis::RetryMethod;

                match self.retry_method() {
                    _ if is_temporary(self.code()) => {
                        FailureClass::transient().effect($effect(self))
                    }
                    RetryMethod::NoRetry => FailureClass::permanent(),
                    RetryMethod::Reconnect
                    | RetryMethod::ReconnectFromInitialConnections
                    | RetryMethod::RetryImmediately => {
                        let unsent = self.is_connection_refusal();
                        let effect = if unsent { Effect::NotSent } else { Effect::Unknown };
                        FailureClass::transient().effect(effect)
                    }
                    RetryMethod::WaitAndRetry
                    | RetryMethod::AskRedirect
                    | RetryMethod::MovedRedirect => {
                        FailureClass::transient().effect($effect(self))
                    }
                    _ => FailureClass::permanent(),
                }
            }
        }
    )*};
}

// The effect of a command that the server rejects.
versions! {
    #[cfg(feature = "redis")] redis, effect_of_rejection;
    #[cfg(feature = "redis-032")] redis_032, |_| Effect::Unknown;
}

/// Returns whether a server will accept the command later: after a failover, with more replicas, or
/// after the end of a script. The versions of the client differ about these rejections.
fn is_temporary(code: Option<&str>) -> bool {
    matches!(code, Some("BUSY" | "NOREPLICAS" | "READONLY"))
}

/// Returns the effect of commands that a server rejects. The error of some commands of a pipeline
/// has the kind of the first rejected command, and the other commands may have been executed. All
/// other server errors have a source.
#[cfg(feature = "redis")]
fn effect_of_rejection(error: &::redis::RedisError) -> Effect {
    let is_of_pipeline =
        std::error::Error::source(error).is_none() && error.clone().into_server_errors().is_some();
    if is_of_pipeline { Effect::Unknown } else { Effect::Refused }
}
