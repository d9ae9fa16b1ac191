//! Events of a handler belong to the span of the request, also in a background task.

use std::cell::RefCell;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_default;
use tracing::{Event, Instrument, Metadata, Subscriber, info, info_span};
use tracing_core::span::Current;

use crate::{api, ask, layer, post};

#[derive(Default)]
struct Seen {
    spans: Vec<&'static Metadata<'static>>,
    entered: Vec<usize>,
    /// The span of each event.
    events: Vec<Option<&'static str>>,
}

thread_local!(static SEEN: RefCell<Seen> = RefCell::default());

/// Records the spans of this thread, and the events of this file.
struct Spans;

fn index(id: &Id) -> usize {
    usize::try_from(id.into_u64()).expect("an index") - 1
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == module_path!()
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        SEEN.with_borrow_mut(|seen| {
            seen.spans.push(span.metadata());
            Id::from_u64(seen.spans.len() as u64)
        })
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        SEEN.with_borrow_mut(|seen| {
            let span = seen.entered.last().map(|span| seen.spans[*span].name());
            seen.events.push(span);
        });
    }
    fn enter(&self, id: &Id) {
        SEEN.with_borrow_mut(|seen| seen.entered.push(index(id)));
    }
    fn exit(&self, _: &Id) {
        SEEN.with_borrow_mut(|seen| _ = seen.entered.pop());
    }
    fn current_span(&self) -> Current {
        SEEN.with_borrow(|seen| match seen.entered.last() {
            Some(span) => Current::new(Id::from_u64(*span as u64 + 1), seen.spans[*span]),
            None => Current::none(),
        })
    }
}

#[tokio::test]
async fn a_handler_runs_in_the_span_of_the_request() {
    let _guard = set_default(Spans);
    for is_detached in [true, false] {
        let (api, _) = api(layer().detach(is_detached), |_| info!("handled"));
        ask(&api, post("k")).instrument(info_span!("request")).await;
        assert_eq!(SEEN.take().events, [Some("request")], "{is_detached}");
    }
}
