//! The arguments of an annotated function. A body that compiles in a plain function compiles under
//! an attribute.
#![allow(clippy::needless_pass_by_value, reason = "the shapes of arguments are the subject")]

use std::cell::Cell;
use std::fmt::Write;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::BoxFuture;
use resilience::{
    CircuitBreaker, Rejected, RetryBudget, RetryPolicy, bulkhead, circuit_breaker, fallback,
    idempotent, rate_limit, retry, testing, timeout,
};

fn is_send<T: Send>(future: T) -> T {
    future
}

/// Fails until `calls` is `calls_needed`.
fn call(calls: &mut u32, calls_needed: u32) -> Result<u32, String> {
    *calls += 1;
    if *calls < calls_needed { Err("too few".into()) } else { Ok(*calls) }
}

mod reborrows {
    use super::*;

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
        async fn fill(&mut self, list: &mut Vec<u32>, log: Option<&mut u32>)
        -> Result<u32, String>;
    }

    #[async_trait::async_trait]
    impl Service for Machine {
        #[retry(base_delay = "1ms")]
        async fn fill(
            &mut self,
            list: &mut Vec<u32>,
            log: Option<&mut u32>,
        ) -> Result<u32, String> {
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
}

mod send {
    use super::*;

    /// `Send`, but not `Sync`.
    #[derive(Default)]
    struct Connection {
        calls: Cell<u32>,
    }

    impl Connection {
        fn query(&self) -> Result<u32, String> {
            self.calls.set(self.calls.get() + 1);
            if self.calls.get() < 2 { Err("too few".into()) } else { Ok(self.calls.get()) }
        }

        #[retry(base_delay = "1ms")]
        async fn method(&mut self) -> Result<u32, String> {
            ready(()).await;
            self.query()
        }

        #[retry(base_delay = "1ms")]
        #[circuit_breaker(error = |rejected| rejected.to_string())]
        #[timeout("1s", error = |rejected| rejected.to_string())]
        async fn stack(&mut self) -> Result<u32, String> {
            ready(()).await;
            self.query()
        }
    }

    #[retry(base_delay = "1ms")]
    async fn argument(connection: &mut Connection) -> Result<u32, String> {
        ready(()).await;
        connection.query()
    }

    #[retry(base_delay = "1ms")]
    async fn trait_object(clock: &mut (dyn Clock + Send)) -> Result<u32, String> {
        ready(()).await;
        Ok(clock.now())
    }

    #[retry(base_delay = "1ms")]
    async fn optional(clock: Option<&mut (dyn Clock + Send)>) -> Result<u32, String> {
        ready(()).await;
        Ok(clock.map_or(0, |clock| clock.now()))
    }

    trait Clock {
        fn now(&self) -> u32;
    }

    impl Clock for Connection {
        fn now(&self) -> u32 {
            7
        }
    }

    #[async_trait::async_trait]
    trait Repository {
        async fn get(&mut self) -> Result<u32, String>;
    }

    #[async_trait::async_trait]
    impl Repository for Connection {
        #[retry(base_delay = "1ms")]
        async fn get(&mut self) -> Result<u32, String> {
            let out = self.query()?;
            ready(()).await;
            Ok(out)
        }
    }

    #[async_trait::async_trait]
    trait Reader {
        async fn read(&self, connection: &mut Connection) -> Result<u32, String>;
    }

    struct Shared;

    #[async_trait::async_trait]
    impl Reader for Shared {
        #[retry(base_delay = "1ms")]
        async fn read(&self, connection: &mut Connection) -> Result<u32, String> {
            ready(()).await;
            connection.query()
        }
    }

    #[test]
    fn a_future_with_a_mut_reference_is_send_without_sync() {
        let _guard = testing::no_waits();
        let connection = Connection::default;
        assert_eq!(block_on(is_send(connection().method())), Ok(2));
        assert_eq!(block_on(is_send(connection().stack())), Ok(2));
        assert_eq!(block_on(is_send(argument(&mut connection()))), Ok(2));
        assert_eq!(block_on(is_send(trait_object(&mut connection()))), Ok(7));
        assert_eq!(block_on(is_send(optional(Some(&mut connection())))), Ok(7));
        assert_eq!(block_on(is_send(connection().get())), Ok(2));
        assert_eq!(block_on(is_send(Shared.read(&mut connection()))), Ok(2));
    }
}

mod moves {
    use axum::extract::{Request, State};
    use axum::response::{IntoResponse, Response};

    use super::*;

    #[derive(Debug)]
    struct Failed;

    impl IntoResponse for Failed {
        fn into_response(self) -> Response {
            "failed".into_response()
        }
    }

    impl From<Rejected> for Failed {
        fn from(_: Rejected) -> Self {
            Self
        }
    }

    /// The request is `Send`, but not `Sync`.
    #[fallback(value = format!("cached {state}"))]
    #[timeout("1s")]
    async fn handler(State(state): State<u32>, request: Request) -> Result<String, Failed> {
        let headers = request.headers().len();
        ready(()).await;
        Ok(format!("{state}{headers}"))
    }

    #[test]
    fn a_handler_with_a_key_that_names_an_argument_stays_a_handler() {
        let _: axum::Router =
            axum::Router::new().route("/", axum::routing::get(handler)).with_state(1);
    }

    type Receiver = std::sync::mpsc::Receiver<u32>;

    macro_rules! consumes {
        ($id:ident, $($name:ident: #[$attribute:meta],)*) => {$(
            #[$attribute]
            async fn $name($id: String, receiver: Receiver) -> Result<u32, String> {
                ready(()).await;
                let first = receiver.recv().map_err(|_| $id.clone())?;
                ready(()).await;
                drop(receiver);
                Ok(first)
            }
        )*};
    }

    consumes! {
        id,
        breaker: #[circuit_breaker(error = |rejected| id.clone() + &rejected.to_string())],
        breaker_on: #[circuit_breaker(error = |_| String::new(), on = |error| *error != id)],
        timed: #[timeout("1s", error = |rejected| id.clone() + &rejected.to_string())],
        limited: #[rate_limit(rate = 9, error = |rejected| id.clone() + &rejected.to_string())],
        bulk: #[bulkhead(max = 9, error = |rejected| id.clone() + &rejected.to_string())],
        replaced: #[fallback(with = |error| if id.is_empty() { Ok(0) } else { Err(error) })],
        once: #[idempotent(
            key = 1, scope = "global", fingerprint(), name = "captures",
            error = |rejected| id.clone() + &rejected.to_string()
        )],
    }

    #[test]
    fn arguments_that_no_key_names_are_moved_in() {
        let receiver = || {
            let (sender, receiver) = std::sync::mpsc::channel();
            sender.send(7).expect("the receiver is there");
            receiver
        };
        let id = String::new;
        assert_eq!(block_on(is_send(breaker(id(), receiver()))), Ok(7));
        assert_eq!(block_on(is_send(breaker_on(id(), receiver()))), Ok(7));
        assert_eq!(block_on(is_send(timed(id(), receiver()))), Ok(7));
        assert_eq!(block_on(is_send(limited(id(), receiver()))), Ok(7));
        assert_eq!(block_on(is_send(bulk(id(), receiver()))), Ok(7));
        assert_eq!(block_on(is_send(replaced(id(), receiver()))), Ok(7));
        assert_eq!(block_on(is_send(once(id(), receiver()))), Ok(7));
    }

    struct Session {
        receiver: Receiver,
    }

    impl Session {
        #[fallback(value = default)]
        async fn finish(self, default: u32) -> Result<u32, String> {
            ready(()).await;
            self.receiver.recv().map_err(|error| error.to_string())
        }
    }

    #[async_trait::async_trait]
    trait Finish {
        async fn finish_boxed(self, default: u32, receiver: Receiver) -> Result<u32, String>;
    }

    #[async_trait::async_trait]
    impl Finish for Session {
        #[fallback(value = default)]
        async fn finish_boxed(self, default: u32, receiver: Receiver) -> Result<u32, String> {
            ready(()).await;
            let out = self.receiver.recv().or(receiver.recv());
            out.map_err(|error| error.to_string())
        }
    }

    #[test]
    fn a_receiver_that_no_key_names_is_moved_in() {
        let receiver = || {
            let (_, receiver) = std::sync::mpsc::channel();
            receiver
        };
        let session = || Session { receiver: receiver() };
        assert_eq!(block_on(is_send(session().finish(3))), Ok(3));
        assert_eq!(block_on(session().finish_boxed(4, receiver())), Ok(4));
    }

    macro_rules! assigns {
        ($($name:ident: #[$attribute:meta],)*) => {$(
            #[$attribute]
            async fn $name(mut text: &str, mut list: Vec<&str>) -> Result<usize, Rejected> {
                let local = format!("{text}!");
                text = &local;
                list.push(text);
                ready(()).await;
                Ok(list.len() + text.len())
            }
        )*};
    }

    assigns! {
        assigned_timeout: #[timeout("1s")],
        assigned_breaker: #[circuit_breaker],
        assigned_bulkhead: #[bulkhead(max = 9)],
        assigned_limit: #[rate_limit(rate = 9)],
        assigned_fallback: #[fallback(value = 0)],
        assigned_once: #[idempotent(key = 1, scope = "global", fingerprint(), name = "assigned")],
    }

    #[test]
    fn a_mut_argument_may_hold_a_borrow_of_a_local() {
        assert_eq!(block_on(is_send(assigned_timeout("a", vec!["b"]))).ok(), Some(4));
        assert_eq!(block_on(is_send(assigned_breaker("a", vec!["b"]))).ok(), Some(4));
        assert_eq!(block_on(is_send(assigned_bulkhead("a", vec!["b"]))).ok(), Some(4));
        assert_eq!(block_on(is_send(assigned_limit("a", vec!["b"]))).ok(), Some(4));
        assert_eq!(block_on(is_send(assigned_fallback("a", vec!["b"]))).ok(), Some(4));
        assert_eq!(block_on(is_send(assigned_once("a", vec!["b"]))).ok(), Some(4));
    }
}

