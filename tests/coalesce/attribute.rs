//! The attribute: shapes of functions and other attributes.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::*;
use resilience::{RejectedKind, circuit_breaker, coalesce, fallback, retry, timeout};

fn both<T>(one: impl Future<Output = T>, two: impl Future<Output = T>) -> (T, T) {
    futures::executor::block_on(async { futures::join!(one, two) })
}

const fn sends<T: Send>(future: T) -> T {
    future
}

#[coalesce(key = id.as_str())]
async fn owned(id: String, calls: &AtomicU32) -> Option<String> {
    calls.fetch_add(1, SeqCst);
    tokio::task::yield_now().await;
    Some(id)
}

#[coalesce(key = text)]
async fn borrowed(text: &str, list: &[u32], calls: &AtomicU32) -> Result<usize, Failure> {
    calls.fetch_add(1, SeqCst);
    tokio::task::yield_now().await;
    let sum: u32 = list.iter().sum();
    if sum > 99 {
        Err(Failure::Down)?;
    }
    Ok(text.len())
}

#[coalesce(key = 1)]
async fn impl_trait(
    items: impl Iterator<Item = u32> + Send,
    calls: &AtomicU32,
) -> Result<Vec<u32>, Failure> {
    calls.fetch_add(1, SeqCst);
    tokio::task::yield_now().await;
    Ok(items.collect())
}

#[async_trait::async_trait]
trait Store {
    async fn get(&self, id: u32) -> Outcome;
}

#[derive(Default)]
struct Memory {
    calls: AtomicU32,
    name: &'static str,
}

#[async_trait::async_trait]
impl Store for Memory {
    #[coalesce(key = (self.name, id))]
    async fn get(&self, id: u32) -> Outcome {
        self.calls.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        Ok(format!("{} {id}", self.name))
    }
}

#[test]
fn shapes_of_functions_share_executions() {
    let calls = AtomicU32::new(0);
    let id = || "seven".to_owned();
    let out = both(sends(owned(id(), &calls)), sends(owned(id(), &calls)));
    assert_eq!((out, calls.swap(0, SeqCst)), ((Some(id()), Some(id())), 1));
    let list = [1, 2];
    let out = both(borrowed("abc", &list, &calls), sends(borrowed("abc", &list, &calls)));
    assert_eq!((out, calls.swap(0, SeqCst)), ((Ok(3), Ok(3)), 1));
    let out = both(impl_trait(1..3, &calls), impl_trait(1..3, &calls));
    assert_eq!((out, calls.swap(0, SeqCst)), ((Ok(vec![1, 2]), Ok(vec![1, 2])), 1));
    let memory = Memory { name: "m", ..Memory::default() };
    assert_eq!(both(memory.get(7), memory.get(7)), (ok("m 7"), ok("m 7")));
    assert_eq!(memory.calls.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_bounds_the_wait_of_each_call() {
    #[timeout("1s")]
    #[coalesce(key = ())]
    async fn slow(calls: &AtomicU32, time: Duration) -> Outcome {
        calls.fetch_add(1, SeqCst);
        tokio::time::sleep(time).await;
        ok("slow")
    }
    let calls = AtomicU32::new(0);
    let long = Duration::from_secs(60);
    let follower = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // Takes over when the leader times out, with a body that ends in time.
        slow(&calls, Duration::from_millis(100)).await
    };
    let (leader, follower) = tokio::join!(slow(&calls, long), follower);
    let Err(Failure::Rejected(rejected)) = leader else { panic!("{leader:?}") };
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_eq!((follower, calls.load(SeqCst)), (ok("slow"), 2));
}

#[tokio::test(start_paused = true)]
async fn one_execution_is_retried_once_for_all_callers() {
    #[fallback(value = "from the fallback".to_owned())]
    #[coalesce(key = id)]
    #[retry(attempts = 3, base_delay = "1s")]
    #[circuit_breaker(failure_threshold = 9)]
    async fn load(id: u32, calls: &AtomicU32) -> Outcome {
        let call = calls.fetch_add(1, SeqCst);
        if call < 2 { Err(Failure::Down) } else { Ok(format!("user {id}")) }
    }
    let calls = AtomicU32::new(0);
    let all = futures::future::join_all((0..50).map(|_| load(7, &calls))).await;
    assert!(all.into_iter().all(|out| out == ok("user 7")));
    assert_eq!(calls.load(SeqCst), 3);
}

#[test]
fn a_retry_above_repeats_a_shared_failure_in_the_next_execution() {
    #[retry(attempts = 2, base_delay = "1ms")]
    #[coalesce(key = ())]
    async fn flaky(calls: &AtomicU32) -> Outcome {
        let call = calls.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        if call == 0 { Err(Failure::Down) } else { ok("works") }
    }
    let _no_waits = resilience::testing::no_waits();
    let calls = AtomicU32::new(0);
    assert_eq!(both(flaky(&calls), flaky(&calls)), (ok("works"), ok("works")));
    assert!(calls.load(SeqCst) >= 2);
}

#[test]
fn the_key_is_evaluated_once_and_before_the_body() {
    let evaluated = AtomicU32::new(0);
    #[coalesce(key = { evaluated.fetch_add(1, SeqCst); id.len() })]
    fn consumes(id: String, evaluated: &AtomicU32) -> Option<String> {
        assert_eq!(evaluated.load(SeqCst), 1);
        Some(id)
    }
    assert_eq!(consumes("abc".into(), &evaluated).as_deref(), Some("abc"));
    assert_eq!(evaluated.load(SeqCst), 1);
}

#[test]
fn outcomes_may_have_borrows_for_the_whole_program() {
    #[coalesce(key = id)]
    fn names(id: u32) -> Option<(&'static str, std::borrow::Cow<'static, str>, u32)> {
        Some(("a", "b".into(), id))
    }
    assert_eq!(names(7), Some(("a", "b".into(), 7)));
}
