//! A minimal login: a secret in the address becomes a cookie.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

/// The operators: everybody with the token.
#[derive(Clone)]
pub(crate) struct Operators(Arc<str>);

impl Operators {
    /// Draws a token.
    pub(crate) fn new() -> Self {
        let word = || RandomState::new().hash_one(0);
        Self(format!("{:016x}{:016x}", word(), word()).into())
    }

    pub(crate) fn token(&self) -> &str {
        &self.0
    }

    /// Returns whether a request has the cookie.
    pub(crate) fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut cookies = cookies.flat_map(|cookies| cookies.split("; "));
        cookies.any(|cookie| cookie.strip_prefix("operator=") == Some(&self.0))
    }
}

/// Exchanges the token in the address for a cookie.
pub(crate) async fn login(
    State(operators): State<Operators>,
    Path(token): Path<String>,
) -> Response {
    if token != operators.token() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let cookie = format!("operator={token}; HttpOnly; SameSite=Strict; Path=/admin");
    ([(SET_COOKIE, cookie)], Redirect::to("/admin")).into_response()
}
