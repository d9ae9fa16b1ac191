//! Foreign attributes beside the attributes of this crate.
//!
//! A foreign attribute above `#[retry]` is expanded first and becomes an inner layer, so the layer
//! runs once per attempt. A foreign attribute below `#[retry]` becomes an outer layer, so the layer
//! runs once per call.
#![allow(clippy::needless_pass_by_value, reason = "owned arguments, lent to each attempt")]

use std::cell::Cell;
use std::sync::Mutex;

use resilience::{
    Bulkhead, CircuitBreaker, Rejected, bulkhead, circuit_breaker, fallback, retry, testing,
};
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};

/// Counts opened spans.
#[derive(Default)]
struct Spans(Mutex<u32>);

thread_local!(static OPENED: Cell<u32> = const { Cell::new(0) });

impl Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        OPENED.set(OPENED.get() + 1);
        let mut last = self.0.lock().expect("no panic under the lock");
        *last += 1;
        Id::from_u64(u64::from(*last))
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn spans(run: impl FnOnce()) -> u32 {
    let _guard = testing::no_waits();
    OPENED.set(0);
    tracing::subscriber::with_default(Spans::default(), run);
    OPENED.get()
}

fn block_on<T>(future: impl Future<Output = T> + Send) -> T {
    futures::executor::block_on(future)
}

#[tracing::instrument(skip_all)]
#[retry(attempts = 4)]
fn above(text: String, log: &mut Vec<usize>) -> Result<(), usize> {
    log.push(text.len());
    Err(log.len())
}

#[retry(attempts = 4)]
#[tracing::instrument(skip_all)]
fn below(text: String, log: &mut Vec<usize>) -> Result<(), usize> {
    log.push(text.len());
    Err(log.len())
}

#[tracing::instrument(skip_all)]
#[retry(attempts = 4)]
async fn above_async(text: String, log: &mut Vec<usize>) -> Result<(), usize> {
    tokio::task::yield_now().await;
    log.push(text.len());
    Err(log.len())
}

#[tracing::instrument(skip_all, err(Debug))]
#[retry(attempts = 4)]
async fn above_with_err(text: String, log: &mut Vec<usize>) -> Result<(), usize> {
    tokio::task::yield_now().await;
    log.push(text.len());
    Err(log.len())
}

#[retry(attempts = 4)]
#[tracing::instrument(skip_all, ret, err(Debug))]
async fn below_async(text: String, log: &mut Vec<usize>) -> Result<(), usize> {
    tokio::task::yield_now().await;
    log.push(text.len());
    Err(log.len())
}

/// A client whose policies the calls borrow through code of an older edition.
struct Client {
    bulkhead: Bulkhead,
    breaker: CircuitBreaker,
}

impl Client {
    #[retry(attempts = 4)]
    #[tracing::instrument(skip_all)]
    #[bulkhead(bulkhead = &self.bulkhead)]
    async fn borrowed_bulkhead(&self, log: &mut Vec<usize>) -> Result<(), Rejected> {
        tokio::task::yield_now().await;
        log.push(0);
        Ok(())
    }

    #[retry(attempts = 4)]
    #[tracing::instrument(skip_all)]
    #[circuit_breaker(breaker = &self.breaker)]
    #[bulkhead(max = 1, key = log.len())]
    fn borrowed_breaker(&self, log: &mut Vec<usize>) -> Result<(), Rejected> {
        log.push(0);
        Ok(())
    }
}

#[test]
fn policies_of_a_client_are_borrowed_inside_a_span() {
    let client = Client { bulkhead: Bulkhead::new(1), breaker: CircuitBreaker::new() };
    let mut log = vec![];
    assert_eq!(spans(|| assert_eq!(block_on(client.borrowed_bulkhead(&mut log)), Ok(()))), 1);
    assert_eq!(spans(|| assert_eq!(client.borrowed_breaker(&mut log), Ok(()))), 1);
    assert_eq!(log.len(), 2);
}

#[test]
fn an_attribute_above_runs_per_attempt_and_below_per_call() {
    let text = || String::from("abc");
    assert_eq!(spans(|| assert_eq!(above(text(), &mut vec![]), Err(4))), 4);
    assert_eq!(spans(|| assert_eq!(below(text(), &mut vec![]), Err(4))), 1);
    assert_eq!(spans(|| assert_eq!(block_on(above_async(text(), &mut vec![])), Err(4))), 4);
    assert_eq!(spans(|| assert_eq!(block_on(above_with_err(text(), &mut vec![])), Err(4))), 4);
    assert_eq!(spans(|| assert_eq!(block_on(below_async(text(), &mut vec![])), Err(4))), 1);
}

#[async_trait::async_trait]
trait Fetch {
    async fn above(&mut self, text: String) -> Result<(), usize>;
    async fn below(&mut self, text: String) -> Result<(), usize>;
}

#[async_trait::async_trait]
impl Fetch for Vec<usize> {
    #[tracing::instrument(skip_all)]
    #[retry(attempts = 4)]
    async fn above(&mut self, text: String) -> Result<(), usize> {
        self.push(text.len());
        Err(self.len())
    }

    #[retry(attempts = 4)]
    #[tracing::instrument(skip_all)]
    async fn below(&mut self, text: String) -> Result<(), usize> {
        self.push(text.len());
        Err(self.len())
    }
}

/// Under `#[async_trait]`, `#[retry]` wraps the body of the method, inside all foreign layers.
#[test]
fn under_async_trait_foreign_attributes_run_per_call() {
    let (mut first, mut second) = (vec![], vec![]);
    assert_eq!(spans(|| assert_eq!(block_on(first.above("abc".into())), Err(4))), 1);
    assert_eq!(spans(|| assert_eq!(block_on(second.below("abc".into())), Err(4))), 1);
}

