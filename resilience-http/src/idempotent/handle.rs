//! A claimed request: runs the handler, and stores the response.

use std::panic::resume_unwind;
use std::sync::Arc;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use resilience_core::Effect;
use resilience_idempotency::{ActiveCall, Completed, Disposition, Store};
use tower_service::Service;

use super::background::catch_panic;
use super::body::{IdempotentBody, Read, ReadMode, read};
use super::grpc;
use super::layer::Settings;
use super::problem::Problem;
use super::record::StoredResponse;
use super::service::Protocol;
use super::store_policy::unknown_outcome;

/// A request whose key this process has claimed.
pub(super) struct ClaimedRequest<T: Store + Clone> {
    pub(super) settings: Arc<Settings<T>>,
    pub(super) protocol: Protocol,
    pub(super) call: ActiveCall<T>,
}

/// A response of the handler, read as far as the store needs.
struct HandledResponse<R: Body> {
    response: Response<IdempotentBody<R>>,
    keep: Disposition,
    /// The response for the store; `None` records completion only.
    stored: Option<StoredResponse>,
}

impl<T: Store + Clone> ClaimedRequest<T> {
    /// Runs the handler and records the outcome.
    ///
    /// A panic of the handler resumes after the store has recorded the end of the call.
    pub(super) async fn run<S, B, R>(
        mut self,
        mut service: S,
        request: Request<B>,
    ) -> Result<Response<IdempotentBody<R>>, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>>,
        R: Body<Data = Bytes>,
    {
        let settings = Arc::clone(&self.settings);
        let body = catch_panic(async move {
            let response = service.call(request).await?;
            Ok(settings.read_response(response).await)
        });
        match self.call.run(body).await {
            Ok(Ok(Ok(handled))) => Ok(self.store_outcome(handled).await),
            Ok(Ok(Err(error))) => {
                end_call(self.call, unknown_outcome(self.settings.on_interrupted)).await;
                Err(error)
            }
            Ok(Err(panic)) => {
                self.call.abandon().await;
                resume_unwind(panic)
            }
            Err(rejected) => {
                Ok(self.settings.problem(self.protocol, &Problem::from_rejection(&rejected)))
            }
        }
    }

    /// Records the outcome, and returns the response for the client.
    async fn store_outcome<R: Body<Data = Bytes>>(
        self,
        handled: HandledResponse<R>,
    ) -> Response<IdempotentBody<R>> {
        let Self { settings, protocol, call } = self;
        let completed = match (handled.keep, handled.stored) {
            (Disposition::Store, Some(stored)) => call.complete(&stored.write()).await,
            (Disposition::Store, None) => call.complete_without_outcome().await,
            (keep, _) => {
                end_call(call, keep).await;
                return handled.response;
            }
        };
        match completed {
            // The lease expired, and another call took over: every client gets the other response.
            Ok(Completed::Other(bytes)) => settings.stored_response(protocol, bytes),
            Ok(Completed::OtherNotStored) => settings.problem(protocol, &Problem::not_stored()),
            Ok(_) => handled.response,
            Err(rejected) => settings.problem(protocol, &Problem::from_rejection(&rejected)),
        }
    }
}

async fn end_call<T: Store + Clone>(call: ActiveCall<T>, keep: Disposition) {
    match keep {
        Disposition::Release => call.release().await,
        _ => call.abandon().await,
    }
}

impl<T> Settings<T> {
    /// Reads a response as far as the store needs.
    async fn read_response<R: Body<Data = Bytes>>(
        &self,
        response: Response<R>,
    ) -> HandledResponse<R> {
        let (head, body) = response.into_parts();
        let keep = self.keep(&head, head.status);
        let without_record = |head, body, keep| {
            let response = Response::from_parts(head, body);
            HandledResponse { response, keep, stored: None }
        };
        // After a 101 the connection no longer carries HTTP.
        if keep != Disposition::Store || head.status.is_informational() {
            return without_record(head, IdempotentBody::untouched(body), keep);
        }
        match read(body, self.max_outcome, ReadMode::Sized).await {
            Read::Partial { body, .. } => without_record(head, body, keep),
            Read::Whole { body, bytes, trailers } => {
                let status = grpc::status(&head.headers, &trailers);
                let keep = status.map_or(keep, |status| self.keep(&head, status));
                let stored = Some(StoredResponse {
                    status: head.status,
                    headers: self.stored_headers.select(&head.headers),
                    body: bytes,
                    trailers: match status {
                        Some(_) => grpc::status_trailers(&trailers),
                        None => HeaderMap::new(),
                    },
                });
                HandledResponse { response: Response::from_parts(head, body), keep, stored }
            }
        }
    }

    fn keep(&self, head: &Parts, status: StatusCode) -> Disposition {
        let effect = head.extensions.get::<Effect>().copied();
        self.store_policy.keep(status, effect, self.on_interrupted)
    }
}