mod policies {
    use super::*;

    struct Client {
        retry: RetryPolicy,
        shared: Arc<RetryPolicy>,
        budget: Arc<RetryBudget>,
        breaker: Arc<CircuitBreaker>,
        base: Duration,
        sent: u32,
    }

    impl Client {
        fn new() -> Self {
            Self {
                retry: RetryPolicy::new().attempts(4),
                shared: Arc::new(RetryPolicy::new().attempts(5)),
                budget: Arc::default(),
                breaker: Arc::default(),
                base: Duration::from_millis(1),
                sent: 0,
            }
        }

        fn send(&mut self) -> Result<u32, String> {
            self.sent += 1;
            Err(self.sent.to_string())
        }

        #[retry(policy = self.retry)]
        fn by_value(&mut self) -> Result<u32, String> {
            self.send()
        }

        #[retry(policy = &self.retry)]
        async fn by_reference(&mut self) -> Result<u32, String> {
            ready(()).await;
            self.send()
        }

        #[retry(policy = self.shared)]
        fn by_handle(&mut self) -> Result<u32, String> {
            self.send()
        }

        #[retry(budget = self.budget)]
        fn with_budget(&mut self) -> Result<u32, String> {
            self.send()
        }

        #[retry(budget = &self.budget, base_delay = "1ms")]
        async fn with_budget_async(&mut self) -> Result<u32, String> {
            ready(()).await;
            self.send()
        }

