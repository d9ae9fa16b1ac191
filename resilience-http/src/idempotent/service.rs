//! A request on its way in: its key, what it is about, and whether it is handled.

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
use resilience_idempotency::{Claimed, Replayed, Store};
use tower_service::Service;

use super::body::{IdempotentBody, Patience, Read, Why, read};
use super::detach::detached;
use super::exchange::Exchange;
use super::fingerprint::about;
use super::grpc;
use super::layer::Settings;
use super::problem::Problem;
use super::record::Stored;

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
    // A task of its own needs a future that may be sent and borrows nothing, so there is no bound to be saved.
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The call goes to the one that said it was ready, and the next to another that will be asked.
        let next = self.service.clone();
        let mut service = mem::replace(&mut self.service, next);
        let settings = Arc::clone(&self.settings);
        let (head, body) = request.into_parts();
        let key = match settings.key(&head) {
            Ok(Some(key)) => key,
            Err(problem) => {
                let answer = settings.turned_away(&head, &problem);
                return Box::pin(async { Ok(answer) });
            }
            Ok(None) => {
                let is_ignored = settings.tells_ignored && settings.keys.is_in(&head.headers);
                let body = IdempotentBody::untouched(body);
                let answer = service.call(Request::from_parts(head, body));
                return Box::pin(async move { Ok(unprotected(answer.await?, is_ignored)) });
            }
        };
        Box::pin(async move {
            let body = match read(body, settings.max_body, Patience::All).await {
                Read::Whole { bytes, .. } => bytes,
                Read::Part { why, .. } => {
                    let problem = match why {
                        Why::Broken => Problem::body_unreadable(),
                        Why::TooLong | Why::Stream => Problem::body_too_large(),
                    };
                    return Ok(settings.turned_away(&head, &problem));
                }
            };
            let running = match settings.claim(&head, &key, &body).await {
                Ok(Claimed::Run(running)) => running,
                Ok(Claimed::Replay(replayed)) => return Ok(settings.replay(&head, replayed)),
                Ok(_) => return Ok(settings.turned_away(&head, &Problem::without_body())),
                Err(problem) => return Ok(settings.turned_away(&head, &problem)),
            };
            drop(key);
            let asker = Asker::of(&head);
            let request = Request::from_parts(head, IdempotentBody::of(body));
            let detaches = settings.detaches;
            let exchange = Exchange { settings: Arc::clone(&settings), asker, running };
            let work = exchange.run(service, request);
            if !detaches {
                return work.await;
            }
            // Only a runtime that ends does not let it come to its end.
            let ended = || Ok(settings.problem(asker, &Problem::outcome_unknown()));
            detached(work).await.unwrap_or_else(ended)
        })
    }
}

/// Who asks, as far as it matters for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Http,
    Grpc,
}

impl Asker {
    fn of(head: &Parts) -> Self {
        if grpc::is_spoken(&head.headers) { Self::Grpc } else { Self::Http }
    }
}

impl<T: Store + Clone> Settings<T> {
    /// The key of a request that is to be handled once.
    fn key(&self, head: &Parts) -> Result<Option<String>, Problem> {
        if !self.methods.contains(&head.method) {
            return Ok(None);
        }
        match self.keys.read(&head.headers) {
            Ok(None) if self.is_required => Err(Problem::missing_key()),
            Ok(key) => Ok(key),
            Err(why) => Err(Problem::unclear_key(why)),
        }
    }

    async fn claim(&self, head: &Parts, key: &str, body: &[u8]) -> Result<Claimed<T>, Problem> {
        let call = self.scoped(head, |scope| {
            let print = |print| about(print, head, body, self.canonical_json);
            self.policy.call(self.store.clone(), scope, &key, print)
        });
        let call = call.map_err(|rejected| Problem::of(&rejected))?;
        call.claim().await.map_err(|rejected| Problem::of(&rejected))
    }

    fn replay<R: Body<Data = Bytes>>(
        &self,
        head: &Parts,
        replayed: Replayed,
    ) -> Response<IdempotentBody<R>> {
        match replayed {
            Replayed::Outcome(bytes) => self.stored(Asker::of(head), bytes),
            _ => self.turned_away(head, &Problem::without_body()),
        }
    }

    fn turned_away<R: Body<Data = Bytes>>(
        &self,
        head: &Parts,
        problem: &Problem,
    ) -> Response<IdempotentBody<R>> {
        self.problem(Asker::of(head), problem)
    }
}

impl<T> Settings<T> {
    /// What the layer answers itself.
    pub(super) fn problem<R: Body<Data = Bytes>>(
        &self,
        asker: Asker,
        problem: &Problem,
    ) -> Response<IdempotentBody<R>> {
        let answer = match asker {
            Asker::Http => problem.answer(&self.types),
            Asker::Grpc => problem.grpc_answer(),
        };
        answer.map(IdempotentBody::of)
    }

    /// An answer out of the store.
    pub(super) fn stored<R: Body<Data = Bytes>>(
        &self,
        asker: Asker,
        bytes: Vec<u8>,
    ) -> Response<IdempotentBody<R>> {
        let Some(mut stored) = Stored::read(bytes) else {
            return self.problem(asker, &Problem::unreadable_record());
        };
        let trailers = mem::take(&mut stored.trailers);
        let mut response = stored.replay();
        if let Some(hook) = &self.on_replay {
            hook(&mut response);
        }
        response.map(|body| IdempotentBody::of(body).trailers(trailers))
    }
}

/// The answer to a request that was let through.
fn unprotected<R: Body<Data = Bytes>>(
    answer: Response<R>,
    is_ignored: bool,
) -> Response<IdempotentBody<R>> {
    const STATUS: HeaderName = HeaderName::from_static("idempotency-status");
    let mut answer = answer.map(IdempotentBody::untouched);
    if is_ignored {
        answer.headers_mut().insert(STATUS, HeaderValue::from_static("ignored"));
    }
    answer
}
