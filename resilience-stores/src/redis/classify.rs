//! Errors of `redis`.

use std::error::Error;

use redis::{RedisError, RetryMethod};
use resilience_core::{Class, Sent};

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
/// use resilience::{Class, Sent};
/// use resilience_stores::redis::classify;
///
/// let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert_eq!(classify(&refused), Class::transient().sent(Sent::No));
/// let reset = RedisError::from(io::Error::from(io::ErrorKind::ConnectionReset));
/// assert_eq!(classify(&reset), Class::transient()); // nobody knows whether it was executed
/// let wrong = RedisError::from((ErrorKind::UnexpectedReturnType, "not a number"));
/// assert_eq!(classify(&wrong), Class::permanent());
/// ```
#[must_use]
pub fn classify(error: &RedisError) -> Class {
    let sent = match error.retry_method() {
        RetryMethod::WaitAndRetry
        | RetryMethod::AskRedirect
        | RetryMethod::MovedRedirect
        | RetryMethod::RefreshSlotsAndRetry => {
            if is_of_pipeline(error) {
                Sent::Maybe
            } else {
                Sent::Refused
            }
        }
        RetryMethod::Reconnect
        | RetryMethod::ReconnectFromInitialConnections
        | RetryMethod::RetryImmediately => {
            if error.is_connection_refusal() {
                Sent::No
            } else {
                Sent::Maybe
            }
        }
        _ => return Class::permanent(),
    };
    Class::transient().sent(sent)
}

/// Whether it is that of some commands of a pipeline. It calls itself by the first of them, and of the
/// errors that a server sent it is the only one without a source.
fn is_of_pipeline(error: &RedisError) -> bool {
    error.source().is_none() && error.clone().into_server_errors().is_some()
}
