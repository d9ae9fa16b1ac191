//! Bodies that are read ahead, and passed on unchanged.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// A body under an [`IdempotencyLayer`](crate::IdempotencyLayer).
///
/// The body consists of frames read ahead and the rest of an inner body. Replayed bodies and the
/// bodies of problems have this type as well.
pub struct IdempotentBody<B: Body> {
    read: VecDeque<Result<Frame<B::Data>, B::Error>>,
    rest: Option<Pin<Box<B>>>,
}

impl<B: Body<Data = Bytes>> IdempotentBody<B> {
    /// Wraps a body without reading.
    pub(super) fn untouched(body: B) -> Self {
        Self { read: VecDeque::new(), rest: Some(Box::pin(body)) }
    }

    /// Creates a body of these bytes.
    pub(super) fn whole(bytes: Bytes) -> Self {
        let read = if bytes.is_empty() { None } else { Some(Ok(Frame::data(bytes))) };
        Self { read: read.into_iter().collect(), rest: None }
    }

    /// Adds trailers.
    pub(super) fn with_trailers(mut self, trailers: HeaderMap) -> Self {
        if !trailers.is_empty() {
            self.read.push_back(Ok(Frame::trailers(trailers)));
        }
        self
    }
}

/// The result of reading ahead.
pub(super) enum Read<B: Body> {
    /// The body has ended.
    Whole { body: IdempotentBody<B>, bytes: Bytes, trailers: HeaderMap },
    /// The body is too long, a stream, or broken.
    Partial { body: IdempotentBody<B>, reason: Unread },
}

/// The reason why a body was not read to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLong,
    /// More frames come at an unknown time.
    Stream,
    Broken,
}

/// The bodies that are worth waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadMode {
    /// Every body.
    All,
    /// A body of known length, from the body itself or from `Content-Length`. Of any other body,
    /// which may be a stream, only the available frames are read.
    Sized { content_length: Option<u64> },
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read<B: Body<Data = Bytes>>(body: B, limit: usize, mode: ReadMode) -> Read<B> {
    let hint = body.size_hint();
    let mut all = IdempotentBody::untouched(body);
    let (waits, content_length) = match mode {
        ReadMode::All => (true, None),
        ReadMode::Sized { content_length } => {
            (hint.exact().or(content_length).is_some(), content_length)
        }
    };
    if hint.lower().max(content_length.unwrap_or(0)) > limit as u64 {
        return Read::Partial { body: all, reason: Unread::TooLong };
    }
    let (mut parts, mut length, mut trailers) = (Vec::new(), 0_usize, HeaderMap::new());
    loop {
        let reason = match all.next_frame(waits).await {
            Step::Frame(None) => {
                return Read::Whole { body: all, bytes: concatenate(parts), trailers };
            }
            Step::Frame(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    length = length.saturating_add(data.len());
                    parts.push(data.clone());
                } else if let Some(more) = frame.trailers_ref() {
                    trailers.extend(more.clone());
                }
                all.read.push_back(Ok(frame));
                if length <= limit {
                    continue;
                }
                Unread::TooLong
            }
            Step::Frame(Some(Err(error))) => {
                all.read.push_back(Err(error));
                all.rest = None;
                Unread::Broken
            }
            Step::Pending => Unread::Stream,
        };
        return Read::Partial { body: all, reason };
    }
}

enum Step<B: Body> {
    Frame(Option<Result<Frame<B::Data>, B::Error>>),
    Pending,
}

impl<B: Body<Data = Bytes>> IdempotentBody<B> {
    /// Returns the next frame of the inner body, or `None` at the end.
    async fn next_frame(&mut self, waits: bool) -> Step<B> {
        let Some(rest) = &mut self.rest else { return Step::Frame(None) };
        let frame = poll_fn(|cx| match rest.as_mut().poll_frame(cx) {
            Poll::Pending if !waits => Poll::Ready(Step::Pending),
            frame => frame.map(Step::Frame),
        });
        let step = frame.await;
        if matches!(step, Step::Frame(None)) {
            self.rest = None;
        }
        step
    }
}

fn concatenate(parts: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(parts) {
        Ok([all]) => all,
        Err(parts) => parts.concat().into(),
    }
}

impl<B: Body<Data = Bytes>> Body for IdempotentBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(frame) = self.read.pop_front() {
            return Poll::Ready(Some(frame));
        }
        match &mut self.rest {
            Some(rest) => rest.as_mut().poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.iter().flatten().filter_map(Frame::data_ref);
        let read = read.fold(0_u64, |sum, data| sum.saturating_add(data.len() as u64));
        let rest = self.rest.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        // HTTP/1.1 sends trailers only after a chunked body, which is a body of unknown length.
        let has_trailers = self.read.iter().flatten().any(Frame::is_trailers);
        if let Some(upper) = rest.upper().filter(|_| !has_trailers) {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// Omits the content, which can be private.
impl<B: Body> fmt::Debug for IdempotentBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotentBody").finish_non_exhaustive()
    }
}

/// The frames need no pinning, and the inner body is in a pinned box.
impl<B: Body> Unpin for IdempotentBody<B> {}
