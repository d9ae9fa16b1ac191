//! Redis: classification of errors, and a store of idempotency records.

use std::error::Error;

use redis::{RedisError, RetryMethod};
use resilience_core::{Effect, FailureClass};

#[cfg(feature = "idempotent")]
pub use crate::records::redis::{RedisStore, Warning};

/// Classifies an error of `redis`, for `on`.
///
/// The class follows [`RedisError::retry_method`] of the client. The [`Effect`] is:
///
/// - [`NotSent`](Effect::NotSent) if the server was not reached;
/// - [`Refused`](Effect::Refused) if the server rejected the command;
/// - [`Unknown`](Effect::Unknown) if the connection broke or the answer timed out, and if a server
///   rejected some commands of a pipeline, because the other commands may have been executed.
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
pub fn classify(error: &RedisError) -> FailureClass {
    let effect = match error.retry_method() {
        RetryMethod::WaitAndRetry
        | RetryMethod::AskRedirect
        | RetryMethod::MovedRedirect
        | RetryMethod::RefreshSlotsAndRetry => {
            if is_of_pipeline(error) {
                Effect::Unknown
            } else {
                Effect::Refused
            }
        }
        RetryMethod::Reconnect
        | RetryMethod::ReconnectFromInitialConnections
        | RetryMethod::RetryImmediately => {
            if error.is_connection_refusal() {
                Effect::NotSent
            } else {
                Effect::Unknown
            }
        }
        _ => return FailureClass::permanent(),
    };
    FailureClass::transient().effect(effect)
}

/// Returns whether the error comes from some commands of a pipeline. Such an error has the kind of
/// the first failed command; all other server errors have a source.
fn is_of_pipeline(error: &RedisError) -> bool {
    error.source().is_none() && error.clone().into_server_errors().is_some()
}
