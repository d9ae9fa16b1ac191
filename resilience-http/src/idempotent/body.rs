//! ReplayWith that are read ahead as far as they may be, and passed on as they came.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// A body under an [`IdempotencyLayer`](crate::IdempotencyLayer): what was read ahead of another body, and the
/// rest of it. Also a stored body, and that of an answer of the layer's own.
pub struct IdempotentBody<B: Body> {
    read: VecDeque<Result<Frame<B::Data>, B::Error>>,
    rest: Option<Pin<Box<B>>>,
}

impl<B: Body<Data = Bytes>> IdempotentBody<B> {
    /// A body of which nothing was read.
    pub(super) fn untouched(body: B) -> Self {
        Self { read: VecDeque::new(), rest: Some(Box::pin(body)) }
    }

    /// A body of these bytes.
    pub(super) fn of(bytes: Bytes) -> Self {
        let read = if bytes.is_empty() { None } else { Some(Ok(Frame::data(bytes))) };
        Self { read: read.into_iter().collect(), rest: None }
    }

    /// Adds trailers.
    pub(super) fn trailers(mut self, trailers: HeaderMap) -> Self {
        if !trailers.is_empty() {
            self.read.push_back(Ok(Frame::trailers(trailers)));
        }
        self
    }
}

/// What reading ahead has come to.
pub(super) enum Read<B: Body> {
    /// The body has ended.
    Whole { body: IdempotentBody<B>, bytes: Bytes, trailers: HeaderMap },
    /// It has not, or not well: longer than what may be read, a stream, or broken.
    Part { body: IdempotentBody<B>, why: Why },
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    TooLong,
    /// There is more to come, nobody knows when.
    Stream,
    Broken,
}

/// Which bodies are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Every one.
    All,
    /// One that says how long it is. Of another, which may be a stream, only what is there already is read.
    Sized,
}

/// Reads a body of at most `most` bytes.
pub(super) async fn read<B: Body<Data = Bytes>>(
    body: B,
    most: usize,
    patience: Patience,
) -> Read<B> {
    let hint = body.size_hint();
    let mut all = IdempotentBody::untouched(body);
    if hint.lower() > most as u64 {
        return Read::Part { body: all, why: Why::TooLong };
    }
    let waits = patience == Patience::All || hint.exact().is_some();
    let (mut parts, mut length, mut trailers) = (Vec::new(), 0_usize, HeaderMap::new());
    loop {
        let why = match all.read_on(waits).await {
            Step::Frame(None) => return Read::Whole { body: all, bytes: joined(parts), trailers },
            Step::Frame(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    length = length.saturating_add(data.len());
                    parts.push(data.clone());
                } else if let Some(more) = frame.trailers_ref() {
                    trailers.extend(more.clone());
                }
                all.read.push_back(Ok(frame));
                if length <= most {
                    continue;
                }
                Why::TooLong
            }
            Step::Frame(Some(Err(error))) => {
                all.read.push_back(Err(error));
                all.rest = None;
                Why::Broken
            }
            Step::Later => Why::Stream,
        };
        return Read::Part { body: all, why };
    }
}

enum Step<B: Body> {
    Frame(Option<Result<Frame<B::Data>, B::Error>>),
    Later,
}

impl<B: Body<Data = Bytes>> IdempotentBody<B> {
    /// The next frame of the rest; none where it has ended.
    async fn read_on(&mut self, waits: bool) -> Step<B> {
        let Some(rest) = &mut self.rest else { return Step::Frame(None) };
        let frame = poll_fn(|cx| match rest.as_mut().poll_frame(cx) {
            Poll::Pending if !waits => Poll::Ready(Step::Later),
            frame => frame.map(Step::Frame),
        });
        let step = frame.await;
        if matches!(step, Step::Frame(None)) {
            self.rest = None;
        }
        step
    }
}

fn joined(parts: Vec<Bytes>) -> Bytes {
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
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// Without what it says, which is the user's.
impl<B: Body> fmt::Debug for IdempotentBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotentBody").finish_non_exhaustive()
    }
}

/// What was read ahead is not pinned, and the rest is where it is.
impl<B: Body> Unpin for IdempotentBody<B> {}
