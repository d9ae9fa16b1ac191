//! Arguments that are references: each attempt has a fresh borrow.

use std::cell::Cell;
use std::fmt::Write;
use std::future::ready;
use std::pin::Pin;

use futures::executor::block_on;
use futures::future::BoxFuture;
use resilience::{fallback, retry, testing, timeout};

use super::{call, is_send};

#[retry]
fn iterates(list: &mut Vec<u32>) -> Result<u32, String> {
    let mut sum = 0;
    for item in list {
        *item += 1;
        sum += *item;
    }
    if sum > 5 { Ok(sum) } else { Err("small".into()) }
}

fn append<W: Write>(mut to: W) -> Result<(), std::fmt::Error> {
    to.write_str("x")
}

#[retry]
fn hands_on(text: &mut String, calls: &mut u32) -> Result<u32, String> {
    append(text).map_err(|error| error.to_string())?;
    call(calls, 2)
}

/// The shape of `sqlx`: the executor is consumed.
trait Executor<'c> {
    fn execute(self) -> BoxFuture<'c, Result<u32, String>>;
}

pub(super) struct Connection {
    calls: Cell<u32>,
}

impl<'c> Executor<'c> for &'c mut Connection {
    fn execute(self) -> BoxFuture<'c, Result<u32, String>> {
        let out = call(self.calls.get_mut(), 2);
        Box::pin(ready(out))
    }
}

async fn execute<'c, E: Executor<'c>>(executor: E) -> Result<u32, String> {
    executor.execute().await
}

#[retry(base_delay = "1ms")]
#[timeout("1s", error = |rejected| rejected.to_string())]
async fn queries(connection: &mut Connection) -> Result<u32, String> {
    execute(connection).await
}

#[fallback(value = connection.calls.get())]
async fn queries_once(connection: &mut Connection) -> Result<u32, String> {
    execute(connection).await
}

#[retry]
fn advances(mut rest: &mut [u32], calls: &mut u32) -> Result<usize, String> {
    while let Some((first, tail)) = std::mem::take(&mut rest).split_first_mut() {
        *first += 1;
        rest = tail;
    }
    call(calls, 2)?;
    Ok(rest.len())
}

#[retry]
fn copies(mut text: &str, calls: &mut u32) -> Result<usize, String> {
    text = text.trim();
    call(calls, 2)?;
    Ok(text.len())
}

#[retry]
fn optional(log: Option<&mut Vec<u32>>, calls: &mut u32) -> Result<u32, String> {
    if let Some(log) = log {
        log.push(*calls);
    }
    call(calls, 3)
}

#[retry]
fn taken(mut log: Option<&mut Vec<u32>>, calls: &mut u32) -> Result<u32, String> {
    log.take().ok_or("nothing to take")?.push(*calls);
    call(calls, 3)
}

#[retry]
fn in_patterns(
    (first, second): (&mut Vec<u32>, &mut u32),
    [third]: [&mut Vec<u32>; 1],
) -> Result<u32, String> {
    first.extend(third.iter());
    for item in first {
        *item += 1;
    }
    for item in third {
        *item += 1;
    }
    call(second, 2)
}

#[derive(Default)]
struct Machine {
    calls: u32,
}

fn consume<T>(_: T) {}

impl Machine {
    fn step(self: Pin<&mut Self>) -> Result<u32, String> {
        call(&mut self.get_mut().calls, 2)
    }

    #[retry]
    fn pinned(mut self: Pin<&mut Self>) -> Result<u32, String> {
        self.as_mut().step()
    }

    #[retry]
    fn pinned_once(self: Pin<&mut Self>) -> Result<u32, String> {
        self.step()
    }

    #[retry(base_delay = "1ms")]
    async fn pinned_async(mut self: Pin<&mut Self>) -> Result<u32, String> {
        ready(()).await;
        self.as_mut().step()
    }

    #[retry]
    fn moves_self(&mut self) -> Result<u32, String> {
        let calls = call(&mut self.calls, 2);
        consume(self);
        calls
    }

    #[retry(base_delay = "1ms")]
    async fn moves_self_async(&mut self) -> Result<u32, String> {
        let calls = call(&mut self.calls, 2);
        ready(()).await;
        consume(self);
        calls
    }
}

#[async_trait::async_trait]
trait Service {
    async fn fill(&mut self, list: &mut Vec<u32>, log: Option<&mut u32>) -> Result<u32, String>;
}

