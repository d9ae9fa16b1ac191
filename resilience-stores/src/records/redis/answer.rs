//! Conversion of script replies and Redis errors to the types of a store.

use std::str::FromStr;
use std::time::Duration;

use redis::{ErrorKind, RedisError, Value};
use resilience_idempotency::{Claim, ClaimRequest, StoreError, StoreResult, Token, WriteOutcome};

/// Parses the reply to a claim.
pub(super) fn claim(answer: Value, request: &ClaimRequest<'_>) -> StoreResult<Claim> {
    let Value::Array(words) = answer else { return Err(unreadable()) };
    let mut words = words.into_iter().map(|word| match word {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(unreadable()),
    });
    let mut next = || words.next().unwrap_or_else(|| Err(unreadable()));
    Ok(match &*next()? {
        b"acquired" => {
            let token = Token { owner: request.owner, fence: number(&next()?)? };
            Claim::Acquired { token, attempt: number(&next()?)? }
        }
        b"replay" => Claim::Replay(next()?.into()),
        b"in flight" => Claim::InFlight { lease_left: Duration::from_micros(number(&next()?)?) },
        b"mismatch" => Claim::Mismatch,
        b"interrupted" => Claim::Interrupted { attempt: number(&next()?)? },
        _ => return Err(unreadable()),
    })
}

/// Parses the reply to a write.
pub(super) fn write(answer: &Value) -> StoreResult<WriteOutcome> {
    flag(answer).map(|applied| if applied { WriteOutcome::Applied } else { WriteOutcome::Fenced })
}

pub(super) fn flag(answer: &Value) -> StoreResult<bool> {
    match answer {
        Value::Int(1) => Ok(true),
        Value::Int(0) => Ok(false),
        _ => Err(unreadable()),
    }
}

pub(super) fn number<T: FromStr>(text: &[u8]) -> StoreResult<T> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(unreadable)
}

/// The error for an unexpected reply. The message omits the values, because a value may be an
/// outcome.
pub(super) fn unreadable() -> StoreError {
    StoreError::corrupt("an unexpected reply to a script")
}

/// Converts an error of Redis to the error of a store.
pub(super) fn store_error(error: RedisError) -> StoreError {
    if has_code(&error, "OOM") {
        return StoreError::full(error);
    }
    if has_code(&error, "WRONGTYPE") || error.kind() == ErrorKind::UnexpectedReturnType {
        return StoreError::corrupt(error);
    }
    StoreError::unavailable(error)
}

/// Returns whether the server has rejected a command with this code. Before version 7 the error of
/// a script quotes the error of the command.
pub(super) fn has_code(error: &RedisError, code: &str) -> bool {
    error.code() == Some(code) || error.detail().is_some_and(|detail| detail.contains(code))
}
