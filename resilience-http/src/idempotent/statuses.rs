//! Which answers are stored.

use http::StatusCode;
use resilience_core::Effect;
use resilience_idempotency::{Disposition, OnInterrupted};

/// Which answers of a handler are stored, by their status.
///
/// What the handler knows better it says itself, by a [`Effect`] among the extensions of its response: with
/// `Effect::NotSent` or `Effect::Refused` nothing was done, and a repetition runs; with `Effect::Applied` the answer is
/// stored.
///
/// ```
/// use axum::Extension;
/// use axum::http::StatusCode;
/// use axum::response::IntoResponse;
/// use resilience::Effect;
///
/// async fn charge() -> impl IntoResponse {
///     // The bank did not even take our connection.
///     (StatusCode::BAD_GATEWAY, Extension(Effect::NotSent), "the bank is closed")
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum StorePolicy {
    /// What the handler has decided: 2xx, 3xx, and every 4xx but those that are no verdict on the request (401,
    /// 403, 407, 408, 413, 421, 425, 429, 431, 451). A repetition of one of these runs. After a 408 or a 5xx
    /// it is not known what was done: with [`OnInterrupted::Rerun`] a repetition runs, with
    /// [`OnInterrupted::Unknown`] it is turned away.
    #[default]
    Verdicts,
    /// As Stripe's first API: those, and every 5xx as well.
    StripeV1,
    /// What a function of yours says.
    With(fn(StatusCode) -> Disposition),
}

impl StorePolicy {
    /// What is done with an answer of this status.
    pub(super) fn keep(
        self,
        status: StatusCode,
        effect: Option<Effect>,
        mode: OnInterrupted,
    ) -> Disposition {
        match effect {
            Some(effect) if effect.is_not_applied() => return Disposition::Release,
            Some(Effect::Applied) => return Disposition::Store,
            _ => {}
        }
        match (self, status.as_u16()) {
            (Self::With(keep), _) => keep(status),
            (_, 401 | 403 | 407 | 413 | 421 | 425 | 429 | 431 | 451) => Disposition::Release,
            (_, 408) | (Self::Verdicts, 500..) => not_known(mode),
            _ => Disposition::Store,
        }
    }
}

/// What is done when it is not known what was done. Whoever runs again in any case may do so at once.
pub(super) fn not_known(mode: OnInterrupted) -> Disposition {
    match mode {
        OnInterrupted::Rerun => Disposition::Release,
        _ => Disposition::Abandon,
    }
}
