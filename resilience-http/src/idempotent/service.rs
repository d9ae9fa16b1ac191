//! The service: reads the key and the body of a request, and claims the key.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};
use resilience_idempotency::{Claimed, IdempotentCall, RecordKey, Replayed, Store};
use tower_service::Service;

use super::background::{run_in_background, timeout};
use super::body::{IdempotentBody, Read, ReadMode, Unread, read};
use super::fingerprint::{add_content, add_target};
use super::handle::ClaimedRequest;
use super::layer::{RequestScope, Settings};
use super::problem::Problem;
use super::record::{NotStored, read_record};
use crate::protocol::Protocol;
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
        let protocol = Protocol::of(&head.headers);
        let key = match settings.admit(&head) {
            Ok(Some(key)) => key,
            Err(problem) => {
                let response = settings.problem(protocol, &problem);
                return Box::pin(async { Ok(response) });
            }
            Ok(None) => {
                let is_ignored = settings.reports_ignored && settings.keys.is_in(&head.headers);
                let body = IdempotentBody::untouched(body);
                let response = service.call(Request::from_parts(head, body));
                return Box::pin(async move { Ok(unprotected(response.await?, is_ignored)) });
            }
        };
        // The future waits for the body and for the claim. Meanwhile the request holds no
        // reservation of the service, such as the permit of a concurrency limit.
        let mut service = service.clone();
        Box::pin(async move {
            let claimed = match settings.claim(head, body, key).await {
                Ok(Claim::Run(claimed)) => claimed,
                Ok(Claim::Replay(Replayed::Outcome(bytes))) => {
                    return Ok(settings.recorded_response(protocol, bytes));
                }
                Ok(Claim::Replay(_)) => {
                    let problem = Problem::not_stored(NotStored::TooLong);
                    return Ok(settings.problem(protocol, &problem));
                }
                Err(problem) => return Ok(settings.problem(protocol, &problem)),
            };
            let (mut claimed, request) = *claimed;
            match claimed.wait_for(&mut service).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    claimed.release().await;
                    return Err(error);
                }
                Err(rejected) => {
                    return Ok(settings.problem(protocol, &Problem::from_rejection(&rejected)));
                }
            }
            let is_detached = settings.is_detached;
            // A future that passes through functions takes its space in each of their futures.
            let work = Box::pin(claimed.run(service, request));
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

/// The key of a protected request.
struct RequestKey {
    key: String,
    scope: RequestScope,
    record: RecordKey,
}

/// The result of a claim.
enum Claim<T: Store + Clone, B: Body<Data = Bytes>> {
    Run(Box<(ClaimedRequest<T>, Request<IdempotentBody<B>>)>),
    Replay(Replayed),
}

/// The shortest and the longest delay before a client asks again for a running request.
const ASK_AGAIN: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

impl<T: Store + Clone> Settings<T> {
    /// Checks the request before the body is read. Returns the key, or `None` for a request that
    /// the layer does not protect.
    fn admit(&self, head: &Parts) -> Result<Option<RequestKey>, Problem> {
        if !self.methods.contains(&head.method) {
            return Ok(None);
        }
        let key = match self.keys.read(&head.headers) {
            Ok(Some(key)) => key,
            Ok(None) if self.is_required => {
                return Err(Problem::new(IdempotencyRejection::MissingKey));
            }
            Ok(None) => return Ok(None),
            Err(error) => return Err(Problem::invalid_key(error)),
        };
        let scope = self.scope(head);
        let record = self.policy.key(&self.store, scope.as_scope(), &key);
        let record = record.map_err(|rejected| Problem::from_rejection(&rejected))?;
        if self.running.is_full(self.max_running) {
            return Err(Problem::too_many_running());
        }
        Ok(Some(RequestKey { key, scope, record }))
    }

