//! The table of events in docs/observability.md, against the events themselves: each event of the
//! table is caused once, and has the message, the level and the fields of its row.
#![cfg(all(feature = "idempotent", feature = "shared-breakers", feature = "shared-rate-limits"))]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use resilience::idempotent::{IdempotencyPolicy, MemoryStore, Scope, StaticStore};
use resilience::stores::breaker::{BreakerSync, ProcessId, SharedState, Vote, Votes};
use resilience::stores::rate_limit::{Lease, LeaseRequest, LeaseStore, RateLimitSync, Share};
use resilience::{
    CircuitBreaker, RateLimiter, Rejected, circuit_breaker, fallback, hedge, idempotent, on_event,
    rate_limit, retry, testing,
};
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::subscriber::OnEvent;
use crate::{Failed, Shy};

/// An event: the level, the message, and the names of all fields that the event can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    level: String,
    message: String,
    fields: BTreeSet<String>,
}

thread_local!(static SEEN: RefCell<BTreeSet<Seen>> = const { RefCell::new(BTreeSet::new()) });

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

fn collect(event: &Event<'_>) {
    let mut message = Message(String::new());
    event.record(&mut message);
    let names = event.metadata().fields().iter().map(|field| field.name());
    let seen = Seen {
        level: event.metadata().level().to_string(),
        message: message.0,
        fields: names.filter(|name| *name != "message").map(str::to_owned).collect(),
    };
    SEEN.with_borrow_mut(|all| all.insert(seen));
}

/// A row of the table.
#[derive(Debug)]
struct Row {
    /// The message, or its beginning.
    message: String,
    levels: String,
    fields: BTreeSet<String>,
}

/// Returns the texts between single backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let page = include_str!("../../docs/observability.md");
    let table = page.split_once("| message | level |").expect("a table").1;
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<Row> = lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [message, levels, _, fields] = cells[..] else { panic!("four cells: {line}") };
            let message = message.trim_matches('`').trim_end_matches('…').trim_end();
            Row {
                message: message.replace("\\`", "`"),
                levels: levels.to_owned(),
                fields: quoted(fields).into_iter().collect(),
            }
        })
        .collect();
    assert!(rows.len() > 20, "{rows:#?}");
    rows
}

#[test]
fn the_documented_events_are_the_events() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    tracing::subscriber::with_default(OnEvent(collect), || {
        retries();
        policies();
        runtime.block_on(synchronizations());
        idempotent_calls();
        runtime.block_on(records());
        runtime.block_on(hedges());
        controls();
    });
    let seen = SEEN.take();
    let mut rows = rows();
    for Seen { level, message, fields } in &seen {
        let row = rows.iter().find(|row| message.starts_with(&row.message));
        let row = row.unwrap_or_else(|| panic!("no row for {message:?}"));
        let is_listed = row.levels.contains(level.as_str()) || row.levels.contains("decisions");
        assert!(is_listed, "{level} {message}: {}", row.levels);
        assert!(fields.is_subset(&row.fields), "{message}: {fields:?} and {:?}", row.fields);
    }
    for row in &mut rows {
        let events = seen.iter().filter(|seen| seen.message.starts_with(&row.message));
        let fields: BTreeSet<String> = events.flat_map(|seen| seen.fields.clone()).collect();
        assert_eq!(fields, row.fields, "{}", row.message);
    }
    let fieldless =
        ["synchronization of circuit breakers restored", "synchronization of rate limits restored"];
    for message in fieldless {
        assert!(seen.iter().any(|seen| seen.message == message), "{message}");
    }
}

fn retries() {
    #[fallback(value = ())]
    #[retry(attempts = 2, name = "fails")]
    fn fails() -> Result<(), Shy> {
        Err(Shy)
    }
    #[retry(attempts = 2, on = |_| false)]
    fn permanent() -> Result<(), Shy> {
        Err(Shy)
    }
    #[retry(attempts = 2)]
    fn recovers(calls: &mut u32) -> Result<(), Shy> {
        *calls += 1;
        if *calls < 2 { Err(Shy) } else { Ok(()) }
    }
    #[retry(attempts = 2)]
    fn outer() -> Result<(), Shy> {
        inner()
    }
    #[retry(attempts = 2)]
    fn inner() -> Result<(), Shy> {
        Err(Shy)
    }
    let _clock = testing::clock();
    assert_eq!(outer(), Err(Shy));
    on_event(|event| assert_ne!(event.name(), "fails", "a panic in a hook"));
    assert_eq!(fails(), Ok(()));
    assert_eq!(permanent(), Err(Shy));
    assert_eq!(recovers(&mut 0), Ok(()));
}

fn policies() {
    #[circuit_breaker(failure_threshold = 1)]
    fn opens() -> Result<(), Failed> {
        Err(Failed)
    }
    #[circuit_breaker(failure_rate = 0.5, window = "1m", min_calls = 100)]
    fn rare() -> Result<(), Failed> {
        Err(Failed)
    }
    #[circuit_breaker(failure_threshold = 2, key = host, max_open = 0.2)]
    fn held(host: u32) -> Result<(), Failed> {
        let _ = host;
        Err(Failed)
    }
    #[rate_limit(rate = 1, per = "1h", shadow)]
    fn shadow() -> Result<(), Rejected> {
        Ok(())
    }
    #[rate_limit(rate = 1, per = "1h", key = user, max_keys = 1)]
    fn keyed(user: u32) -> Result<(), Rejected> {
        let _ = user;
        Ok(())
    }
    let clock = testing::clock();
    let twins = [
        RateLimiter::new(1, Duration::from_secs(1)).name("table-twins"),
        RateLimiter::new(1, Duration::from_secs(1)).name("table-twins"),
    ];
    for twin in twins.each_ref() {
        twin.try_acquire_many(3).expect_err("more than the burst");
    }
    assert!(opens().is_err() && opens().is_err());
    assert!(shadow().is_ok() && shadow().is_ok());
    for user in [1, 1, 2, 3] {
        let _ = keyed(user);
    }
    for _ in 0..200 {
        assert!(rare().is_err());
        (0..10).for_each(|host| drop(held(host)));
        clock.advance(Duration::from_secs(1));
    }
}

