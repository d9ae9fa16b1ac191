//! What an annotation costs in memory: nothing on the happy path, and little in the future.
#![allow(clippy::print_stdout, reason = "the sizes are worth reading")]

use std::time::Duration;

use allocation_counter::measure;
use resilience::{retry, testing};

#[retry(attempts = 4, deadline = "30s")]
fn sync(fail: &mut u32) -> Result<u32, u32> {
    if *fail > 0 {
        *fail -= 1;
        return Err(*fail);
    }
    Ok(7)
}

#[retry(attempts = 4)]
async fn asynchronous(fail: &mut u32) -> Result<u32, u32> {
    std::future::ready(()).await;
    if *fail > 0 {
        *fail -= 1;
        return Err(*fail);
    }
    Ok(7)
}

#[test]
fn the_happy_path_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let counted = measure(|| assert_eq!(sync(&mut 0), Ok(7)));
    assert_eq!(counted.count_total, 0);
    runtime.block_on(async {
        let mut failures = 0;
        let mut future = std::pin::pin!(asynchronous(&mut failures));
        let counted = measure(|| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_ready());
        });
        assert_eq!(counted.count_total, 0);
    });
}

#[test]
fn a_retry_allocates_nothing_of_ours() {
    let _guard = testing::no_waits();
    assert_eq!(sync(&mut 3), Ok(7), "warm");
    let counted = measure(|| assert_eq!(sync(&mut 3), Ok(7)));
    assert_eq!(counted.count_total, 0);
}

#[test]
fn memory_is_constant_over_a_million_calls() {
    let _guard = testing::no_waits();
    assert_eq!(sync(&mut 3), Ok(7), "warm");
    let counted = measure(|| {
        for call in 0..1_000_000_u32 {
            assert!(sync(&mut (call % 5)).is_ok() || call % 5 == 4);
        }
    });
    assert_eq!(counted.bytes_current, 0);
    assert_eq!(counted.bytes_max, 0);
}

/// The loop that people write by hand.
macro_rules! by_hand {
    ($body:expr) => {{
        let mut attempt = 0;
        loop {
            let result: Result<u32, u32> = async { $body }.await;
            attempt += 1;
            match result {
                Ok(value) => return Ok(value),
                Err(error) if attempt >= 4 => return Err(error),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(100 * attempt)).await;
        }
    }};
}

async fn work(buffer: &mut [u8]) {
    tokio::task::yield_now().await;
    buffer[0] += 1;
}

#[test]
fn the_future_is_at_most_32_bytes_larger_than_the_hand_written_loop() {
    async fn small_by_hand() -> Result<u32, u32> {
        by_hand!({
            tokio::task::yield_now().await;
            Err(1)
        })
    }
    #[retry(attempts = 4)]
    async fn small() -> Result<u32, u32> {
        tokio::task::yield_now().await;
        Err(1)
    }
    async fn large_by_hand(id: u32) -> Result<u32, u32> {
        by_hand!({
            let mut buffer = [0; 256];
            work(&mut buffer).await;
            Err(id + u32::from(buffer[0]))
        })
    }
    #[retry(attempts = 4)]
    async fn large(id: u32) -> Result<u32, u32> {
        let mut buffer = [0; 256];
        work(&mut buffer).await;
        Err(id + u32::from(buffer[0]))
    }
    #[retry(attempts = 4, deadline = "30s", jitter = "decorrelated", on = |_| true)]
    async fn every_key(id: u32) -> Result<u32, u32> {
        let mut buffer = [0; 256];
        work(&mut buffer).await;
        Err(id + u32::from(buffer[0]))
    }
    let small = (size_of_val(&small()), size_of_val(&small_by_hand()));
    let large_sizes = (size_of_val(&large(1)), size_of_val(&large_by_hand(1)));
    let every = (size_of_val(&every_key(1)), large_sizes.1);
    for (name, (ours, by_hand)) in
        [("small", small), ("256 bytes", large_sizes), ("every key", every)]
    {
        println!("{name}: {ours} bytes, by hand {by_hand}");
        assert!(ours <= by_hand + 32, "{name}: {ours} bytes, by hand {by_hand}");
    }
}
