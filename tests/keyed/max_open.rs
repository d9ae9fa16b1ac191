//! `max_open`: when many keys fail at once, the failure is probably ours, and further circuits stay
//! closed.

use std::cell::{Cell, RefCell};

use resilience::__private::{KeyLabel, Keyed, KeyedPolicy};
use resilience::{CircuitBreaker, CircuitState, Rejected, circuit_breaker, testing};

use crate::{down, ms, table};

const SECOND: u64 = 1000;

thread_local! {
    static UPLINK: Cell<bool> = const { Cell::new(true) };
}

/// Runs `calls`, and returns the hosts whose call reached the body.
fn reached(hosts: impl Iterator<Item = u32>, call: impl Fn(u32, &Cell<bool>)) -> Vec<u32> {
    let ran = Cell::new(false);
    hosts
        .filter(|host| {
            ran.set(false);
            call(*host, &ran);
            ran.get()
        })
        .collect()
}

#[test]
fn an_outage_of_the_uplink_opens_at_most_the_share() {
    #[circuit_breaker(failure_threshold = 3, reset_timeout = "30s", key = host, max_open = 0.3, name = "uplink")]
    fn fetch(host: u32, ran: &Cell<bool>) -> Result<(), Rejected> {
        ran.set(true);
        if UPLINK.get() { Ok(()) } else { Err(down()) }
    }
    let fetch = |host: u32, ran: &Cell<bool>| drop(fetch(host, ran));
    let clock = testing::clock();
    assert_eq!(reached(0..20, fetch).len(), 20);
    UPLINK.set(false);
    for _ in 0..10 {
        reached(0..20, fetch);
        clock.advance(ms(SECOND));
    }
    let closed = reached(0..20, fetch);
    assert_eq!(closed.len(), 14, "six of twenty are open: {closed:?}");
    assert!(table("uplink").held_openings > 14);
    // The uplink is back: the first call of a closed circuit succeeds at once.
    UPLINK.set(true);
    assert_eq!(reached(0..20, fetch), closed);
    clock.advance(ms(30 * SECOND));
    assert_eq!(reached(0..20, fetch).len(), 20);
}

#[test]
fn a_single_host_that_fails_opens() {
    #[circuit_breaker(failure_threshold = 3, key = host, max_open = 0.01)]
    fn fetch(host: u32, ran: &Cell<bool>) -> Result<(), Rejected> {
        ran.set(true);
        if host == 7 { Err(down()) } else { Ok(()) }
    }
    let fetch = |host: u32, ran: &Cell<bool>| drop(fetch(host, ran));
    let _clock = testing::clock();
    for _ in 0..3 {
        reached(0..20, fetch);
    }
    assert_eq!(reached(0..20, fetch).len(), 19);
}

#[test]
fn fewer_than_five_keys_may_all_open() {
    #[circuit_breaker(failure_threshold = 3, key = host, max_open = 0.3)]
    fn fetch(host: u32, ran: &Cell<bool>) -> Result<(), Rejected> {
        ran.set(true);
        let _ = host;
        Err(down())
    }
    let fetch = |host: u32, ran: &Cell<bool>| drop(fetch(host, ran));
    let _clock = testing::clock();
    for _ in 0..3 {
        reached(0..4, fetch);
    }
    assert_eq!(reached(0..4, fetch), [0; 0]);
}

/// A service that has talked to thousands of hosts over the year has twenty today.
#[test]
fn keys_without_calls_do_not_count() {
    #[circuit_breaker(failure_threshold = 3, reset_timeout = "1h", key = host, max_open = 0.3)]
    fn fetch(host: u32, ran: &Cell<bool>) -> Result<(), Rejected> {
        ran.set(true);
        let _ = host;
        if UPLINK.get() { Ok(()) } else { Err(down()) }
    }
    let fetch = |host: u32, ran: &Cell<bool>| drop(fetch(host, ran));
    let clock = testing::clock();
    reached(0..5000, fetch);
    clock.advance(ms(3600 * SECOND));
    UPLINK.set(false);
    for _ in 0..10 {
        reached(0..20, fetch);
        clock.advance(ms(SECOND));
    }
    assert_eq!(reached(0..20, fetch).len(), 14);
}

/// A minute that ends late says nothing about the keys in use.
#[test]
fn the_keys_of_the_last_minute_count_unless_the_minute_took_two() {
    #[circuit_breaker(failure_threshold = 2, reset_timeout = "1h", key = host, max_open = 0.1)]
    fn fetch(host: u32, works: bool) -> Result<(), Rejected> {
        let _ = host;
        if works { Ok(()) } else { Err(down()) }
    }
    // Of twenty keys two may open, of six keys one.
    for (wait, open) in [(60_000, 2), (90_000, 2), (119_999, 2), (120_000, 1)] {
        let (clock, _state) = (testing::clock(), testing::fresh_state());
        fetch(100, false).expect_err("the first failure starts the minute");
        for host in 0..20 {
            assert!(fetch(host, true).is_ok());
        }
        clock.advance(ms(wait));
        for host in (0..6).chain(0..6) {
            fetch(host, false).expect_err("down");
        }
        let rejected = (0..6).filter(|host| fetch(*host, true).is_err());
        assert_eq!(rejected.count(), open, "{wait}");
    }
}

