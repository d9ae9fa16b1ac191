//! A claimed request: runs the handler, and stores the response.

use core::any::Any;
use core::future::poll_fn;
use core::time::Duration;
use std::error::Error;
use std::panic::resume_unwind;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::response::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use resilience_core::{Effect, Rejected};
use resilience_idempotency::{
    ActiveCall, Completed, Disposition, IdempotencyContext, OnUnsaved, Store,
};
use tower_service::Service;

use super::background::{catch_panic, run_in_background, timeout};
use super::body::{IdempotentBody, Read, ReadMode, Unread, read};
use super::grpc;
use super::layer::Settings;
use super::problem::Problem;
use super::record::{NotStored, StoredResponse};
use super::running::RunningRequest;
use super::store_policy::unknown_outcome;
use crate::classification::classify_chain;
use crate::protocol::Protocol;

/// A request whose key this process has claimed.
pub(super) struct ClaimedRequest<T: Store + Clone> {
    pub(super) settings: Arc<Settings<T>>,
    pub(super) protocol: Protocol,
    pub(super) call: ActiveCall<T>,
    pub(super) running: RunningRequest,
}

/// The time for repetitions of the final write behind the response, if the lease ends earlier.
const REPEAT_WRITE: Duration = Duration::from_secs(10 * 60);

/// A response of the handler, read as far as the store needs.
struct HandledResponse<R: Body> {
    response: Response<IdempotentBody<R>>,
    end: CallEnd,
}

/// The end of a call in the store.
enum CallEnd {
    /// Stores the record.
    Store(Vec<u8>),
    Release,
    Abandon,
}

impl CallEnd {
    /// Returns the end of a call without a response to store.
    fn without_response(disposition: Disposition, reason: NotStored) -> Self {
        match disposition {
            Disposition::Store => Self::Store(reason.write()),
            Disposition::Release => Self::Release,
            _ => Self::Abandon,
        }
    }
}

impl<T: Store + Clone> ClaimedRequest<T> {
    /// Waits until the service is ready. A request that is dropped meanwhile gives the key back.
    pub(super) async fn wait_for<S, R>(
        &mut self,
        service: &mut S,
    ) -> Result<Result<(), S::Error>, Rejected>
    where
        S: Service<R>,
    {
        self.call.prepare(poll_fn(|cx| service.poll_ready(cx))).await
    }

    /// Gives the key back: the handler has not run.
    pub(super) async fn release(self) {
        self.end(CallEnd::Release).await;
    }

    /// Runs the handler and records the outcome.
    ///
    /// A panic of the handler resumes after the store has recorded the end of the call.
    pub(super) async fn run<S, B, R>(
        mut self,
        mut service: S,
        request: Request<B>,
    ) -> Result<Response<IdempotentBody<R>>, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>, Error: 'static>,
        R: Body<Data = Bytes>,
    {
        let settings = Arc::clone(&self.settings);
        let is_head = request.method() == Method::HEAD;
        let body = catch_panic(async move {
            let response = service.call(request).await?;
            Ok(settings.read_response(response, is_head).await)
        });
        match self.call.run(body).await {
            Ok(Ok(Ok(handled))) => {
                let (settings, protocol) = (Arc::clone(&self.settings), self.protocol);
                match self.end(handled.end).await {
                    // The lease expired, and another call took over: every client gets the other
                    // response.
                    Some(Ok(Completed::Other(bytes))) => {
                        Ok(settings.recorded_response(protocol, bytes))
                    }
                    Some(Ok(Completed::OtherNotStored)) => {
                        Ok(settings.problem(protocol, &Problem::not_stored(NotStored::TooLong)))
                    }
                    Some(Err(rejected)) => {
                        Ok(settings.problem(protocol, &Problem::after_handler(&rejected)))
                    }
                    Some(Ok(_)) | None => Ok(handled.response),
                }
            }
            Ok(Ok(Err(error))) => {
                let has_lost_attempt = self.call.context().has_lost_attempt();
                let disposition = if is_not_applied(&error) && !has_lost_attempt {
                    Disposition::Release
                } else {
                    unknown_outcome(self.settings.on_interrupted)
                };
                self.end(CallEnd::without_response(disposition, NotStored::Broken)).await;
                Err(error)
            }
            Ok(Err(panic)) => {
                self.end(CallEnd::Abandon).await;
                resume_unwind(panic)
            }
            Err(rejected) => {
                Ok(self.settings.problem(self.protocol, &Problem::from_rejection(&rejected)))
            }
        }
    }

