//! Types and constants that generated code repeats.

use std::fmt::Display;
use std::future::ready;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::BoxFuture;
use resilience::{Jitter, circuit_breaker, retry, testing, timeout};

use super::call;

macro_rules! texts {
    ($name:ident -> $ty:ty: $value:expr) => {
        #[retry]
        fn $name(calls: &mut u32) -> Result<$ty, String> {
            call(calls, 3)?;
            Ok($value)
        }
    };
}

// Generated code cannot name an `impl Trait`.
texts!(in_a_tuple -> (impl Display, u32): ("a", 1));
texts!(in_an_array -> [impl Display; 1]: ["a"]);
texts!(in_a_list -> Box<[impl Display]>: Box::from(["a"]));
texts!(a_future_inside -> BoxFuture<'static, u32>: Box::pin(ready(7)));

#[retry]
#[allow(unused_parens, reason = "the type in parentheses is the subject")]
fn behind_a_reference<'a>(text: &'a &'static str) -> Option<&'a (impl Display + Sync)> {
    Some(text)
}

#[test]
fn types_without_a_name_are_returned() {
    let _guard = testing::no_waits();
    assert_eq!(in_a_tuple(&mut 0).expect("a value").0.to_string(), "a");
    assert_eq!(in_an_array(&mut 0).expect("a value")[0].to_string(), "a");
    assert_eq!(in_a_list(&mut 0).expect("a value")[0].to_string(), "a");
    assert_eq!(behind_a_reference(&"a").expect("a value").to_string(), "a");
    assert_eq!(block_on(a_future_inside(&mut 0).expect("a future")), 7);
}

const SECOND: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_millis(50);

#[retry(attempts = {
    let first = 1;
    first + 2
})]
fn statements(calls: &mut u32) -> Result<u32, String> {
    call(calls, 3)
}

#[retry(attempts = 3u32)]
fn suffix(calls: &mut u32) -> Result<u32, String> {
    call(calls, 3)
}

#[retry(attempts = ATTEMPTS, max_delay = SECOND, base_delay = Duration::from_millis(MILLIS))]
fn parameters<const ATTEMPTS: u32, const MILLIS: u64>(calls: &mut u32) -> Result<u32, String> {
    call(calls, 3)
}

struct Client<const N: u32>;

impl<const N: u32> Client<N> {
    const JITTER: Jitter = Jitter::Full;

    #[retry(attempts = N)]
    fn parameter_of_the_type(calls: &mut u32) -> Result<u32, String> {
        call(calls, 3)
    }

    #[retry(jitter = Self::JITTER)]
    fn constant_of_the_type(calls: &mut u32) -> Result<u32, String> {
        call(calls, 3)
    }
}

#[circuit_breaker(failure_threshold = 2, window = 10u32)]
fn window() -> Option<u32> {
    None
}

// Full jitter may draw a delay shorter than the limit.
#[timeout("50ms", error = |rejected| rejected.to_string())]
#[retry]
async fn default_delay_above_the_limit(calls: &mut u32) -> Result<u32, String> {
    call(calls, 3)
}

#[timeout("50ms", error = |rejected| rejected.to_string())]
#[retry(base_delay = SECOND)]
async fn constant_delay_above_the_limit(calls: &mut u32) -> Result<u32, String> {
    call(calls, 3)
}

#[retry(backoff = move |_| delays.iter().sum::<Duration>())]
fn moved_backoff(delays: Vec<Duration>, calls: &mut u32) -> Result<u32, String> {
    call(calls, 3)
}

#[test]
fn constants_of_every_form_are_read() {
    let _guard = testing::no_waits();
    assert_eq!(statements(&mut 0), Ok(3));
    assert_eq!(suffix(&mut 0), Ok(3));
    assert_eq!(window(), None);
    assert_eq!(parameters::<3, 5>(&mut 0), Ok(3));
    assert_eq!(Client::<3>::parameter_of_the_type(&mut 0), Ok(3));
    assert_eq!(Client::<3>::constant_of_the_type(&mut 0), Ok(3));
    assert_eq!(block_on(default_delay_above_the_limit(&mut 2)), Ok(3));
    assert_eq!(block_on(constant_delay_above_the_limit(&mut 2)), Ok(3));
    assert_eq!(moved_backoff(vec![SHORT], &mut 0), Ok(3));
}

// The names of locals in the expansion of `#[async_trait]`.
#[retry]
async fn local_of_async_trait(calls: &mut u32) -> Result<u32, String> {
    let __ret: u32 = { call(calls, 3)? };
    Ok(__ret)
}

#[retry]
fn sync_local_of_async_trait(calls: &mut u32) -> Result<u32, String> {
    let __ret: u32 = { call(calls, 3)? };
    Ok(__ret)
}

struct Counter(u32);

impl Counter {
    fn next(&mut self) -> Result<u32, String> {
        call(&mut self.0, 3)
    }
}

// Each attempt moves the reference.
impl Counter {
    #[retry]
    fn receiver_of_async_trait(&mut self) -> Result<u32, String> {
        let __self = 4;
        let moved = self;
        moved.next().map(|calls| calls + __self)
    }

    #[retry]
    async fn argument_of_async_trait(&mut self, __self: u32) -> Result<u32, String> {
        let moved = self;
        moved.next().map(|calls| calls + __self)
    }
}

#[test]
fn locals_named_as_by_async_trait_change_nothing() {
    let _guard = testing::no_waits();
    assert_eq!(block_on(local_of_async_trait(&mut 0)), Ok(3));
    assert_eq!(sync_local_of_async_trait(&mut 0), Ok(3));
    assert_eq!(Counter(0).receiver_of_async_trait(), Ok(7));
    assert_eq!(block_on(Counter(0).argument_of_async_trait(4)), Ok(7));
}
