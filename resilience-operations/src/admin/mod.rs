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
//! | `GET /key?name=…&kind=…&key=…` | a key, as [`policy_key`] returns it; or 404 |
//! | `GET /settings` | the settings that can change, pending settings, and the last 100 changes |
//! | `GET /metrics` | the [text for Prometheus](crate::export::prometheus_text) |
//! | `POST /control` | changes policies by name; 403 without an authorization hook |

mod control;
mod events;
mod request;
mod respond;
mod settings;

use core::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use resilience_core::__internal::unique_id;
use resilience_core::{PolicyKind, count_successes, health, policies, policy_key};
use serde::Deserialize;

use self::control::Command;
use self::events::Events;
use self::respond::{json, page, problem, text};
use self::settings::Settings;
use crate::export::{PROMETHEUS_CONTENT_TYPE, prometheus_text};

/// Returns the author of the changes that a request asks for; `None` forbids the changes.
type Authorize = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

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

    /// Allows the controls of the page for requests with an author. The router answers requests
    /// without an author or with an empty one, and all requests without a hook, with 403.
    ///
    /// The hook returns the name of the operator, for the history of changes and the log. The hook
    /// sees the method, the headers and the extensions of the request, such as a user that a layer
    /// in front has authenticated. Requests from other sites never reach the hook: the router
    /// demands the header `x-resilience-admin`, and an origin equal to the host. A hook without a
    /// credential must check the header `Host` too, because a site may give its own name the
    /// address of the service.
    ///
    /// ```
    /// use resilience::admin::Admin;
    ///
    /// #[derive(Clone)]
    /// struct User {
    ///     name: String,
    ///     is_operator: bool,
    /// }
    ///
    /// let admin = Admin::new().authorize(|request| {
    ///     let user = request.extensions.get::<User>().filter(|user| user.is_operator)?;
    ///     Some(user.name.clone())
    /// });
    /// let app: axum::Router = admin.router();
    /// ```
    pub fn authorize<N: Into<String>>(
        mut self,
        hook: impl Fn(&Parts) -> Option<N> + Send + Sync + 'static,
    ) -> Self {
        let author = move |request: &Parts| hook(request).map(Into::into);
        // The history names an author for each change.
        let author =
            move |request: &Parts| author(request).filter(|name: &String| !name.is_empty());
        self.authorize = Some(Arc::new(author));
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
            .route("/key", get(show_key))
            .route("/settings", get(async || json(StatusCode::OK, &Settings::now())))
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

/// The key of a policy in the address.
#[derive(Deserialize)]
struct KeyOf {
    name: String,
    kind: PolicyKind,
    key: String,
}

async fn show_key(of: Result<Query<KeyOf>, QueryRejection>) -> Response {
    let KeyOf { name, kind, key } = match of {
        Ok(Query(of)) => of,
        Err(mistake) => return problem(mistake.status(), &mistake.body_text()),
    };
    match policy_key(&name, kind, &key) {
        Some(report) => json(StatusCode::OK, &report),
        None => problem(StatusCode::NOT_FOUND, "no policy of this name and kind has the key"),
    }
}

async fn control(State(shared): State<Shared>, request: Request) -> Response {
    let (request, body) = request.into_parts();
    if let Err(reason) = request::check(&request) {
        return problem(StatusCode::FORBIDDEN, reason);
    }
    let Some(hook) = &shared.authorize else {
        let reason = "this page only reads; `Admin::authorize` allows controls";
        return problem(StatusCode::FORBIDDEN, reason);
    };
    let Some(author) = hook(&request) else {
        return problem(StatusCode::FORBIDDEN, "the request is not authorized");
    };
    // The body of a refused request is not read.
    let body = match Bytes::from_request(Request::from_parts(request, body), &()).await {
        Ok(body) => body,
        Err(unread) => return problem(unread.status(), &unread.body_text()),
    };
    let command = match serde_json::from_slice::<Command>(&body) {
        Ok(command) => command,
        Err(mistake) => return problem(StatusCode::BAD_REQUEST, &mistake.to_string()),
    };
    match command.apply(author) {
        Ok(controlled) => json(StatusCode::OK, &controlled),
        Err(reason) => problem(StatusCode::BAD_REQUEST, &reason),
    }
}
