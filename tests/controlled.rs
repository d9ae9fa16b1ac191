//! The registry in a process with changes by name: explanations, health, waiting tasks and keys.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use resilience::{
    CircuitBreaker, CircuitState, DegradedPolicy, Keyed, PolicyKind, Rejected, circuit_breaker,
    circuit_closed, control, count_successes, explain, health, hedge, policies_matching,
    policy_key, register, retry, testing, timeout,
};

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn problem(name: &str) -> Option<DegradedPolicy> {
    health().degraded.into_iter().find(|policy| policy.name == name)
}

fn millis(millis: &[u64]) -> Vec<Duration> {
    millis.iter().copied().map(Duration::from_millis).collect()
}

#[tokio::test(start_paused = true)]
async fn an_explanation_has_the_settings_in_use() {
    #[retry(attempts = 3, backoff = "fixed", base_delay = "1s", name = "explain::in_use")]
    #[hedge(after = "1s", max = 2, idempotent, name = "explain::in_use")]
    #[timeout("2s", name = "explain::in_use")]
    async fn call() -> Result<(), Rejected> {
        Err(Rejected::timed_out("body", Duration::ZERO))
    }
    count_successes();
    let _ = call().await;
    let explained = || explain("explain::in_use").remove(0);
    let set = |setting: &str, value: &str| {
        control("explain::in_use").set(setting, value).expect("a valid value");
    };
    assert_eq!(explained().max_calls, Some(9));
    set("retry.attempts", "5");
    set("hedge.max", "1");
    set("timeout.limit", "3s");
    let changed = explained();
    assert_eq!(changed.max_calls, Some(10));
    assert_eq!(changed.delays, millis(&[1000; 4]));
    assert!(changed.layers[0].text.starts_with("at most 5 attempts"), "{changed}");
    assert_eq!(changed.layers[2].text, "drops the call after 3s");
    // Five times two attempts of 3 s, and the delays.
    assert_eq!(changed.longest, Some(Duration::from_secs(5 * 2 * 3 + 4)));
    control("explain::in_use").disable().expect("a name");
    let off = explained();
    assert_eq!((off.max_calls, off.longest), (Some(1), None));
    assert!(off.layers.iter().all(|layer| layer.text == "switched off"), "{off}");
}

#[test]
fn a_policy_that_rejects_no_call_is_not_degraded() {
    static API: CircuitBreaker = CircuitBreaker::new().name("health::observed");
    register(&API);
    API.force_open();
    assert!(problem("health::observed").is_some());
    control("health::observed").shadow(true).expect("a breaker");
    assert_eq!(problem("health::observed"), None);
    control("health::observed").shadow(false).expect("a breaker");
    assert!(problem("health::observed").is_some());
    control("health::observed").disable().expect("a breaker");
    assert_eq!(problem("health::observed"), None);
}

#[test]
fn a_forced_state_counts_until_its_end() {
    static API: CircuitBreaker = CircuitBreaker::new().name("health::forced");
    register(&API);
    let clock = testing::clock();
    control("health::forced").force_open_for(Duration::from_secs(10)).expect("a breaker");
    assert!(problem("health::forced").is_some());
    clock.advance(Duration::from_secs(10));
    assert_eq!(problem("health::forced"), None);
    assert_eq!(API.state(), CircuitState::Closed);
    assert_eq!(API.snapshot().open_for, None);
}

