//! A bulkhead that rejects no call asks for no conversion of a rejection.

use std::num::ParseIntError;
use std::time::Duration;

use resilience::{Bulkhead, Rejected, RejectedKind, bulkhead, retry, testing};
use tokio::time::{Instant, sleep};

use crate::ms;

/// The error of another crate: no conversion from a rejection.
type Library = ParseIntError;

#[tokio::test(start_paused = true)]
async fn every_call_waits_for_a_permit() {
    #[bulkhead(max = 1, wait = "unlimited")]
    async fn call(text: &str) -> Result<u32, Library> {
        sleep(ms(1000)).await;
        text.parse()
    }
    let start = Instant::now();
    let (one, two, three) = tokio::join!(call("1"), call("2"), call("3"));
    assert_eq!((one, two, three), (Ok(1), Ok(2), Ok(3)));
    assert_eq!(start.elapsed(), ms(3000));
}

/// A wait with a limit would pass at once under this clock.
#[test]
fn a_virtual_clock_does_not_end_the_wait() {
    let bulkhead = Bulkhead::new(1).wait(Duration::MAX);
    std::thread::scope(|scope| {
        let permit = bulkhead.try_acquire();
        let waiting = scope.spawn(|| {
            let _clock = testing::clock();
            let permit = bulkhead.acquire_blocking();
            permit.is_ok() && bulkhead.running() == 1
        });
        while bulkhead.queued() == 0 && !waiting.is_finished() {
            std::thread::yield_now();
        }
        drop(permit);
        assert!(waiting.join().expect("no panic"));
    });
}

#[test]
fn shadow_mode_and_a_key_need_no_conversion() {
    #[bulkhead(max = 1, shadow)]
    fn outer(text: &str) -> Result<u32, Library> {
        inner(1, text)
    }
    #[retry(attempts = 2)]
    #[bulkhead(max = 1, wait = "unlimited", key = user)]
    fn inner(user: u32, text: &str) -> Result<u32, Library> {
        text.parse::<u32>().map(|number| number + user)
    }
    assert_eq!(outer("7"), Ok(8));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_above_ends_an_unlimited_wait() {
    #[retry(attempts = 1 + 1, deadline = "10s")]
    #[bulkhead(max = 1, wait = "unlimited")]
    async fn call(time: Duration) -> Result<u32, Rejected> {
        sleep(time).await;
        Ok(7)
    }
    let start = Instant::now();
    let (first, second) = tokio::join!(call(ms(60_000)), async {
        let second = call(ms(1)).await;
        (second, start.elapsed())
    });
    assert_eq!(first, Ok(7));
    assert_eq!(second.0.map_err(|rejected| rejected.kind()), Err(RejectedKind::BulkheadFull));
    assert_eq!(second.1, ms(10_000));
}

struct Client {
    bulkhead: Bulkhead,
}

impl Client {
    #[bulkhead(bulkhead = self.bulkhead, wait = "unlimited")]
    async fn get(&self, text: &str) -> Result<u32, Library> {
        sleep(ms(1000)).await;
        text.parse()
    }

    #[bulkhead(bulkhead = self.bulkhead)]
    async fn get_now(&self) -> Result<u32, Rejected> {
        Ok(7)
    }

    #[retry(on_rejection = "wait", max_retry_after = Duration::MAX)]
    #[bulkhead(bulkhead = self.bulkhead)]
    async fn get_patiently(&self) -> Result<u32, Rejected> {
        sleep(ms(1000)).await;
        Ok(7)
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_waits_without_a_limit_for_a_bulkhead_made_by_hand() {
    let small = [Bulkhead::new(1), Bulkhead::new(1).queue(1), Bulkhead::new(1).wait(ms(10))];
    for bulkhead in small {
        let client = Client { bulkhead };
        let start = Instant::now();
        let calls = tokio::join!(client.get("1"), client.get("2"), client.get("3"));
        assert_eq!(calls, (Ok(1), Ok(2), Ok(3)));
        assert_eq!(start.elapsed(), ms(3000));
        let (call, rejected) = tokio::join!(client.get("1"), async {
            sleep(ms(1)).await;
            tokio::join!(client.get_now(), client.get_now()).1
        });
        assert!(call.is_ok() && rejected.is_err(), "the limits of another function stay");
    }
}

/// The patience of a retry is a wait with a limit: the length of the queue stays.
#[tokio::test(start_paused = true)]
async fn the_longest_patience_of_a_retry_keeps_the_length_of_the_queue() {
    let client = Client { bulkhead: Bulkhead::new(1).queue(1).wait(ms(10)) };
    let waiting = async {
        sleep(ms(1)).await;
        client.bulkhead.queued()
    };
    let second = client.get_patiently();
    let calls = tokio::join!(client.get("1"), client.get_patiently(), second, waiting);
    assert_eq!((calls.0, calls.1.is_ok(), calls.3), (Ok(1), true, 1));
}
