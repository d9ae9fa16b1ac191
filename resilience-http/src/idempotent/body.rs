//! Bodies that are read ahead, and passed on unchanged.

use core::fmt;
use core::future::poll_fn;
use core::mem;
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
    /// Whether the frames say nothing about the length.
    is_length_unknown: bool,
}

impl<B: Body<Data = Bytes>> IdempotentBody<B> {
    /// Wraps a body without reading.
    pub(super) fn untouched(body: B) -> Self {
        Self { read: VecDeque::new(), rest: Some(Box::pin(body)), is_length_unknown: false }
    }

    /// Creates a body of these bytes.
    pub(super) fn whole(bytes: Bytes) -> Self {
        let read = if bytes.is_empty() { None } else { Some(Ok(Frame::data(bytes))) };
        Self { read: read.into_iter().collect(), rest: None, is_length_unknown: false }
    }

    /// Hides the length, which contradicts the `Content-Length` header. A server then compares the
    /// frames with the header.
    pub(super) fn without_length(mut self) -> Self {
        self.is_length_unknown = true;
        self
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
    let (mut data, mut trailers) = (Prefix::default(), HeaderMap::new());
    loop {
        let (error, reason) = match all.next_frame(waits).await {
            Step::Frame(None) => {
                let bytes = data.into_bytes();
                let body = IdempotentBody::whole(bytes.clone()).with_trailers(trailers.clone());
                return Read::Whole { body, bytes, trailers };
            }
            Step::Frame(Some(Ok(frame))) => {
                match frame.into_data() {
                    Ok(part) => data.push(part),
                    Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
                }
                if data.len() <= limit {
                    continue;
                }
                (None, Unread::TooLong)
            }
            Step::Frame(Some(Err(error))) => {
                all.rest = None;
                (Some(error), Unread::Broken)
            }
            Step::Pending => (None, Unread::Stream),
        };
        let mut body = IdempotentBody::whole(data.into_bytes()).with_trailers(trailers);
        body.read.extend(error.map(Err));
        body.rest = all.rest;
        return Read::Partial { body, reason };
    }
}

/// The data read ahead, without a copy for a single frame. A client can send a frame for each byte,
/// and a list of frames would need a hundred times the memory of the body.
#[derive(Default)]
struct Prefix {
    first: Bytes,
    /// The joined data, if there are several frames.
    joined: Vec<u8>,
}

impl Prefix {
    fn len(&self) -> usize {
        self.first.len().max(self.joined.len())
    }

    fn push(&mut self, part: Bytes) {
        if self.len() == 0 {
            self.first = part;
            return;
        }
        self.joined.extend(mem::take(&mut self.first));
        self.joined.extend(part);
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.into() }
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
        if let Some(rest) = &mut self.rest {
            return rest.as_mut().poll_frame(cx);
        }
        self.is_length_unknown = false;
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        let is_read = self.read.is_empty() && !self.is_length_unknown;
        is_read && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.iter().flatten().filter_map(Frame::data_ref);
        let read = read.fold(0_u64, |sum, data| sum.saturating_add(data.len() as u64));
        let rest = self.rest.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        if self.is_length_unknown {
            return hint;
        }
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
