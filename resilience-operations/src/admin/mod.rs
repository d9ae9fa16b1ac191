//! The admin page: the policies of the process on one page, as JSON and as text for Prometheus.
//!
//! [`Admin`] makes a router of `axum`:
//!
//! | route | answer |
//! |---|---|
//! | `GET /` | the page: one HTML document without further files |
//! | `GET /policies` | the reports of [`policies`], as JSON |
//! | `GET /health` | [`health`], as JSON with the status 200 |
//! | `GET /events` | the last 100 changes of circuit breakers, newest first |
//! | `GET /metrics` | the [text for Prometheus](crate::export::prometheus_text) |
//! | `POST /control` | controls a circuit breaker; 403 without an authorization hook |

mod control;
mod events;
mod request;
mod respond;

use core::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use resilience_core::__internal::unique_id;
use resilience_core::{count_successes, health, policies};

use self::events::Events;
use self::respond::{json, page, problem, text};
use crate::export::{PROMETHEUS_CONTENT_TYPE, prometheus_text};

/// Decides whether a request may control policies.
type Authorize = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

/// Makes the router of the admin page.
///
/// Reading has no check: serve the router at an internal address, or behind the authentication of
/// the service. Controls need a hook in addition; see [`Admin::authorize`].
///
/// ```
/// use resilience::admin::Admin;
///
/// let app: axum::Router = axum::Router::new().nest("/resilience", Admin::new().router());
/// ```
#[derive(Clone, Default)]
#[must_use = "`router` makes the router"]
pub struct Admin {
    authorize: Option<Authorize>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("has_controls", &self.authorize.is_some()).finish()
    }
}

impl Admin {
    /// Returns a page without controls.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows the controls of the page for requests with the consent of the hook. The router
    /// answers other requests, and all requests without a hook, with 403.
    ///
    /// The hook sees the method, the headers and the extensions of the request, such as a user that
    /// a layer in front has authenticated. Requests from other sites never reach the hook: the
    /// router demands the header `x-resilience-admin`, and an origin equal to the host.
    ///
    /// ```
    /// use resilience::admin::Admin;
    ///
    /// #[derive(Clone)]
    /// struct User {
    ///     is_operator: bool,
    /// }
    ///
    /// let admin = Admin::new().authorize(|request| {
    ///     request.extensions.get::<User>().is_some_and(|user| user.is_operator)
    /// });
    /// let app: axum::Router = admin.router();
    /// ```
    pub fn authorize(mut self, hook: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.authorize = Some(Arc::new(hook));
        self
    }

    /// Returns the router. Counts successful calls from now on, and collects the changes of circuit
    /// breakers.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        count_successes();
        let state = Shared { authorize: self.authorize, events: Arc::new(Events::new()) };
        Router::new()
            .route("/", get(show))
            .route("/policies", get(async || json(StatusCode::OK, &policies())))
            .route("/health", get(show_health))
            .route("/events", get(show_events))
            .route("/metrics", get(async || text(PROMETHEUS_CONTENT_TYPE, prometheus_text())))
            .route("/control", post(control))
            .with_state(state)
    }
}

#[derive(Clone)]
struct Shared {
    authorize: Option<Authorize>,
    events: Arc<Events>,
}

async fn show(State(shared): State<Shared>) -> Response {
    let controls = if shared.authorize.is_some() { "true" } else { "false" };
    page(&format!("{:032x}", unique_id()), controls)
}

async fn show_health() -> Response {
    let health = health();
    let body = serde_json::json!({ "healthy": health.is_healthy(), "degraded": health.degraded });
    json(StatusCode::OK, &body)
}

async fn show_events(State(shared): State<Shared>) -> Response {
    json(StatusCode::OK, &shared.events.latest())
}

async fn control(State(shared): State<Shared>, request: Parts, body: Bytes) -> Response {
    if let Err(reason) = request::check(&request) {
        return problem(StatusCode::FORBIDDEN, reason);
    }
    match &shared.authorize {
        None => {
            return problem(
                StatusCode::FORBIDDEN,
                "this page only reads; `Admin::authorize` allows controls",
            );
        }
        Some(hook) if !hook(&request) => {
            return problem(StatusCode::FORBIDDEN, "the request is not authorized");
        }
        Some(_) => {}
    }
    match serde_json::from_slice(&body) {
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
        Ok(command) => match control::apply(&command) {
            Ok(()) => json(StatusCode::OK, &serde_json::json!({ "done": true })),
            Err(reason) => problem(StatusCode::NOT_FOUND, &reason),
        },
    }
}
