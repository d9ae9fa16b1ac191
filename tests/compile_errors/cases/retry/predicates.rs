// Variants and keys of other libraries in place of a predicate.

use resilience::retry;

enum ApiError {
    Down,
    Busy,
    Status(u16),
}

#[retry(on = ApiError::Down)]
//~ error at `ApiError::Down`: write `on = |error| matches!(error, ApiError::Down)`
fn variant() -> Result<(), ApiError> {
    Err(ApiError::Status(500))
}

#[retry(on = [ApiError::Down, ApiError::Busy])]
//~ error at `[ApiError::Down, ApiError::Busy]`: write `on = |error| matches!(error, ApiError::Down | ApiError::Busy)`
fn list() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[retry(on = ApiError::Down | (ApiError::Busy))]
//~ error at `ApiError::Down | (ApiError::Busy)`: write `on = |error| matches!(error, ApiError::Down | ApiError::Busy)`
fn alternatives() -> Result<(), ApiError> {
    Err(ApiError::Busy)
}

#[retry(on_ok = Option::None)]
//~ error at `Option::None`: write `on_ok = |value| matches!(value, Option::None)`
fn value() -> Result<Option<u32>, ApiError> {
    Ok(None)
}

#[retry(on_error = |error| true)]
//~ error at `on_error`: `#[retry]` has no `on_error`; write `on = is_transient` (the errors to retry)
fn on_error() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[retry(key = id)]
//~ error at `key`: `#[retry]` has no `key`; the body sends the key of a request, and each attempt sends the same: remove `key`; for records of executed calls add `#[idempotent(key = …)]` above
fn key(id: u32) -> Result<u32, ApiError> {
    Ok(id)
}

#[retry(status = [503])]
//~ error at `status`: `#[retry]` has no `status`; write `on_ok = classify_response` of `resilience::http`, or `on_ok = |response| response.status() == 503`
fn status() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[retry(statuses = [503])]
//~ error at `statuses`: `#[retry]` has no `statuses`; write `on_ok = classify_response` of `resilience::http`, or `on_ok = |response| response.status() == 503`
fn statuses() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[retry(status_codes = [503])]
//~ error at `status_codes`: `#[retry]` has no `status_codes`; write `on_ok = classify_response` of `resilience::http`, or `on_ok = |response| response.status() == 503`
fn status_codes() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[retry(status_forcelist = [503])]
//~ error at `status_forcelist`: `#[retry]` has no `status_forcelist`; write `on_ok = classify_response` of `resilience::http`, or `on_ok = |response| response.status() == 503`
fn status_forcelist() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[retry(on = std::io::ErrorKind::ConnectionReset)]
//~ error at `std::io::ErrorKind::ConnectionReset`: write `on = |error| matches!(error.kind(), std::io::ErrorKind::ConnectionReset)`
fn kind() -> Result<(), std::io::Error> {
    Ok(())
}

use ApiError as E;

#[retry(on = [E::Down])]
//~ error at `[E::Down]`: write `on = |error| matches!(error, E::Down)`
fn short_name() -> Result<(), E> {
    Err(E::Down)
}

enum Code {
    Unavailable,
}

struct Status(Code);

#[retry(on = [Code::Unavailable])]
//~ error at `[Code::Unavailable]`: write `on = |error| matches!(error.code(), Code::Unavailable)`
fn code() -> Result<(), Status> {
    Err(Status(Code::Unavailable))
}

#[retry(on = (std::io::ErrorKind::TimedOut | std::io::ErrorKind::NotFound))]
//~ error at `(std::io::ErrorKind::TimedOut | std::io::ErrorKind::NotFound)`: write `on = |error| matches!(error.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::NotFound)`
fn kinds() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
