//! The events of `tracing`: `cargo test --features tracing --test tracing`.
#![cfg(feature = "tracing")]

mod fallbacks;
mod key_labels;
mod levels;
mod locations;
mod recovery;
mod subscriber;
mod table;

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::rc::Rc;
use std::time::Duration;

use resilience::idempotent::MemoryStore;
use resilience::{
    Bulkhead, FailureClass, Keyed, Rejected, RetryPolicy, circuit_breaker, fallback, idempotent,
    rate_limit, retry, testing, timeout,
};
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::subscriber::OnEvent;

thread_local!(static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let written = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            // `locations` tests the place.
            "function" | "location" => Ok(()),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.expect("a string takes everything");
    }
}

/// Writes an event as a line.
fn write_line(event: &Event<'_>) {
    let mut line = Line(event.metadata().level().to_string());
    event.record(&mut line);
    // Functions of several tests have one name; `locations` tests this warning.
    if !line.0.contains("two policies have one name") {
        LOG.with_borrow_mut(|log| log.push(line.0));
    }
}

/// Returns the log of `run`, under a virtual clock.
fn logged(run: impl FnOnce()) -> Vec<String> {
    let _clock = testing::clock();
    tracing::subscriber::with_default(OnEvent(write_line), run);
    LOG.take()
}

/// Has no `Display`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shy;

/// Has neither `Display` nor `Debug`.
struct Mute;

#[test]
fn a_retry_logs_a_warning_and_giving_up_an_error() {
    #[retry(attempts = 2, jitter = "none")]
    fn fail() -> Result<(), &'static str> {
        Err("down")
    }
    assert_eq!(
        logged(|| assert_eq!(fail(), Err("down"))),
        [
            "WARN retrying attempt=1 max_attempts=2 error=down kind=Transient effect=Unknown \
             elapsed_ms=0 delay_ms=100 delay_source=backoff",
            "ERROR giving up: all attempts are used up attempt=2 max_attempts=2 error=down \
             kind=Transient effect=Unknown elapsed_ms=100 stop_reason=\"attempts\"",
        ]
    );
}

#[test]
fn a_retry_inside_a_retry_is_reported_once_with_both_names() {
    #[retry(attempts = 2, name = "inner")]
    fn inner() -> Result<(), &'static str> {
        Err("down")
    }
    #[retry(attempts = 2, name = "outer")]
    #[fallback(on = |_: &&str| false, value = ())]
    fn outer() -> Result<(), &'static str> {
        inner()
    }
    #[retry(attempts = 2, name = "outer")]
    async fn outer_async() -> Result<(), &'static str> {
        inner()
    }
    let nested = |run: &dyn Fn()| -> Vec<String> {
        let lines = logged(run);
        lines.into_iter().filter(|line| line.contains("multiplies")).collect()
    };
    let report = "WARN a retry inside a retry multiplies the attempts; set `nested = \
        \"outer_only\"` on the outer function, or remove one of the retries outer=\"outer\"";
    assert_eq!(nested(&|| assert_eq!(outer(), Err("down"))), [report]);
    assert!(nested(&|| assert_eq!(outer(), Err("down"))).is_empty());
    let again = || assert_eq!(futures::executor::block_on(outer_async()), Err("down"));
    assert!(nested(&again).is_empty());
    // The scope ends with the call.
    assert!(nested(&|| assert_eq!(inner(), Err("down"))).is_empty());
}

#[test]
fn the_level_is_configurable() {
    #[retry(attempts = 2, log = "info")]
    fn info() -> Result<(), Shy> {
        Err(Shy)
    }
    #[retry(attempts = 2, log = "debug")]
    async fn debug() -> Result<(), Shy> {
        Err(Shy)
    }
    #[retry(attempts = 2, log = "off")]
    fn off() -> Result<(), Shy> {
        Err(Shy)
    }
    let level = |line: &String| line.split(' ').next().map(str::to_owned);
    let levels = |run: fn()| logged(run).iter().filter_map(level).collect::<Vec<_>>();
    assert_eq!(levels(|| assert_eq!(info(), Err(Shy))), ["INFO", "ERROR"]);
    let run = || assert_eq!(futures::executor::block_on(debug()), Err(Shy));
    assert_eq!(levels(run), ["DEBUG", "ERROR"]);
    assert!(levels(|| assert_eq!(off(), Err(Shy))).is_empty());
}

