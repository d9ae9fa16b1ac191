//! Errors of `redis`.

use std::error::Error;

use redis::{RedisError, RetryMethod};
use resilience_core::{Effect, FailureClass};

/// What an error of `redis` means, for `on`.
///
/// It is what the client itself would do ([`RedisError::retry_method`]), with the answer to whether the
/// command may have been executed: not where the server turned it away or was not reached, and perhaps
/// wherever a connection broke or an answer did not come in time. Of a pipeline that failed the other
/// commands may have been executed in any case.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use std::io;
/// use redis::{ErrorKind, RedisError};
/// use resilience::{FailureClass, Effect};
/// use resilience_stores::redis::classify;
///
/// let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert_eq!(classify(&refused), FailureClass::transient().effect(Effect::NotSent));
/// let reset = RedisError::from(io::Error::from(io::ErrorKind::ConnectionReset));
/// assert_eq!(classify(&reset), FailureClass::transient()); // nobody knows whether it was executed
/// let wrong = RedisError::from((ErrorKind::UnexpectedReturnType, "not a number"));
/// assert_eq!(classify(&wrong), FailureClass::permanent());
/// ```
#[must_use]
pub fn classify(error: &RedisError) -> FailureClass {
    let sent = match error.retry_method() {
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
    FailureClass::transient().effect(sent)
}

/// Whether it is that of some commands of a pipeline. It calls itself by the first of them, and of the
/// errors that a server sent it is the only one without a source.
fn is_of_pipeline(error: &RedisError) -> bool {
    error.source().is_none() && error.clone().into_server_errors().is_some()
}