    /// Records the end of the call.
    ///
    /// The client waits for one operation of a silent store, and the write is then repeated in the
    /// background; the result is `None`. With [`OnUnsaved::Error`] the client waits for the last
    /// repetition.
    async fn end(self, end: CallEnd) -> Option<Result<Completed, Rejected>> {
        let Self { settings, mut call, running, .. } = self;
        let key = running.key();
        if settings.on_unsaved != OnUnsaved::Error {
            call.repeat_final_write(REPEAT_WRITE);
        }
        let write = async move {
            let written = write_end(call, end).await;
            drop(running);
            written
        };
        let write = run_in_background(write);
        if settings.on_unsaved == OnUnsaved::Error {
            return write.await;
        }
        let written = timeout(settings.store_timeout, write).await;
        if written.is_none() {
            settings.running.set_unsaved(&key);
        }
        written.flatten()
    }
}

async fn write_end<T: Store + Clone>(
    call: ActiveCall<T>,
    end: CallEnd,
) -> Result<Completed, Rejected> {
    match end {
        CallEnd::Store(record) => return call.complete(&record).await,
        CallEnd::Release => call.release().await,
        CallEnd::Abandon => call.abandon().await,
    }
    Ok(Completed::Stored)
}

impl<T> Settings<T> {
    /// Reads a response as far as the store needs.
    async fn read_response<R: Body<Data = Bytes>>(
        &self,
        response: Response<R>,
        is_head: bool,
    ) -> HandledResponse<R> {
        let (head, body) = response.into_parts();
        let disposition = self.disposition(&head, head.status, &HeaderMap::new(), &[]);
        let without_record = |head, body, reason| {
            let response = Response::from_parts(head, body);
            HandledResponse { response, end: CallEnd::without_response(disposition, reason) }
        };
        // After a 101 the connection no longer carries HTTP.
        if disposition != Disposition::Store || head.status.is_informational() {
            return without_record(head, IdempotentBody::untouched(body), NotStored::Stream);
        }
        let has_content = has_content(is_head, head.status);
        let content_length = content_length(&head.headers).filter(|_| has_content);
        match read(body, self.max_outcome, ReadMode::Sized { content_length }).await {
            Read::Partial { body, reason } => without_record(
                head,
                body,
                match reason {
                    Unread::TooLong => NotStored::TooLong,
                    Unread::Stream => NotStored::Stream,
                    Unread::Broken => NotStored::Broken,
                },
            ),
            // The server ends the connection after such a body, so no client takes a part for the
            // whole.
            Read::Whole { body, bytes, .. }
                if content_length.is_some_and(|length| length != bytes.len() as u64) =>
            {
                without_record(head, body.without_length(), NotStored::Broken)
            }
            Read::Whole { body, bytes, trailers } => {
                let status = grpc::status(&head.headers, &trailers, &bytes);
                let disposition =
                    status.map_or(disposition, |it| self.disposition(&head, it, &trailers, &bytes));
                let end = match disposition {
                    Disposition::Store => {
                        let stored = StoredResponse {
                            status: head.status,
                            headers: self.stored_headers.select(&head.headers),
                            body: bytes,
                            trailers: self.stored_headers.select_trailers(&head.headers, &trailers),
                        };
                        CallEnd::Store(stored.write())
                    }
                    other => CallEnd::without_response(other, NotStored::Stream),
                };
                HandledResponse { response: Response::from_parts(head, body), end }
            }
        }
    }

    fn disposition(
        &self,
        head: &Parts,
        status: StatusCode,
        trailers: &HeaderMap,
        body: &[u8],
    ) -> Disposition {
        let effect = head.extensions.get::<Effect>().copied();
        let is_stated = effect.is_some() && head.extensions.get::<Rejected>().is_none();
        let call = IdempotencyContext::current();
        let effect = if !is_stated && call.is_some_and(|call| call.has_lost_attempt()) {
            // The last attempt of a retry was not sent, and an earlier attempt may be applied.
            Some(Effect::Unknown)
        } else {
            effect.or_else(|| grpc::effect(&head.headers, trailers, body))
        };
        let delays = [RETRY_AFTER, HeaderName::from_static("retry-after-ms")];
        let has_retry_delay = delays.iter().any(|name| head.headers.contains_key(name));
        self.store_policy.disposition(status, effect, has_retry_delay, self.on_interrupted)
    }
}

/// Returns whether the body of a response has the length of the `Content-Length` header. The header
/// of a response to a HEAD request, and of a 304, describes the response to a GET request.
fn has_content(is_head: bool, status: StatusCode) -> bool {
    !is_head && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Returns whether an error of the service proves that the handler has not run: the error of an
/// inner layer, such as `load_shed` or a bulkhead, or of a client whose connection failed. The
/// layers of `tower` box their errors.
fn is_not_applied<E: 'static>(error: &E) -> bool {
    let error = (error as &dyn Any).downcast_ref::<Box<dyn Error + Send + Sync>>();
    error.is_some_and(|error| classify_chain(&**error).effect.is_not_applied())
}

/// Returns the length of the body from the headers.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).map(HeaderValue::to_str)?.ok()?.parse().ok()
}
