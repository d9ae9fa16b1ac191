//! A second attempt after 50 ms. The first attempt answers before, at its first or at its second
//! poll.

use std::future::poll_fn;
use std::mem::replace;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use layered::{Execute, Service as _, Stack as _};
use resilience::hedge;
use seatbelt::hedging::Hedging;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tower::{Layer as _, Service, ServiceExt as _};
use tower_resilience_hedge::HedgeLayer;

use crate::{Result, Row, poll, repeat, runtime, with_timer, work, work_async};

const AFTER: Duration = Duration::from_millis(50);

const NAME: &str = "hedge, the first attempt is ready at once";

pub(crate) const READY: &[Row] = &[
    Row {
        name: NAME,
        subject: "by hand: `tokio::select!`",
        run: |calls| with_timer(calls, |input| by_hand(input, work_async)),
    },
    Row { name: NAME, subject: "resilience `#[hedge]`", run: |calls| with_timer(calls, ours) },
    Row { name: NAME, subject: "seatbelt", run: |calls| seatbelt(calls, work_async) },
    Row { name: NAME, subject: "tower-resilience", run: |calls| tower(calls, work_async) },
];

const NAME_WAITING: &str = "hedge, the first attempt waits once";

pub(crate) const WAITING: &[Row] = &[
    Row {
        name: NAME_WAITING,
        subject: "by hand: `tokio::select!`",
        run: |calls| with_timer(calls, |input| by_hand(input, work_waiting)),
    },
    Row {
        name: NAME_WAITING,
        subject: "resilience `#[hedge]`",
        run: |calls| with_timer(calls, ours_waiting),
    },
    Row { name: NAME_WAITING, subject: "seatbelt", run: |calls| seatbelt(calls, work_waiting) },
    Row {
        name: NAME_WAITING,
        subject: "tower-resilience",
        run: |calls| tower(calls, work_waiting),
    },
];

/// Suspends once, and wakes the caller at once.
async fn work_waiting(input: u32) -> Result<u32> {
    let mut is_polled = false;
    poll_fn(|context| {
        if replace(&mut is_polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    work(input)
}

async fn by_hand<F: Future<Output = Result<u32>>>(input: u32, work: fn(u32) -> F) -> Result<u32> {
    let mut first = pin!(work(input));
    tokio::select! {
        biased;
        outcome = &mut first => return outcome,
        () = tokio::time::sleep(AFTER) => {}
    }
    tokio::select! {
        biased;
        outcome = first => outcome,
        outcome = work(input) => outcome,
    }
}

#[hedge(after = "50ms", idempotent)]
async fn ours(input: u32) -> Result<u32> {
    work_async(input).await
}

#[hedge(after = "50ms", idempotent)]
async fn ours_waiting(input: u32) -> Result<u32> {
    work_waiting(input).await
}

fn seatbelt<F>(calls: u64, work: fn(u32) -> F)
where
    F: Future<Output = Result<u32>> + Send + 'static,
{
    let runtime = runtime();
    let clock = runtime.block_on(async { tick::Clock::new_tokio() });
    let context = ResilienceContext::<u32, Result<u32>>::new(&clock);
    let layer = Hedging::layer("hedge", &context)
        .clone_input()
        .recovery_with(|result: &Result<u32>, _| match result {
            Ok(_) => RecoveryInfo::never(),
            Err(_) => RecoveryInfo::retry(),
        })
        .hedging_delay(AFTER);
    let service = (layer, Execute::new(work)).into_service();
    let _context = runtime.enter();
    repeat(calls, |input| poll(service.execute(input)));
}

/// A single service without clones beside those of the crate itself.
fn tower<F>(calls: u64, work: fn(u32) -> F)
where
    F: Future<Output = Result<u32>> + Send + 'static,
{
    let runtime = runtime();
    let _context = runtime.enter();
    let mut service = HedgeLayer::new(AFTER).layer(tower::service_fn(work));
    repeat(calls, |input| poll(async { service.ready().await?.call(input).await }));
}
