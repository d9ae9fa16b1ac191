//! The log events of the library, as lines.

#[path = "../../../tests/tracing/subscriber.rs"]
mod subscriber;

use std::fmt::{Debug, Write};
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event};

use self::subscriber::OnEvent;

/// Collects the events of the library, each as a line.
#[derive(Clone, Default)]
pub(crate) struct Lines(pub(crate) Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Collects the events of this thread until the guard is dropped.
    pub(crate) fn listen(&self) -> DefaultGuard {
        // Beside a single subscriber, `tracing` asks the thread that logs an event first whether the
        // event is wanted at all, and this thread may have no subscriber.
        static SECOND: LazyLock<Dispatch> =
            LazyLock::new(|| Dispatch::new(OnEvent(|_: &Event| ())));
        LazyLock::force(&SECOND);
        let Self(lines) = self.clone();
        tracing::subscriber::set_default(OnEvent(move |event: &Event<'_>| {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            lines.lock().unwrap().push(line.0);
        }))
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}
