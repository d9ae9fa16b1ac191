//! `#[retry]` beside the hand-written loop, on the happy path.
#![allow(missing_docs, reason = "the macro of criterion writes functions without")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use resilience::retry;

fn work(input: u32) -> Result<u32, u32> {
    black_box(input).checked_add(1).ok_or(input)
}

#[inline(never)]
#[retry(attempts = 4)]
fn annotated(input: u32) -> Result<u32, u32> {
    work(input)
}

#[inline(never)]
fn by_hand(input: u32) -> Result<u32, u32> {
    let mut attempt = 0;
    loop {
        match work(input) {
            Ok(value) => return Ok(value),
            Err(error) if attempt == 3 => return Err(error),
            Err(_) => attempt += 1,
        }
        std::thread::sleep(Duration::from_millis(100 << attempt));
    }
}

#[retry(attempts = 4)]
async fn annotated_async(input: u32) -> Result<u32, u32> {
    std::future::ready(work(input)).await
}

async fn by_hand_async(input: u32) -> Result<u32, u32> {
    let mut attempt = 0;
    loop {
        match std::future::ready(work(input)).await {
            Ok(value) => return Ok(value),
            Err(error) if attempt == 3 => return Err(error),
            Err(_) => attempt += 1,
        }
        tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
    }
}

/// Polls once a future that is ready at once.
fn poll<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("the happy path does not wait"),
    }
}

fn benches(criterion: &mut Criterion) {
    let mut sync = criterion.benchmark_group("retry, sync, first call succeeds");
    sync.bench_function("#[retry]", |bencher| bencher.iter(|| annotated(black_box(7))));
    sync.bench_function("by hand", |bencher| bencher.iter(|| by_hand(black_box(7))));
    sync.finish();
    let mut asynchronous = criterion.benchmark_group("retry, async, first call succeeds");
    asynchronous
        .bench_function("#[retry]", |bencher| bencher.iter(|| poll(annotated_async(black_box(7)))));
    asynchronous
        .bench_function("by hand", |bencher| bencher.iter(|| poll(by_hand_async(black_box(7)))));
    asynchronous.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