#[test]
fn an_error_is_logged_by_display_or_debug() {
    const ONCE: u32 = 1;
    #[retry(attempts = ONCE)]
    fn by_display() -> Result<(), String> {
        Err("said".into())
    }
    #[retry(attempts = ONCE)]
    fn by_debug() -> Result<(), Shy> {
        Err(Shy)
    }
    #[retry(attempts = ONCE)]
    fn by_nothing() -> Result<(), Mute> {
        Err(Mute)
    }
    #[retry(attempts = ONCE, on = |_| true)]
    fn generic<E: Debug>(error: fn() -> E) -> Result<(), E> {
        Err(error())
    }
    #[retry(attempts = ONCE)]
    fn option() -> Option<()> {
        None
    }
    let error = |run: fn()| {
        let line = logged(run).concat();
        let (_, rest) = line.split_once("error=").expect("an error");
        rest.split_once(" kind=").expect("a kind").0.to_owned()
    };
    assert_eq!(error(|| drop(by_display())), "said");
    assert_eq!(error(|| assert!(by_debug().is_err())), "Shy");
    assert_eq!(error(|| assert!(by_nothing().is_err())), "");
    assert_eq!(error(|| assert!(generic(|| Shy).is_err())), "Shy");
    assert_eq!(error(|| assert!(option().is_none())), "()");
}

#[test]
fn a_permanent_first_failure_is_logged_at_debug() {
    #[retry(on = |_| false)]
    fn missing() -> Result<(), &'static str> {
        Err("404")
    }
    let lines = logged(|| assert!(missing().is_err()));
    assert_eq!(lines.len(), 1);
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("DEBUG not retried: the failure is permanent attempt=1")),
        "{lines:?}"
    );
}

#[test]
fn hooks_run_after_the_log_and_calls_by_hand_log_too() {
    #[retry(attempts = 2, on_retry = |event| seen.push(event.attempt))]
    fn fail(seen: &mut Vec<u32>) -> Result<(), Shy> {
        Err(Shy)
    }
    let seen = Rc::new(RefCell::new(Vec::new()));
    let lines = logged(|| assert!(fail(&mut seen.borrow_mut()).is_err()));
    assert_eq!((seen.take(), lines.len()), (vec![1], 2));

    let policy = RetryPolicy::new().attempts(2);
    let lines = logged(|| {
        let call = policy
            .on(|Shy: &Shy| FailureClass::transient())
            .on_retry(|_| seen.borrow_mut().push(7));
        assert_eq!(call.run(|| Err::<(), _>(Shy)), Err(Shy));
    });
    assert_eq!((seen.take(), lines.len()), (vec![7], 2));
}

#[derive(Debug)]
struct Failed;

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self
    }
}

#[test]
fn a_breaker_logs_state_changes_and_rejections() {
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "30s")]
    fn call(ok: bool) -> Result<(), Failed> {
        if ok { Ok(()) } else { Err(Failed) }
    }
    let log = logged(|| {
        let clock = testing::clock();
        assert!(call(false).is_err());
        clock.advance(Duration::from_secs(10));
        assert!(call(true).is_err());
        clock.advance(Duration::from_secs(20));
        assert!(call(true).is_ok());
    });
    assert_eq!(
        log,
        [
            "WARN circuit state changed from=closed to=open reason=transient failure \
             open_for_ms=30000 cause=\"Failed\"",
            "DEBUG call rejected: circuit open kind=\"circuit_open\" retry_after_ms=20000",
            "WARN circuit state changed from=open to=half-open reason=open time over",
            "WARN circuit state changed from=half-open to=closed reason=successful trial calls",
        ]
    );
}

/// Too many circuits at once: one warning per table and minute.
#[test]
fn a_breaker_that_max_open_holds_closed_logs_a_warning_once() {
    #[circuit_breaker(failure_threshold = 2, key = host, max_open = 0.2)]
    fn call(host: u32) -> Result<(), Failed> {
        let _ = host;
        Err(Failed)
    }
    let log = logged(|| {
        let clock = testing::clock();
        for second in 0..90 {
            (0..10).for_each(|host| drop(call(host)));
            clock.advance(Duration::from_secs(1));
            assert!(second < 1 || call(9).is_err());
        }
    });
    let held: Vec<_> = log.iter().filter(|event| event.contains("stay closed")).collect();
    assert_eq!(held.len(), 2, "{held:?}");
    assert_eq!(
        held[0],
        "WARN circuits of further keys stay closed: too many keys fail at once, so the failure is \
         probably in this process or its network open=2 keys=10 max_open=0.2"
    );
}