thread_local!(static RUNS: Cell<u32> = const { Cell::new(0) });

#[tokio::test(start_paused = true)]
#[retry]
async fn retries_a_flaky_test_above_the_attribute() -> Result<(), String> {
    RUNS.set(RUNS.get() + 1);
    if RUNS.get() % 3 == 0 { Ok(()) } else { Err("flaky".into()) }
}

#[retry]
#[tokio::test(start_paused = true)]
async fn retries_a_flaky_test_below_the_attribute() -> Result<(), String> {
    RUNS.set(RUNS.get() + 1);
    if RUNS.get() % 3 == 0 { Ok(()) } else { Err("flaky".into()) }
}

/// `err` and `ret` put the body of a sync function into a `move` closure.
mod instrument_with_err_and_ret {
    use super::*;

    #[derive(Debug)]
    struct Client {
        sent: u32,
    }

    impl Client {
        #[tracing::instrument(err)]
        #[retry]
        fn err(&mut self, text: &str) -> Result<u32, String> {
            self.sent += 1;
            Err(text.to_owned())
        }

        #[tracing::instrument(ret)]
        #[retry]
        fn ret(&mut self, text: String) -> Result<u32, String> {
            self.sent += 1;
            Err(text.clone())
        }

        #[tracing::instrument(ret, err(Debug), skip_all, fields(text = %text))]
        #[retry]
        fn both(&mut self, text: String) -> Result<u32, String> {
            self.sent += 1;
            Err(text.clone())
        }

        #[tracing::instrument(err, ret)]
        #[retry]
        async fn asynchronous(&mut self, text: String) -> Result<u32, String> {
            self.sent += 1;
            Err(text.clone())
        }

        #[retry]
        #[tracing::instrument(err)]
        fn below(&mut self, text: String) -> Result<u32, String> {
            self.sent += 1;
            Err(text.clone())
        }
    }

    #[test]
    fn attempts_borrow_the_arguments() {
        let _guard = testing::no_waits();
        let mut client = Client { sent: 0 };
        assert_eq!(client.err("x"), Err("x".to_owned()));
        assert_eq!(client.ret("x".to_owned()), Err("x".to_owned()));
        assert_eq!(client.both("x".to_owned()), Err("x".to_owned()));
        assert_eq!(block_on(client.asynchronous("x".to_owned())), Err("x".to_owned()));
        assert_eq!(client.below("x".to_owned()), Err("x".to_owned()));
        assert_eq!(client.sent, 5 * 3);
    }

    #[retry]
    #[tracing::instrument(err)]
    #[circuit_breaker(failure_threshold = 100, error = |rejected| rejected.to_string())]
    fn between(calls: &mut u32, text: String) -> Result<u32, String> {
        *calls += 1;
        Err(text.clone())
    }

    #[retry]
    #[tracing::instrument(ret, err)]
    #[circuit_breaker(failure_threshold = 100, error = |rejected| rejected.to_string())]
    async fn between_async(calls: &mut u32, text: String) -> Result<u32, String> {
        *calls += 1;
        Err(text.clone())
    }

    #[tracing::instrument(err)]
    #[fallback(with = |_| text.len())]
    fn under_a_fallback(text: String) -> Result<usize, String> {
        Err(text.to_uppercase())
    }

    #[test]
    fn layers_on_both_sides_borrow_the_arguments() {
        let _guard = testing::no_waits();
        let mut calls = 0;
        assert_eq!(between(&mut calls, "x".to_owned()), Err("x".to_owned()));
        assert_eq!(block_on(between_async(&mut calls, "x".to_owned())), Err("x".to_owned()));
        assert_eq!(calls, 2 * 3);
        assert_eq!(under_a_fallback("abc".to_owned()), Ok(3));
    }
}

/// Built-in attributes between two layers: the retry above knows the rejection of the breaker below,
/// although the error type does not carry the rejection.
mod built_in_attributes {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Opaque;

    impl From<Rejected> for Opaque {
        fn from(_: Rejected) -> Self {
            Self
        }
    }

    macro_rules! between_layers {
        ($($name:ident: $(#[$attribute:meta])*;)*) => {
            $(
                #[retry(attempts = 5, on_retry = |_| retries.set(retries.get() + 1))]
                $(#[$attribute])*
                #[circuit_breaker(breaker = OPEN)]
                fn $name(retries: &Cell<u32>) -> Result<(), Opaque> {
                    retries.set(100);
                    Ok(())
                }
            )*

            #[test]
            fn the_layers_exchange_rejections() {
                let _guard = testing::no_waits();
                OPEN.force_open();
                $(
                    let retries = Cell::new(0);
                    assert_eq!($name(&retries), Err(Opaque));
                    assert_eq!(retries.get(), 0, stringify!($name));
                )*
            }
        };
    }

    static OPEN: CircuitBreaker = CircuitBreaker::new();

    between_layers! {
        lints: #[allow(clippy::unnecessary_wraps)] #[warn(unused)];
        cold: #[cold] #[track_caller];
        cfg_attr: #[cfg_attr(all(), inline)];
        tools: #[rustfmt::skip] #[clippy::cognitive_complexity = "9"];
        doc: #[doc(hidden)] #[doc = "text"];
    }

    #[retry(attempts = 2, on_retry = |_| panic!("a rejection is not retried"))]
    #[test]
    #[ignore = "checked by its caller"]
    #[circuit_breaker(breaker = OPEN)]
    fn test_attributes() -> Result<(), Opaque> {
        Ok(())
    }

    #[test]
    fn the_layers_of_a_test_exchange_rejections() {
        OPEN.force_open();
        assert_eq!(test_attributes(), Err(Opaque));
    }
}
