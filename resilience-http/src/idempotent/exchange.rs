//! A request that is handled, and what becomes of its answer.

use std::panic::resume_unwind;
use std::sync::Arc;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use resilience_core::Effect;
use resilience_idempotency::{ActiveCall, Completed, Disposition, Store};
use tower_service::Service;

use super::body::{IdempotentBody, Patience, Read, read};
use super::detach::caught;
use super::grpc;
use super::layer::Settings;
use super::problem::Problem;
use super::record::Stored;
use super::service::Asker;
use super::statuses::not_known;

/// A request that may be handled.
pub(super) struct Exchange<T: Store + Clone> {
    pub(super) settings: Arc<Settings<T>>,
    pub(super) asker: Asker,
    pub(super) running: ActiveCall<T>,
}

/// An answer, read as far as it may be.
struct Answer<R: Body> {
    response: Response<IdempotentBody<R>>,
    keep: Disposition,
    /// What of it is stored; none where that is only that there was one.
    stored: Option<Stored>,
}

impl<T: Store + Clone> Exchange<T> {
    /// Handles the request, and tells the store. A panic of the handler is passed on, after the store has
    /// heard of it.
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
        let body = caught(async move {
            let response = service.call(request).await?;
            Ok(settings.judge(response).await)
        });
        match self.running.run(body).await {
            Ok(Ok(Ok(answer))) => Ok(self.settle(answer).await),
            Ok(Ok(Err(error))) => {
                end(self.running, not_known(self.settings.mode)).await;
                Err(error)
            }
            Ok(Err(panic)) => {
                self.running.abandon().await;
                resume_unwind(panic)
            }
            Err(rejected) => Ok(self.settings.problem(self.asker, &Problem::of(&rejected))),
        }
    }
}

impl<T: Store + Clone> Exchange<T> {
    /// Tells the store, and returns what counts.
    async fn settle<R: Body<Data = Bytes>>(self, answer: Answer<R>) -> Response<IdempotentBody<R>> {
        let Self { settings, asker, running } = self;
        let completed = match (answer.keep, answer.stored) {
            (Disposition::Store, Some(stored)) => running.complete(&stored.write()).await,
            (Disposition::Store, None) => running.complete_without_outcome().await,
            (keep, _) => {
                end(running, keep).await;
                return answer.response;
            }
        };
        match completed {
            // Another has taken this one for dead: what it has answered is what everybody is told.
            Ok(Completed::Other(bytes)) => settings.stored(asker, bytes),
            Ok(Completed::OtherNotStored) => settings.problem(asker, &Problem::without_body()),
            Ok(_) => answer.response,
            Err(rejected) => settings.problem(asker, &Problem::of(&rejected)),
        }
    }
}

async fn end<T: Store + Clone>(running: ActiveCall<T>, keep: Disposition) {
    match keep {
        Disposition::Release => running.release().await,
        _ => running.abandon().await,
    }
}

impl<T> Settings<T> {
    /// Reads an answer as far as it is to be stored.
    async fn judge<R: Body<Data = Bytes>>(&self, response: Response<R>) -> Answer<R> {
        let (head, body) = response.into_parts();
        let keep = self.keep(&head, head.status);
        let untouched = |head, body, keep| {
            let response = Response::from_parts(head, body);
            Answer { response, keep, stored: None }
        };
        // What comes after a 101 is no answer any more.
        if keep != Disposition::Store || head.status.is_informational() {
            return untouched(head, IdempotentBody::untouched(body), keep);
        }
        match read(body, self.max_outcome, Patience::Sized).await {
            Read::Part { body, .. } => untouched(head, body, keep),
            Read::Whole { body, bytes, trailers } => {
                let status = grpc::status(&head.headers, &trailers);
                let keep = status.map_or(keep, |status| self.keep(&head, status));
                let stored = Some(Stored {
                    status: head.status,
                    headers: self.kept.of(&head.headers),
                    body: bytes,
                    trailers: if status.is_some() { grpc::of(&trailers) } else { HeaderMap::new() },
                });
                Answer { response: Response::from_parts(head, body), keep, stored }
            }
        }
    }

    fn keep(&self, head: &Parts, status: StatusCode) -> Disposition {
        self.statuses.keep(status, head.extensions.get::<Effect>().copied(), self.mode)
    }
}
