//! Sources of a breaker: shared, in an instance, or per key.

use std::sync::Arc;

use resilience::{CircuitBreaker, CircuitState, circuit_breaker, testing};

use crate::Failure;

static PAYMENTS: CircuitBreaker = CircuitBreaker::new().failure_threshold(2).name("payments");

#[circuit_breaker(breaker = PAYMENTS)]
fn charge() -> Result<(), Failure> {
    Err(Failure::Down)
}

#[circuit_breaker(breaker = &PAYMENTS)]
async fn refund() -> Result<(), Failure> {
    Err(Failure::Down)
}

#[test]
fn functions_share_a_breaker() {
    assert_eq!(charge(), Err(Failure::Down));
    assert_eq!(futures::executor::block_on(refund()), Err(Failure::Down));
    let Err(Failure::Rejected(rejected)) = charge() else { panic!("open") };
    assert_eq!(rejected.name(), "payments");
}

struct Client {
    breaker: CircuitBreaker,
}

impl Client {
    fn new() -> Self {
        Self { breaker: CircuitBreaker::new().failure_threshold(1) }
    }

    #[circuit_breaker(breaker = self.breaker)]
    async fn call(&self, text: String) -> Result<String, Failure> {
        drop(text);
        Err(Failure::Down)
    }
}

#[test]
fn each_instance_has_a_breaker() {
    let (one, other) = (Client::new(), Client::new());
    let call = |client: &Client| futures::executor::block_on(client.call("a".into()));
    assert_eq!(call(&one), Err(Failure::Down));
    assert!(matches!(call(&one), Err(Failure::Rejected(_))));
    assert_eq!(call(&other), Err(Failure::Down));
}

struct Exclusive {
    breaker: Arc<CircuitBreaker>,
    calls: u32,
}

impl Exclusive {
    #[circuit_breaker(breaker = self.breaker)]
    async fn call(&mut self) -> Result<(), Failure> {
        self.calls += 1;
        Err(Failure::Down)
    }

    #[circuit_breaker(breaker = Arc::clone(&self.breaker))]
    fn sync(&mut self) -> Result<(), Failure> {
        self.calls += 1;
        Err(Failure::Down)
    }

    #[circuit_breaker(breaker = self.breaker)]
    fn consumed(self) -> Result<(), Self> {
        Err(self)
    }
}

impl From<resilience::Rejected> for Exclusive {
    fn from(_: resilience::Rejected) -> Self {
        unreachable!("closed")
    }
}

#[test]
fn an_arc_is_held_while_the_body_changes_self() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(2));
    let mut client = Exclusive { breaker: Arc::clone(&breaker), calls: 0 };
    assert_eq!(futures::executor::block_on(client.call()), Err(Failure::Down));
    assert_eq!(client.sync(), Err(Failure::Down));
    assert!(matches!(client.sync(), Err(Failure::Rejected(_))));
    assert_eq!(client.calls, 2);
    breaker.reset();
    assert!(client.consumed().is_err());
    assert_eq!(breaker.snapshot().consecutive_failures, 1);
}

fn of_the_day(breakers: &[Arc<CircuitBreaker>], day: usize) -> Arc<CircuitBreaker> {
    Arc::clone(&breakers[day])
}

#[test]
fn a_breaker_may_be_looked_up() {
    #[circuit_breaker(breaker = of_the_day(breakers, day))]
    fn call(breakers: &[Arc<CircuitBreaker>], day: usize) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    let breakers = [0, 1].map(|_| Arc::new(CircuitBreaker::new().failure_threshold(1)));
    assert_eq!(call(&breakers, 0), Err(Failure::Down));
    assert!(matches!(call(&breakers, 0), Err(Failure::Rejected(_))));
    assert_eq!(call(&breakers, 1), Err(Failure::Down));
}

#[circuit_breaker(failure_threshold = 2, key = host)]
fn by_host(host: &str, ok: bool) -> Result<(), Failure> {
    if ok { Ok(()) } else { Err(Failure::Down) }
}

#[circuit_breaker(failure_threshold = 1, key = (host.as_str(), port), max_keys = 4)]
async fn by_address(host: String, port: u16, ok: bool) -> Result<String, Failure> {
    if ok { Ok(host) } else { Err(Failure::Down) }
}

#[test]
fn each_key_has_a_breaker() {
    for _ in 0..2 {
        assert_eq!(by_host("a", false), Err(Failure::Down));
    }
    assert!(matches!(by_host("a", true), Err(Failure::Rejected(_))));
    assert_eq!(by_host(&String::from("b"), true), Ok(()));
}

#[test]
fn keys_are_bounded_and_an_open_breaker_is_never_evicted() {
    let call = |port, ok| futures::executor::block_on(by_address("host".into(), port, ok));
    assert_eq!(call(0, false), Err(Failure::Down));
    for port in 1..1000 {
        assert_eq!(call(port, true), Ok("host".into()));
    }
    assert!(matches!(call(0, true), Err(Failure::Rejected(_))));
    // Four open breakers fill the table: all further keys share a breaker.
    for port in 1..4 {
        assert_eq!(call(port, false), Err(Failure::Down));
    }
    assert_eq!(call(9, false), Err(Failure::Down));
    assert!(matches!(call(10, true), Err(Failure::Rejected(_))));
}

#[test]
fn fresh_state_resets_breakers_for_a_test() {
    #[circuit_breaker(failure_threshold = 1, name = "fresh")]
    fn call() -> Result<(), Failure> {
        Err(Failure::Down)
    }
    #[circuit_breaker(failure_threshold = 1, key = key)]
    fn keyed(key: u32) -> Result<(), Failure> {
        Err(Failure::Down)
    }
    assert!(circuit_breaker("fresh").is_none(), "never called");
    for _ in 0..2 {
        let _state = testing::fresh_state();
        assert_eq!(call(), Err(Failure::Down));
        assert_eq!(keyed(1), Err(Failure::Down));
        assert!(matches!(call(), Err(Failure::Rejected(_))));
        assert!(matches!(keyed(1), Err(Failure::Rejected(_))));
    }
    assert_eq!(call(), Err(Failure::Down), "untouched by the tests");
    let breaker = circuit_breaker("fresh").expect("known by now");
    assert_eq!(breaker.state(), CircuitState::Open);
    breaker.force_close();
    assert_eq!(call(), Err(Failure::Down));
}