        #[retry(backoff = |n| self.base * n, jitter = "none")]
        fn with_backoff(&mut self) -> Result<u32, String> {
            self.send()
        }

        #[retry(backoff = |n| self.base * n, on_retry = |_| {})]
        async fn with_backoff_async(&mut self) -> Result<u32, String> {
            ready(()).await;
            self.send()
        }

        #[retry(backoff = |n| self.base * n, attempts = 2)]
        async fn with_backoff_plain(&mut self) -> Result<u32, String> {
            ready(()).await;
            self.send()
        }

        #[retry(policy = self.retry)]
        #[circuit_breaker(breaker = self.breaker, error = |_| "open".to_owned())]
        async fn with_breaker(&mut self) -> Result<u32, String> {
            ready(()).await;
            self.send()
        }
    }

    #[retry(policy = client.retry)]
    fn argument(client: &mut Client) -> Result<u32, String> {
        client.send()
    }

    #[test]
    fn a_policy_in_a_value_that_the_body_changes_is_held_as_a_clone() {
        let _guard = testing::no_waits();
        let attempts = |out: Result<u32, String>| out.expect_err("the call fails");
        assert_eq!(attempts(Client::new().by_value()), "4");
        assert_eq!(attempts(block_on(is_send(Client::new().by_reference()))), "4");
        assert_eq!(attempts(Client::new().by_handle()), "5");
        assert_eq!(attempts(Client::new().with_budget()), "3");
        assert_eq!(attempts(block_on(is_send(Client::new().with_budget_async()))), "3");
        assert_eq!(attempts(Client::new().with_backoff()), "3");
        assert_eq!(attempts(block_on(is_send(Client::new().with_backoff_async()))), "3");
        assert_eq!(attempts(block_on(is_send(Client::new().with_backoff_plain()))), "2");
        assert_eq!(attempts(block_on(is_send(Client::new().with_breaker()))), "4");
        assert_eq!(attempts(argument(&mut Client::new())), "4");
    }

