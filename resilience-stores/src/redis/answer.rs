//! What the answers of the scripts mean, and the errors.

use std::str::FromStr;
use std::time::Duration;

use redis::{ErrorKind, RedisError, Value};
use resilience_idempotency::{Claim, ClaimRequest, StoreError, StoreResult, Token, WriteOutcome};

/// That of a claim.
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

/// That of a write.
pub(super) fn write(answer: &Value) -> StoreResult<WriteOutcome> {
    yes(answer).map(|applied| if applied { WriteOutcome::Applied } else { WriteOutcome::Fenced })
}

pub(super) fn yes(answer: &Value) -> StoreResult<bool> {
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

/// The values are not shown: one of them may be an outcome.
pub(super) fn unreadable() -> StoreError {
    StoreError::corrupt("an answer that no script of ours gives")
}

/// What an error of Redis means for a store.
pub(super) fn trouble(error: RedisError) -> StoreError {
    match error.code() {
        Some("OOM") => return StoreError::full(error),
        Some("WRONGTYPE") => return StoreError::corrupt(error),
        _ => {}
    }
    match error.kind() {
        ErrorKind::UnexpectedReturnType => StoreError::corrupt(error),
        _ => StoreError::unavailable(error),
    }
}