/// Stores that fail until the switch.
#[derive(Clone, Default)]
struct Switched(Arc<AtomicBool>);

impl Switched {
    fn answer<T>(&self, value: T) -> io::Result<T> {
        if self.0.load(Relaxed) { Ok(value) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
    }
}

impl SharedState for Switched {
    type Error = io::Error;

    async fn vote(&mut self, _: &str, _: ProcessId, _: Vote) -> io::Result<()> {
        self.answer(())
    }

    async fn read(&mut self, _: ProcessId, names: &[&str]) -> io::Result<Vec<Votes>> {
        self.answer(names.iter().map(|_| Votes { members: 1, votes: Vec::new() }).collect())
    }
}

impl LeaseStore for Switched {
    type Error = io::Error;

    async fn lease(&mut self, _: &str, request: LeaseRequest) -> io::Result<Lease> {
        let granted = request.wanted.min(Share::WHOLE);
        self.answer(Lease { granted, others: Vec::new() })
    }
}

async fn hedges() {
    #[hedge(after = "1ms", idempotent)]
    async fn slow() -> Option<()> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some(())
    }
    assert_eq!(slow().await, Some(()));
}

fn controls() {
    resilience::control("table::nothing").by("test").disable().expect("a change");
    let settings = [("RESILIENCE__TABLE__NOTHING__RETRY__ATTEMPTS", "2")];
    resilience::load_environment_from(settings).expect("settings without a mistake");
}

async fn synchronizations() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1).shared("table-breaker"));
    breaker.trip();
    if let Ok(guard) = CircuitBreaker::new().failure_threshold(1).shared("lone").try_acquire() {
        guard.failure();
    }
    let limiter = RateLimiter::new(1, Duration::from_secs(60)).shared("table-limiter");
    let limiter = Arc::new(limiter);
    for _ in 0..3 {
        let _ = limiter.try_acquire();
    }
    let (state, leases) = (Switched::default(), Switched::default());
    let sync = async {
        tokio::join!(
            BreakerSync::new(state.clone()).with(breaker).run(),
            RateLimitSync::new(leases.clone()).with(&limiter).run(),
        )
    };
    let switch = async {
        tokio::time::sleep(Duration::from_secs(600)).await;
        state.0.store(true, Relaxed);
        leases.0.store(true, Relaxed);
        tokio::time::sleep(Duration::from_secs(600)).await;
    };
    tokio::select! {
        _ = sync => {}
        () = switch => {}
    }
}

fn idempotent_calls() {
    static FULL: MemoryStore = MemoryStore::new().max_records(0);
    #[idempotent(key = key, scope = "global", concurrent = "reject", name = "table.charge")]
    async fn charge(key: &str, #[skip] hang: bool) -> Result<u32, Failed> {
        let _ = key;
        if hang {
            std::future::pending::<()>().await;
        }
        Ok(1)
    }
    #[idempotent(store = FULL, key = key, scope = "global", name = "table.full")]
    async fn full(key: &str) -> Result<u32, Failed> {
        let _ = key;
        Ok(1)
    }
    let _state = testing::fresh_state();
    let _clock = testing::clock();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut hanging = Box::pin(charge("key-0000", true));
    assert!(hanging.as_mut().poll(&mut context).is_pending());
    assert!(futures::executor::block_on(charge("key-0000", false)).is_err());
    assert!(futures::executor::block_on(charge("key-0001", false)).is_ok());
    assert!(futures::executor::block_on(charge("key-0001", false)).is_ok());
    assert!(futures::executor::block_on(full("key-0002")).is_err());
}

/// The maintenance of a store: `purge`, `redrive` and `forget`.
async fn records() {
    static POLICY: IdempotencyPolicy =
        IdempotencyPolicy::new("table.jobs").lease(Duration::from_secs(10));
    let store: &'static MemoryStore = Box::leak(Box::default());
    let run = |job: u32, hangs: bool| async move {
        let call = POLICY
            .call(StaticStore(store), Scope::Global, &job, |arguments| arguments.value(&job))
            .expect("a number is a key");
        let body = async {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok::<_, Rejected>(job)
        };
        call.run_async(body).await
    };
    let interrupted = tokio::time::timeout(Duration::from_secs(1), run(1, true)).await;
    assert!(interrupted.is_err());
    let driven = idempotent::redrive(store, 10, |_| async { Ok::<(), ()>(()) }).await;
    assert_eq!(driven.expect("a store in memory").driven, 1);
    assert!(run(2, false).await.is_ok());
    let key = POLICY.key(store, Scope::Global, &2_u32).expect("a number is a key");
    assert!(idempotent::forget(store, &key).await.expect("a store in memory"));
    idempotent::purge(store, 10).await.expect("a store in memory");
}