/// A shared breaker needs a synchronization task.
#[test]
fn a_shared_breaker_without_synchronization_logs_a_warning() {
    #[circuit_breaker(failure_threshold = 1, shared = "nobody")]
    fn call() -> Result<(), Failed> {
        Err(Failed)
    }
    let log = logged(|| {
        let _clock = testing::clock();
        assert!(call().is_err());
    });
    assert_eq!(
        log,
        [
            "WARN circuit state changed from=closed to=open reason=transient failure \
             open_for_ms=30000 cause=\"Failed\"",
            "WARN shared circuit breaker without synchronization; \
             spawn `BreakerSync::new(state).run()` in this process",
        ]
    );
}

/// A shared rate needs a synchronization task.
#[test]
fn a_shared_rate_limit_without_synchronization_logs_a_warning_once() {
    #[rate_limit(rate = 1, per = "1m", shared = "nobody", name = "call")]
    fn call() -> Option<()> {
        Some(())
    }
    let log = logged(|| {
        let _clock = testing::clock();
        assert_eq!((call(), call(), call()), (Some(()), None, None));
    });
    let rejected =
        "DEBUG call rejected: rate limit reached kind=\"rate_limited\" retry_after_ms=60000";
    assert_eq!(
        log,
        [
            "WARN shared rate limit without synchronization, so this process uses the whole rate; \
             spawn `RateLimitSync::new(leases).run()` in this process",
            rejected,
            rejected,
        ]
    );
}

#[test]
fn the_other_layers_log_their_actions() {
    #[fallback(value = 7)]
    #[rate_limit(rate = 1, per = "1m")]
    #[timeout("2s")]
    async fn call(hang: bool) -> Result<u32, Failed> {
        if hang { std::future::pending().await } else { Ok(1) }
    }
    let log = logged(|| {
        assert_eq!(futures::executor::block_on(call(false)).ok(), Some(1));
        assert_eq!(futures::executor::block_on(call(false)).ok(), Some(7));
    });
    assert_eq!(
        log,
        [
            "DEBUG call rejected: rate limit reached kind=\"rate_limited\" retry_after_ms=60000",
            "INFO fallback used error=Failed kind=Transient effect=Unknown reason=\"error\""
        ]
    );
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    let _state = testing::fresh_state();
    tracing::subscriber::with_default(OnEvent(write_line), || {
        assert_eq!(runtime.block_on(call(true)).ok(), Some(7));
    });
    assert_eq!(
        LOG.take(),
        [
            "DEBUG call rejected: timed out kind=\"timed_out\" elapsed_ms=2000",
            "INFO fallback used error=Failed kind=Transient effect=Unknown reason=\"error\""
        ]
    );
}