    /// Reads the body and claims the key.
    async fn claim<B: Body<Data = Bytes>>(
        self: &Arc<Self>,
        head: Parts,
        body: B,
        key: RequestKey,
    ) -> Result<Claim<T, B>, Problem> {
        let read = read(body, self.max_body, ReadMode::All);
        let (body, trailers) = match timeout(self.body_timeout, read).await {
            Some(Read::Whole { bytes, trailers, .. }) => (bytes, trailers),
            Some(Read::Partial { reason: Unread::Broken, .. }) => {
                return Err(Problem::body_unreadable());
            }
            Some(Read::Partial { .. }) => return Err(Problem::body_too_large()),
            None => return Err(Problem::body_timeout()),
        };
        let record = key.record;
        let request = Request::from_parts(head, body);
        let call = self.call(&request, key);
        let call = call.map_err(|rejected| Problem::from_rejection(&rejected))?;
        if self.running.is_unsaved(&record) {
            // The store may have lost the claim, and a repeated request would run again.
            return Err(Problem::in_flight(self.ask_again(None, &record)));
        }
        let call = match call.claim().await {
            Ok(Claimed::Run(call)) => call,
            Ok(Claimed::Replay(replayed)) => return Ok(Claim::Replay(replayed)),
            Ok(_) => return Err(Problem::not_stored(NotStored::TooLong)),
            Err(rejected) => return Err(self.rejection(&rejected, &record)),
        };
        let Some(running) = self.running.start(record, self.max_running) else {
            call.release().await;
            return Err(Problem::too_many_running());
        };
        let protocol = Protocol::of(request.headers());
        let claimed = ClaimedRequest { settings: Arc::clone(self), protocol, call, running };
        Ok(Claim::Run(Box::new((claimed, handler_request(request, trailers)))))
    }

    fn call(
        &self,
        request: &Request<Bytes>,
        RequestKey { key, scope, .. }: RequestKey,
    ) -> Result<IdempotentCall<T>, Rejected> {
        self.policy.call(self.store.clone(), scope.as_scope(), &key, |fingerprint| {
            let fingerprint = add_target(fingerprint, request);
            match &self.fingerprint {
                Some(add) => add(request, fingerprint),
                None => add_content(fingerprint, request, self.canonical_json),
            }
        })
    }

    /// Returns the problem of a rejected claim.
    fn rejection(&self, rejected: &Rejected, record: &RecordKey) -> Problem {
        match rejected.kind() {
            RejectedKind::Idempotency(IdempotencyRejection::InFlight) => {
                Problem::in_flight(self.ask_again(rejected.retry_after(), record))
            }
            _ => Problem::from_rejection(rejected),
        }
    }

    /// Returns the delay before a client asks again for a running request: half of the time that
    /// the request has been running, so the delays grow by half and the response is found early.
    ///
    /// For a request in another process, the time since the last renewal of the lease counts.
    fn ask_again(&self, lease_left: Option<Duration>, record: &RecordKey) -> Duration {
        let left = lease_left.unwrap_or(self.lease);
        let age = self.running.age(record).unwrap_or_else(|| self.lease.saturating_sub(left));
        let [shortest, longest] = ASK_AGAIN;
        (age / 2).clamp(shortest, longest)
    }
}

/// Returns the request for the handler.
///
/// The handler sees no `Accept-Encoding`: a stored response has to suit every client of a repeated
/// request. Compression stands outside the layer.
fn handler_request<B: Body<Data = Bytes>>(
    mut request: Request<Bytes>,
    trailers: HeaderMap,
) -> Request<IdempotentBody<B>> {
    request.headers_mut().remove(ACCEPT_ENCODING);
    request.map(|body| IdempotentBody::whole(body).with_trailers(trailers))
}

impl<T> Settings<T> {
    /// Returns the response of the layer for a problem.
    pub(super) fn problem<R: Body<Data = Bytes>>(
        &self,
        protocol: Protocol,
        problem: &Problem,
    ) -> Response<IdempotentBody<R>> {
        problem.response(protocol, &self.problem_base).map(IdempotentBody::whole)
    }

    /// Returns the response of a record: the stored response, or a problem.
    pub(super) fn recorded_response<R: Body<Data = Bytes>>(
        &self,
        protocol: Protocol,
        bytes: Vec<u8>,
    ) -> Response<IdempotentBody<R>> {
        let mut stored = match read_record(bytes) {
            Some(Ok(stored)) => stored,
            Some(Err(reason)) => {
                return self.problem(protocol, &Problem::not_stored(reason));
            }
            None => {
                return self.problem(protocol, &Problem::new(IdempotencyRejection::Undecodable));
            }
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
