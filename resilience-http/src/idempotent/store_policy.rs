//! The choice of responses to store.

use http::StatusCode;
use resilience_core::Effect;
use resilience_idempotency::{Disposition, OnInterrupted};

/// The responses of a handler to store, by status.
///
/// A handler can overrule the policy with an [`Effect`] in the extensions of the response. After
/// `Effect::NotSent` or `Effect::Refused` the response is not stored, and a repeated request runs.
/// After `Effect::Applied` the response is stored. After `Effect::Unknown` the outcome of a status
/// such as 429, which states no effect otherwise, is unknown.
///
/// # Examples
///
/// ```
/// use axum::Extension;
/// use axum::http::StatusCode;
/// use axum::response::IntoResponse;
/// use resilience::Effect;
///
/// async fn charge() -> impl IntoResponse {
///     // The bank refused the connection.
///     (StatusCode::BAD_GATEWAY, Extension(Effect::NotSent), "the bank is unreachable")
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum StorePolicy {
    /// Stores definitive responses: 2xx, 3xx, and 4xx except 401, 403, 407, 408, 413, 421, 425,
    /// 429, 431 and 451, and except 409 and 423 with a retry delay.
    ///
    /// After an excepted status, a repeated request runs. After a 408 or a 5xx the outcome is
    /// unknown: with [`OnInterrupted::Rerun`] a repeated request runs, with
    /// [`OnInterrupted::Unknown`] a repeated request is rejected.
    #[default]
    Definitive,
    /// Stores definitive responses and every 5xx, like the first API of Stripe.
    StripeV1,
    /// Decides by a function.
    With(fn(StatusCode) -> Disposition),
}

impl StorePolicy {
    /// Returns the disposition of a response.
    pub(super) fn disposition(
        self,
        status: StatusCode,
        effect: Option<Effect>,
        has_retry_delay: bool,
        on_interrupted: OnInterrupted,
    ) -> Disposition {
        match effect {
            Some(effect) if effect.is_not_applied() => return Disposition::Release,
            Some(Effect::Applied) => return Disposition::Store,
            _ => {}
        }
        let released = match status.as_u16() {
            401 | 403 | 407 | 413 | 421 | 425 | 429 | 431 | 451 => true,
            // The same request is still running, or the resource is locked for now.
            409 | 423 => has_retry_delay,
            _ => false,
        };
        match (self, status.as_u16()) {
            (Self::With(keep), _) => keep(status),
            _ if released => match effect {
                // The handler contradicts the status: an earlier step may have been applied.
                Some(_) => unknown_outcome(on_interrupted),
                None => Disposition::Release,
            },
            (_, 408) | (Self::Definitive, 500..) => unknown_outcome(on_interrupted),
            _ => Disposition::Store,
        }
    }
}

/// Returns the disposition of an unknown outcome. With `Rerun`, the next request can run at once.
pub(super) fn unknown_outcome(on_interrupted: OnInterrupted) -> Disposition {
    match on_interrupted {
        OnInterrupted::Rerun => Disposition::Release,
        _ => Disposition::Abandon,
    }
}
