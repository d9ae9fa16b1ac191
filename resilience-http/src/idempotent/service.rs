//! The service: reads the key and the body of a request, and claims the key.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use resilience_core::IdempotencyRejection;
use resilience_idempotency::{Claimed, Replayed, Store};
use tower_service::Service;

use super::background::run_in_background;
use super::body::{IdempotentBody, Read, ReadMode, Unread, read};
use super::fingerprint::add_request;
use super::grpc;
use super::handle::ClaimedRequest;
use super::layer::Settings;
use super::problem::Problem;
use super::record::StoredResponse;
use crate::ready_service::take_ready;

/// A service under an [`IdempotencyLayer`](crate::IdempotencyLayer).
pub struct IdempotencyService<S, T> {
    service: S,
    settings: Arc<Settings<T>>,
}

impl<S, T> IdempotencyService<S, T> {
    pub(super) fn new(service: S, settings: Arc<Settings<T>>) -> Self {
        Self { service, settings }
    }
}

impl<S: Clone, T> Clone for IdempotencyService<S, T> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S, T> fmt::Debug for IdempotencyService<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyService").finish_non_exhaustive()
    }
}

impl<S, T, B, R> Service<Request<B>> for IdempotencyService<S, T>
where
    S: Service<Request<IdempotentBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    T: Store + Clone,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    type Response = Response<IdempotentBody<R>>;
    type Error = S::Error;
    // A background task needs a `Send + 'static` future anyway, so a box costs no generality.
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut service = take_ready(&mut self.service);
        let settings = Arc::clone(&self.settings);
        let (head, body) = request.into_parts();
        let key = match settings.key(&head) {
            Ok(Some(key)) => key,
            Err(problem) => {
                let response = settings.reject(&head, &problem);
                return Box::pin(async { Ok(response) });
            }
            Ok(None) => {
                let is_ignored = settings.reports_ignored && settings.keys.is_in(&head.headers);
                let body = IdempotentBody::untouched(body);
                let response = service.call(Request::from_parts(head, body));
                return Box::pin(async move { Ok(unprotected(response.await?, is_ignored)) });
            }
        };
        Box::pin(async move {
            let body = match read(body, settings.max_body, ReadMode::All).await {
                Read::Whole { bytes, .. } => bytes,
                Read::Partial { reason, .. } => {
                    let problem = match reason {
                        Unread::Broken => Problem::body_unreadable(),
                        Unread::TooLong | Unread::Stream => Problem::body_too_large(),
                    };
                    return Ok(settings.reject(&head, &problem));
                }
            };
            let call = match settings.claim(&head, &key, &body).await {
                Ok(Claimed::Run(call)) => call,
                Ok(Claimed::Replay(replayed)) => return Ok(settings.replay(&head, replayed)),
                Ok(_) => return Ok(settings.reject(&head, &Problem::not_stored())),
                Err(problem) => return Ok(settings.reject(&head, &problem)),
            };
            drop(key);
            let protocol = Protocol::of(&head);
            let request = Request::from_parts(head, IdempotentBody::whole(body));
            let is_detached = settings.is_detached;
            let claimed = ClaimedRequest { settings: Arc::clone(&settings), protocol, call };
            let work = claimed.run(service, request);
            if !is_detached {
                return work.await;
            }
            // The task has no output if the runtime stops.
            let stopped = || {
                let problem = Problem::new(IdempotencyRejection::OutcomeUnknown);
                Ok(settings.problem(protocol, &problem))
            };
            run_in_background(work).await.unwrap_or_else(stopped)
        })
    }
}

/// The protocol of a request, which decides the form of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    fn of(head: &Parts) -> Self {
        if grpc::is_grpc(&head.headers) { Self::Grpc } else { Self::Http }
    }
}

impl<T: Store + Clone> Settings<T> {
    /// Returns the key, or `None` for a request that the layer does not protect.
    fn key(&self, head: &Parts) -> Result<Option<String>, Problem> {
        if !self.methods.contains(&head.method) {
            return Ok(None);
        }
        match self.keys.read(&head.headers) {
            Ok(None) if self.is_required => Err(Problem::new(IdempotencyRejection::MissingKey)),
            Ok(key) => Ok(key),
            Err(error) => Err(Problem::invalid_key(error)),
        }
    }

    async fn claim(&self, head: &Parts, key: &str, body: &[u8]) -> Result<Claimed<T>, Problem> {
        let call = self.scoped(head, |scope| {
            let fingerprint = |builder| add_request(builder, head, body, self.canonical_json);
            self.policy.call(self.store.clone(), scope, &key, fingerprint)
        });
        let call = call.map_err(|rejected| Problem::from_rejection(&rejected))?;
        call.claim().await.map_err(|rejected| Problem::from_rejection(&rejected))
    }

    fn replay<R: Body<Data = Bytes>>(
        &self,
        head: &Parts,
        replayed: Replayed,
    ) -> Response<IdempotentBody<R>> {
        match replayed {
            Replayed::Outcome(bytes) => self.stored_response(Protocol::of(head), bytes),
            _ => self.reject(head, &Problem::not_stored()),
        }
    }

    fn reject<R: Body<Data = Bytes>>(
        &self,
        head: &Parts,
        problem: &Problem,
    ) -> Response<IdempotentBody<R>> {
        self.problem(Protocol::of(head), problem)
    }
}

impl<T> Settings<T> {
    /// Returns the response of the layer for a problem.
    pub(super) fn problem<R: Body<Data = Bytes>>(
        &self,
        protocol: Protocol,
        problem: &Problem,
    ) -> Response<IdempotentBody<R>> {
        let response = match protocol {
            Protocol::Http => problem.http_response(&self.problem_base),
            Protocol::Grpc => problem.grpc_response(),
        };
        response.map(IdempotentBody::whole)
    }

    /// Returns the replay of a stored response.
    pub(super) fn stored_response<R: Body<Data = Bytes>>(
        &self,
        protocol: Protocol,
        bytes: Vec<u8>,
    ) -> Response<IdempotentBody<R>> {
        let Some(mut stored) = StoredResponse::read(bytes) else {
            return self.problem(protocol, &Problem::new(IdempotencyRejection::Undecodable));
        };
        let trailers = mem::take(&mut stored.trailers);
        let mut response = stored.replay();
        if let Some(hook) = &self.on_replay {
            hook(&mut response);
        }
        response.map(|body| IdempotentBody::whole(body).with_trailers(trailers))
    }
}

/// Returns the response to a request that the layer does not protect.
fn unprotected<R: Body<Data = Bytes>>(
    response: Response<R>,
    is_ignored: bool,
) -> Response<IdempotentBody<R>> {
    const STATUS: HeaderName = HeaderName::from_static("idempotency-status");
    let mut response = response.map(IdempotentBody::untouched);
    if is_ignored {
        response.headers_mut().insert(STATUS, HeaderValue::from_static("ignored"));
    }
    response
}