#[async_trait::async_trait]
impl Service for Machine {
    #[retry(base_delay = "1ms")]
    async fn fill(&mut self, list: &mut Vec<u32>, log: Option<&mut u32>) -> Result<u32, String> {
        for item in list {
            *item += 1;
        }
        if let Some(log) = log {
            *log += 1;
        }
        let calls = call(&mut self.calls, 2);
        consume(self);
        calls
    }
}

struct Cached(usize);

#[async_trait::async_trait]
trait Load {
    async fn load(&self, id: String) -> Result<usize, String>;
}

#[async_trait::async_trait]
impl Load for Cached {
    #[fallback(with = |_| Ok(self.0 + id.len()))]
    #[timeout("1s", error = |rejected| rejected.to_string())]
    async fn load(&self, id: String) -> Result<usize, String> {
        ready(()).await;
        Err(id.clone())
    }
}

#[test]
fn a_key_above_a_layer_names_the_arguments_of_a_boxed_method() {
    assert_eq!(block_on(Cached(7).load("a".into())), Ok(8));
}

#[test]
fn a_mut_reference_is_reborrowed_for_each_attempt() {
    let _guard = testing::no_waits();
    let (mut list, mut calls) = (vec![1, 2], 0);
    assert_eq!(iterates(&mut list), Ok(7));
    assert_eq!(list, [3, 4]);
    let mut text = String::new();
    assert_eq!(hands_on(&mut text, &mut calls), Ok(2));
    assert_eq!(text, "xx");
    let mut connection = Connection { calls: Cell::new(0) };
    assert_eq!(block_on(is_send(queries(&mut connection))), Ok(2));
    connection.calls.set(0);
    assert_eq!(block_on(is_send(queries_once(&mut connection))), Ok(1));
}

#[test]
fn a_mut_binding_of_a_reference_is_fresh_in_each_attempt() {
    let _guard = testing::no_waits();
    let mut list = [1, 2];
    assert_eq!(advances(&mut list, &mut 0), Ok(0));
    assert_eq!(list, [3, 4]);
    assert_eq!(copies(" a ", &mut 0), Ok(1));
}

#[test]
fn an_optional_reference_is_reborrowed_for_each_attempt() {
    let _guard = testing::no_waits();
    let mut log = Vec::new();
    assert_eq!(optional(Some(&mut log), &mut 0), Ok(3));
    assert_eq!(optional(None, &mut 0), Ok(3));
    assert_eq!(taken(Some(&mut log), &mut 0), Ok(3));
    assert_eq!(log, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn references_in_patterns_are_reborrowed_for_each_attempt() {
    let _guard = testing::no_waits();
    let (mut first, mut third) = (vec![1], vec![5]);
    assert_eq!(in_patterns((&mut first, &mut 0), [&mut third]), Ok(2));
    assert_eq!((first, third), (vec![3, 7, 7], vec![7]));
}

#[test]
fn a_pinned_reference_is_reborrowed_for_each_attempt() {
    let _guard = testing::no_waits();
    assert_eq!(Pin::new(&mut Machine::default()).pinned(), Ok(2));
    assert_eq!(Pin::new(&mut Machine::default()).pinned_once(), Ok(2));
    assert_eq!(block_on(is_send(Pin::new(&mut Machine::default()).pinned_async())), Ok(2));
}

#[test]
fn a_receiver_that_the_body_moves_is_reborrowed_for_each_attempt() {
    let _guard = testing::no_waits();
    assert_eq!(Machine::default().moves_self(), Ok(2));
    assert_eq!(block_on(is_send(Machine::default().moves_self_async())), Ok(2));
    let (mut list, mut log) = (vec![1], 0);
    assert_eq!(block_on(Machine::default().fill(&mut list, Some(&mut log))), Ok(2));
    assert_eq!((list, log), (vec![3], 2));
}

// The body lends one argument to the caller, and the key reads another after the body.
#[fallback(with = |error| Err(format!("{error}, {} calls", log.len())))]
fn lends_beside_a_key<'l>(
    list: &'l mut Vec<u32>,
    log: &mut Vec<u32>,
) -> Result<&'l mut u32, String> {
    log.push(7);
    list.last_mut().ok_or_else(|| "empty".into())
}

#[test]
fn a_key_names_an_argument_beside_the_argument_that_the_body_lends() {
    let (mut list, mut log) = (vec![7], vec![]);
    *lends_beside_a_key(&mut list, &mut log).expect("an element") += 1;
    assert_eq!(list, [8]);
    list.clear();
    let failed = lends_beside_a_key(&mut list, &mut log).expect_err("no element");
    assert_eq!(failed, "empty, 2 calls");
}