    #[test]
    fn a_backoff_closure_computes_each_delay() {
        let clock = testing::clock();
        let _ = Client::new().with_backoff();
        assert_eq!(clock.elapsed(), Duration::from_millis(3));
    }
}

mod patterns {
    #![allow(non_snake_case, reason = "a name with a capital is a binding")]
    #![allow(
        clippy::trivially_copy_pass_by_ref,
        clippy::toplevel_ref_arg,
        reason = "every form of pattern"
    )]

    use super::*;

    #[retry]
    fn behind_a_reference(&mut x: &mut u32, &y: &u32) -> Result<u32, String> {
        Ok(x + y)
    }

    #[retry]
    fn borrowed_behind_a_reference(&mut ref mut z: &mut u32) -> Result<u32, String> {
        call(z, 3)
    }

    #[retry]
    fn shared_by_ref(ref list: Vec<u32>, calls: &mut u32) -> Result<usize, String> {
        call(calls, 2)?;
        Ok(list.len())
    }

    #[retry(clone(N))]
    fn capital(mut N: Vec<u32>) -> Result<usize, usize> {
        N.push(1);
        Err(N.len())
    }

    #[retry]
    fn whole_and_part(whole @ [first, ..]: [u32; 2], calls: &mut u32) -> Result<u32, String> {
        call(calls, 2)?;
        Ok(whole[1] + first)
    }

    #[fallback(value = A)]
    fn named_in_a_key(A: u32) -> Result<u32, String> {
        Err(A.to_string())
    }

    #[test]
    fn every_pattern_has_its_bindings() {
        let _guard = testing::no_waits();
        assert_eq!(behind_a_reference(&mut 1, &2), Ok(3));
        assert_eq!(borrowed_behind_a_reference(&mut 0), Ok(3));
        assert_eq!(shared_by_ref(vec![1], &mut 0), Ok(1));
        assert_eq!(capital(vec![]), Err(1));
        assert_eq!(whole_and_part([1, 2], &mut 0), Ok(3));
        assert_eq!(named_in_a_key(5), Ok(5));
    }
}

mod literals {
    use super::*;

    #[derive(Clone)]
    struct Text(&'static str);

    impl std::fmt::Display for Text {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Text {
        #[allow(clippy::useless_format, reason = "a format string with escaped braces")]
        #[retry(clone(self))]
        fn texts(self) -> Result<[String; 5], ()> {
            Ok([
                "{self}".to_string(),
                format!("{{self}}"),
                format!("{self}"),
                format!("{} {self:}", "{self}"),
                concat!("{self}", "!").to_owned(),
            ])
        }

        #[retry]
        fn moved(&mut self) -> Result<(String, String), ()> {
            let text = format!("{self}{{self}}");
            let _this = std::convert::identity(self);
            Ok((text, "{self}".to_owned()))
        }
    }

    #[test]
    fn a_clone_of_self_changes_only_format_strings() {
        let texts = ["{self}", "{self}", "x", "{self} x", "{self}!"].map(str::to_owned);
        assert_eq!(Text("x").texts(), Ok(texts));
        assert_eq!(Text("x").moved(), Ok(("x{self}".to_owned(), "{self}".to_owned())));
    }

    /// `"{receiver}"` is no format string.
    #[fallback(value = "{receiver}".len())]
    async fn no_format(receiver: std::sync::mpsc::Receiver<u32>) -> Result<usize, String> {
        ready(()).await;
        let first = receiver.recv().map_err(|error| error.to_string())?;
        Ok(usize::try_from(first).unwrap_or_default())
    }

    #[test]
    fn a_literal_in_a_key_names_no_argument() {
        let (_, receiver) = std::sync::mpsc::channel();
        assert_eq!(block_on(is_send(no_format(receiver))), Ok(10));
    }
}