#[test]
fn a_wait_ends_when_the_breaker_is_dropped_or_switched_off() {
    static API: CircuitBreaker = CircuitBreaker::new().name("closing::off");
    let count = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let breaker = Arc::new(CircuitBreaker::new().name("closing::dropped"));
    register(&breaker);
    breaker.trip();
    let mut wait = pin!(circuit_closed("closing::dropped"));
    assert!(wait.as_mut().poll(&mut cx).is_pending());
    drop(breaker);
    // A test on another thread may be reading the breaker, which then ends after the reading.
    while count.0.load(Relaxed) == 0 {
        std::thread::yield_now();
    }
    assert!(wait.as_mut().poll(&mut cx).is_ready());

    register(&API);
    API.trip();
    let (mut by_name, mut by_hand) = (pin!(circuit_closed("closing::off")), pin!(API.closed()));
    assert!(by_name.as_mut().poll(&mut cx).is_pending());
    assert!(by_hand.as_mut().poll(&mut cx).is_pending());
    control("closing::off").disable().expect("a breaker");
    assert!(by_name.as_mut().poll(&mut cx).is_ready());
    assert!(by_hand.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn a_wait_that_begins_while_the_breaker_is_dropped_ends() {
    for _ in 0..2000 {
        let breaker = Arc::new(CircuitBreaker::new().name("closing::raced"));
        register(&breaker);
        breaker.trip();
        let count = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut wait = pin!(circuit_closed("closing::raced"));
        let begins = Barrier::new(2);
        let is_pending = std::thread::scope(|scope| {
            scope.spawn(|| {
                begins.wait();
                drop(breaker);
            });
            begins.wait();
            wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        });
        while is_pending && count.0.load(Relaxed) == 0 {
            std::thread::yield_now();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_forced_states_of_all_keys() {
    static HOSTS: Keyed<CircuitBreaker> =
        Keyed::new(10, || CircuitBreaker::new().name("closing::keys"));
    register(&HOSTS);
    let start = tokio::time::Instant::now();
    for (host, seconds) in [("a", 60), ("b", 30)] {
        let _ = HOSTS.get_with(host, |breaker| breaker.key_label(host));
        let key = control("closing::keys").key(host);
        key.force_open_for(Duration::from_secs(seconds)).expect("a key");
    }
    let limit = Duration::from_secs(300);
    tokio::time::timeout(limit, circuit_closed("closing::keys")).await.expect("the end of 60 s");
    assert_eq!(start.elapsed(), Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_a_forced_state_that_has_a_time() {
    static API: CircuitBreaker = CircuitBreaker::new().name("closing::forced");
    register(&API);
    let start = tokio::time::Instant::now();
    control("closing::forced").force_open_for(Duration::from_secs(60)).expect("a breaker");
    tokio::join!(circuit_closed("closing::forced"), API.closed());
    assert_eq!(start.elapsed(), Duration::from_secs(60));
    assert_eq!(API.state(), CircuitState::Closed);
}

#[test]
fn a_key_is_found_by_the_text_before_it_was_cut() {
    #[circuit_breaker(failure_threshold = 1, key = host, key_label = host, name = "keys::cut")]
    fn call(host: &str) -> Option<u32> {
        (host != "down").then_some(1)
    }
    let long = format!("{}\nend", "h".repeat(80));
    for host in ["tab\there", long.as_str()] {
        call(host);
        let key = policy_key("keys::cut", PolicyKind::CircuitBreaker, host).expect("a key");
        assert_eq!(policy_key("keys::cut", PolicyKind::CircuitBreaker, &key.key), Some(key));
        let controlled = control("keys::cut").key(host).force_open().expect("a breaker");
        assert_eq!(controlled.reached, 1);
        assert_eq!(call(host), None);
    }
}

fn successes(name: &str) -> u64 {
    let report = policies_matching(name).into_iter().find(|it| it.kind != PolicyKind::Function);
    report.expect("a listed policy").count("resilience.calls", &["success"])
}

/// The first event of a breaker creates its record, and reads the settings: in the middle of a call.
#[test]
fn a_breaker_by_hand_counts_each_success_once_under_settings() {
    control("successes::*").set("circuit_breaker.failure_threshold", "7").expect("a setting");
    count_successes();
    let breaker = CircuitBreaker::new().name("successes::by_hand");
    for _ in 0..3 {
        breaker.try_acquire().expect("closed").success();
    }
    assert_eq!(successes("successes::by_hand"), 3);
}

#[test]
fn a_breaker_by_hand_counts_each_success_of_a_classified_value() {
    count_successes();
    let breaker = CircuitBreaker::new().name("successes::of_values");
    for _ in 0..3 {
        let out: Result<u16, Rejected> =
            breaker.on(|_: &Rejected| true).on_ok(|status| *status >= 500).run(|| Ok(200));
        assert_eq!(out, Ok(200));
    }
    assert_eq!(successes("successes::of_values"), 3);
}

#[test]
fn breakers_of_functions_count_each_success_once() {
    static API: CircuitBreaker = CircuitBreaker::new().name("successes::shared");
    #[circuit_breaker(breaker = &API)]
    fn shared() -> Option<u32> {
        Some(1)
    }
    #[circuit_breaker(key = host, name = "successes::keyed")]
    fn keyed(host: &str) -> Option<u32> {
        (host != "down").then_some(1)
    }
    count_successes();
    for _ in 0..3 {
        shared();
        keyed("a");
        keyed("b");
    }
    assert_eq!(successes("successes::shared"), 3);
    assert_eq!(successes("successes::keyed"), 6);
}
