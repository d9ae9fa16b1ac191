//! Every order of the ends of two attempts, and the outcome that the layers above see.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use resilience::{Bulkhead, Effect, FailureClass, RetryBudget, StopReason, bulkhead, hedge, retry};

use crate::sleep;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Success,
    Transient,
    /// A transient failure before the request was sent.
    NotSent,
    Permanent,
    /// By a layer below the hedge.
    Rejected,
}

const ENDS: [End; 5] = [End::Success, End::Transient, End::NotSent, End::Permanent, End::Rejected];

impl End {
    fn class(self) -> FailureClass {
        match self {
            Self::Permanent => FailureClass::permanent(),
            Self::NotSent => FailureClass::transient().effect(Effect::NotSent),
            _ => FailureClass::transient(),
        }
    }

    fn is_transient(self) -> bool {
        matches!(self, Self::Transient | Self::NotSent)
    }
}

/// The end of an attempt, and the time from its start, in milliseconds.
type Script = (u64, End);

struct World {
    scripts: [Script; 2],
    attempts: Cell<usize>,
    reason: RefCell<Option<StopReason>>,
}

impl World {
    fn new(scripts: [Script; 2]) -> Self {
        Self { scripts, attempts: Cell::new(0), reason: RefCell::default() }
    }

    /// Returns the limit of the next attempt: a full limit that rejects after a wait, or a free
    /// limit.
    fn limit(&self) -> Arc<Bulkhead> {
        let attempt = self.attempts.replace(self.attempts.get() + 1);
        let Some((time, End::Rejected)) = self.scripts.get(attempt) else {
            return Arc::new(Bulkhead::new(1));
        };
        let full = Arc::new(Bulkhead::new(1).queue(1).wait(Duration::from_millis(*time)));
        std::mem::forget(Arc::clone(&full).try_acquire_owned());
        full
    }
}

static BUDGET: RetryBudget = RetryBudget::ratio(1.0).capacity(1000);

// The error says nothing about a rejection, so only the signal does.
#[retry(
    attempts = 2,
    base_delay = "1ms",
    budget = &BUDGET,
    on = |end: &End| end.class(),
    on_give_up = |event| *world.reason.borrow_mut() = Some(event.reason),
)]
#[hedge(after = "10ms", idempotent, on = |end: &End| end.class())]
#[bulkhead(bulkhead = world.limit(), error = |_| End::Rejected)]
async fn call(world: &World) -> Result<usize, End> {
    let attempt = world.attempts.get() - 1;
    let (time, end) = world.scripts.get(attempt).copied().unwrap_or((0, End::Success));
    sleep(time).await;
    if end == End::Success { Ok(attempt) } else { Err(end) }
}

/// The outcome of the hedge, by a model of the rules.
fn model([first, second]: [Script; 2]) -> (End, Option<usize>) {
    let decides = |end| matches!(end, End::Success | End::Permanent);
    let (hedge_starts, early) = if first.0 < 10 {
        if !first.1.is_transient() {
            return (first.1, (first.1 == End::Success).then_some(0));
        }
        (first.0, true)
    } else {
        (10, false)
    };
    let ends = [(first.0, first.1, 0), (hedge_starts + second.0, second.1, 1)];
    let mut ordered = ends;
    if !early && ends[1].0 < ends[0].0 {
        ordered.swap(0, 1);
    }
    if let Some((_, end, attempt)) = ordered.into_iter().find(|(_, end, _)| decides(*end)) {
        return (end, (end == End::Success).then_some(attempt));
    }
    let failed = ends.iter().any(|(_, end, _)| end.is_transient());
    (if failed { End::Transient } else { End::Rejected }, None)
}

/// The times are apart, so no two attempts end at once.
#[tokio::test(start_paused = true)]
async fn every_order_of_two_ends_reaches_the_retry_above() {
    let mut schedules = 0;
    for first in [5, 15, 25, 45].into_iter().flat_map(|time| ENDS.map(|end| (time, end))) {
        for second in [2, 8, 22, 44].into_iter().flat_map(|time| ENDS.map(|end| (time, end))) {
            let scripts = [first, second];
            let world = World::new(scripts);
            let result = call(&world).await;
            let reason = *world.reason.borrow();
            let (expected, expected_reason) = match model(scripts) {
                (End::Success, attempt) => (attempt.ok_or(End::Success), None),
                // The retry runs the body again: the next attempt succeeds.
                (End::Transient | End::NotSent, _) => (Ok(2), None),
                (End::Permanent, _) => (Err(End::Permanent), Some(StopReason::Permanent)),
                (End::Rejected, _) => (Err(End::Rejected), Some(StopReason::Rejected)),
            };
            assert_eq!((result, reason), (expected, expected_reason), "{scripts:?}");
            schedules += 1;
        }
    }
    assert_eq!(schedules, 400);
}