/// Hosts that are gone for good stay open without a call.
#[test]
fn open_keys_that_nobody_calls_do_not_count() {
    #[circuit_breaker(failure_threshold = 3, reset_timeout = "30s", key = host, max_open = 0.3)]
    fn fetch(host: u32, ran: &Cell<bool>) -> Result<(), Rejected> {
        ran.set(true);
        if host < 6 || host == 19 { Err(down()) } else { Ok(()) }
    }
    let fetch = |host: u32, ran: &Cell<bool>| drop(fetch(host, ran));
    let clock = testing::clock();
    for _ in 0..3 {
        reached(0..19, fetch);
    }
    assert_eq!(reached(0..19, fetch).len(), 14, "one of six stays closed");
    // The six hosts are removed from the configuration.
    clock.advance(ms(120 * SECOND));
    for _ in 0..3 {
        reached(6..20, fetch);
    }
    assert_eq!(reached(6..20, fetch).len(), 13, "the circuit of host 19 is open");
}

#[test]
fn a_held_breaker_opens_once_others_have_closed() {
    #[circuit_breaker(failure_threshold = 1, reset_timeout = "10s", key = host, max_open = 0.25)]
    fn fetch(host: u32, ran: &Cell<bool>) -> Result<(), Rejected> {
        ran.set(true);
        if UPLINK.get() && host != 9 { Ok(()) } else { Err(down()) }
    }
    let fetch = |host: u32, ran: &Cell<bool>| drop(fetch(host, ran));
    let clock = testing::clock();
    for failing in [1, 2] {
        UPLINK.set(true);
        reached(0..9, fetch);
        UPLINK.set(false);
        reached(failing..=failing, fetch);
    }
    assert_eq!(reached(9..10, fetch), [9], "the first failure");
    assert_eq!(reached(9..10, fetch), [9], "still closed");
    UPLINK.set(true);
    clock.advance(ms(10 * SECOND));
    assert_eq!(reached(0..9, fetch).len(), 9, "the others close");
    assert_eq!(reached(9..10, fetch), [9]);
    assert_eq!(reached(9..10, fetch), [0; 0], "open");
}

#[test]
fn the_snapshot_says_that_the_breaker_is_held() {
    let _clock = testing::clock();
    let table: Keyed<CircuitBreaker> =
        Keyed::new(100, || CircuitBreaker::new().failure_threshold(2).max_open(0.3));
    let fail = |host: u32| {
        if let Ok(guard) = table.get(&host).try_acquire() {
            guard.failure();
        }
    };
    for _ in 0..2 {
        (0..10).for_each(fail);
    }
    let open = (0..10).filter(|host| table.get(host).state() == CircuitState::Open).count();
    assert_eq!(open, 3);
    let held = table.get(&9).snapshot();
    assert_eq!((held.state, held.held_closed, held.held_openings), (CircuitState::Closed, true, 1));
    fail(9);
    assert_eq!(table.get(&9).snapshot().held_openings, 2);
    assert_eq!(table.figures().held_openings, 8);
    table.get(&9).try_acquire().expect("closed").success();
    let held = table.get(&9).snapshot();
    assert_eq!((held.held_closed, held.held_openings), (false, 2), "the total stays");
    // Manual control is not limited, and counts.
    table.get(&9).trip();
    assert_eq!(table.get(&9).state(), CircuitState::Open);
}

#[test]
fn slow_calls_are_held_too() {
    let clock = testing::clock();
    let table: Keyed<CircuitBreaker> = Keyed::new(100, || {
        CircuitBreaker::new().slow_call(ms(100)).count_window(4).min_calls(2).max_open(0.3)
    });
    for _ in 0..4 {
        for host in 0..10 {
            if let Ok(guard) = table.get(&host).try_acquire() {
                clock.advance(ms(200));
                guard.success();
            }
        }
    }
    let open = (0..10).filter(|host| table.get(host).state() == CircuitState::Open).count();
    assert_eq!(open, 3);
}

#[test]
fn an_evicted_breaker_does_not_count() {
    let clock = testing::clock();
    let make = || CircuitBreaker::new().failure_threshold(1).max_open(0.4);
    let table: Keyed<CircuitBreaker> = Keyed::new(6, make);
    let fail = |host: u32| {
        if let Ok(guard) = table.get(&host).try_acquire() {
            guard.failure();
        }
    };
    (0..6).for_each(|host| drop(table.get(&host)));
    (0..6).for_each(fail);
    assert!(table.figures().held_openings > 0);
    // Other hosts take the places of the stale ones.
    clock.advance(ms(3600 * SECOND));
    (10..16).for_each(|host| drop(table.get(&host)));
    fail(10);
    assert_eq!(table.get(&10).state(), CircuitState::Open);
}

#[test]
fn the_change_of_a_breaker_has_the_label_of_the_key() {
    thread_local!(static SEEN: RefCell<Vec<Option<String>>> = const { RefCell::new(Vec::new()) });
    let breaker = CircuitBreaker::new()
        .on_state_change(|change| {
            let label = change.key.as_deref().map(str::to_owned);
            SEEN.with_borrow_mut(|seen| seen.push(label));
        })
        .with_key_label(KeyLabel::new("eu-1"));
    breaker.trip();
    assert_eq!(SEEN.take(), [Some("eu-1".to_owned())]);
}