#[test]
fn an_idempotent_call_logs_decisions_without_arguments() {
    static FULL: MemoryStore = MemoryStore::new().max_records(0);
    #[idempotent(
        key = key,
        scope = tenant,
        lease = "5s",
        concurrent = "reject",
        min_key_length = 4,
        name = "charge"
    )]
    async fn charge(
        key: &str,
        tenant: &str,
        card: &str,
        #[skip] hang: bool,
    ) -> Result<String, Failed> {
        if hang {
            std::future::pending::<()>().await;
        }
        Ok(format!("receipt for {card}"))
    }
    #[idempotent(store = FULL, key = key, scope = "global", on_store_error = "fail_open", name = "open")]
    async fn open(key: &str) -> Result<String, Failed> {
        Ok(key.to_owned())
    }
    let _state = testing::fresh_state();
    let call = |key, tenant, card| {
        futures::executor::block_on(charge(key, tenant, card, false)).map_err(|_| ())
    };
    let log = logged(|| {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let first = call("key-4711", "tenant-acme", "card-1234");
        assert_eq!(call("key-4711", "tenant-acme", "card-1234"), first);
        assert!(call("key-4711", "tenant-acme", "card-5678").is_err());
        assert!(call("key", "tenant-acme", "card-1234").is_err());
        let mut dead = Box::pin(charge("key-9", "tenant-acme", "card-1234", true));
        assert!(dead.as_mut().poll(&mut context).is_pending());
        assert!(call("key-9", "tenant-acme", "card-1234").is_err());
        drop(dead);
        assert!(call("key-9", "tenant-acme", "card-1234").is_ok());
        assert!(futures::executor::block_on(open("key-4711")).is_ok());
    });
    // A fence contains the time, and so any digits.
    let log: Vec<String> = log.iter().map(|line| without_fence(line)).collect();
    for secret in ["4711", "key-9", "acme", "card", "receipt"] {
        assert!(log.iter().all(|line| !line.contains(secret)), "{secret}: {log:#?}");
    }
    let used = "idempotency key used before for another call";
    let running = "another call with this idempotency key is running";
    assert_eq!(
        log.iter().map(|line| without_key(line)).collect::<Vec<_>>(),
        [
            "DEBUG idempotent call scope=\"scoped\" decision=\"acquired\" waited_ms=0 attempt=1",
            "INFO idempotent call scope=\"scoped\" decision=\"replayed\" waited_ms=0",
            "DEBUG idempotent call scope=\"scoped\" decision=\"mismatch\"",
            &format!("DEBUG call rejected: {used} kind=\"mismatch\""),
            "DEBUG call rejected: idempotency key invalid kind=\"invalid_key\"",
            "DEBUG idempotent call scope=\"scoped\" decision=\"acquired\" waited_ms=0 attempt=1",
            "DEBUG idempotent call scope=\"scoped\" decision=\"in_flight\" retry_after_ms=5000",
            &format!("DEBUG call rejected: {running} kind=\"in_flight\" retry_after_ms=5000"),
            "DEBUG idempotent call scope=\"scoped\" decision=\"acquired\" waited_ms=0 attempt=2",
            "WARN store error error=the idempotency store is full: the memory store has \
             reached its `max_records` (0) or `max_bytes` (268435456) decision=\"unprotected\"",
        ]
    );
}

/// Returns a line without the number of the fence.
fn without_fence(line: &str) -> String {
    match line.split_once(" fence=") {
        None => line.to_owned(),
        Some((before, after)) => {
            let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
            assert!(rest.len() < after.len(), "no fence: {line}");
            format!("{before}{rest}")
        }
    }
}

/// Returns a line without the eight digits of the key.
fn without_key(line: &str) -> String {
    match line.split_once(" key=\"") {
        None => line.to_owned(),
        Some((before, after)) => {
            let (key, after) = after.split_once('"').expect("a text in quotes");
            assert!(key.len() == 8 && key.bytes().all(|digit| digit.is_ascii_hexdigit()), "{key}");
            format!("{before}{after}")
        }
    }
}

#[test]
fn a_full_table_of_keys_and_a_shadow_rejection_are_logged() {
    #[rate_limit(rate = 1, per = "1h", key = user, key_label = user, max_keys = 1, name = "keyed")]
    fn keyed(user: &str) -> Result<(), Rejected> {
        Ok(())
    }
    #[rate_limit(rate = 1, per = "1h", shadow, name = "shadow")]
    fn shadow() -> Result<(), Rejected> {
        Ok(())
    }
    let _clock = testing::clock();
    let lines = logged(|| {
        for user in ["ann", "ann", "bob", "carol"] {
            let _ = keyed(user);
        }
        assert!(shadow().is_ok() && shadow().is_ok());
    });
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for (line, parts) in lines.iter().zip([
        ["DEBUG", "call rejected", "rate limit reached", "ann"],
        ["WARN", "key table full", "rate_limit", "max_keys"],
        ["DEBUG", "call rejected", "rate limit reached", "(overflow)"],
        ["DEBUG", "call would be rejected", "retry_after_ms", "rate_limited"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

#[test]
fn a_full_table_of_keys_is_logged_once_a_minute() {
    static TABLE: Keyed<Bulkhead> = Keyed::new(1, || Bulkhead::new(1).name("full"));
    let _held = TABLE.get("held");
    let lines = logged(|| {
        let clock = testing::clock();
        for wait in [0, 0, 59_999, 1, 0, 60_000] {
            clock.advance(Duration::from_millis(wait));
            let _ = TABLE.get("new");
        }
    });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("key table full")), "{lines:#?}");
}
