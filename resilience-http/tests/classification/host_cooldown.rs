//! `HostCooldown` without a network.

use std::time::Duration;

use http::{Response, StatusCode};
use resilience::http::HostCooldown;
use resilience::{RejectedKind, testing};
use tokio::time::Instant;

fn response(status: u16, after: &str) -> Response<()> {
    Response::builder().status(status).header("retry-after", after).body(()).expect("a response")
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn only_a_429_or_503_with_a_delay_starts_a_cooldown() {
    let _clock = testing::clock();
    for (status, after, closes) in [
        (429, "5", true),
        (503, "5", true),
        (429, "0", false),
        (429, "soon", false),
        (500, "5", false),
        (200, "5", false),
        (404, "5", false),
    ] {
        let cooldown = HostCooldown::new();
        assert_eq!(
            cooldown.observe("api.example", &response(status, after)),
            closes,
            "{status} {after}"
        );
        assert_eq!(cooldown.remaining("api.example"), closes.then_some(secs(5)));
        assert_eq!(cooldown.remaining("other.example"), None);
    }
    let limited = Response::builder().status(StatusCode::TOO_MANY_REQUESTS);
    let limited = limited.header("ratelimit", r#""default";r=0;t=7"#).body(()).expect("a response");
    let cooldown = HostCooldown::new();
    assert!(cooldown.observe("api.example", &limited));
    assert_eq!(cooldown.remaining("API.example"), Some(secs(7)));
}

#[tokio::test(start_paused = true)]
async fn callers_wait_for_the_cooldown_and_a_random_part() {
    for (draw, expected) in [(0.0, 40_000), (0.5, 42_000), (1.0, 44_000)] {
        let _draws = testing::draws([draw]);
        let cooldown = HostCooldown::new();
        cooldown.observe("api.example", &response(429, "40"));
        let start = Instant::now();
        assert_eq!(cooldown.enter("other.example").await, Ok(()));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(cooldown.enter("api.example").await, Ok(()));
        let waited = start.elapsed().as_millis();
        assert!((expected..=expected + 2).contains(&waited), "{waited}");
        assert_eq!(cooldown.remaining("api.example"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_cooldown_extends_the_wait() {
    let _draws = testing::draws([0.0]);
    let cooldown = HostCooldown::new();
    cooldown.start("api.example", secs(10));
    let start = Instant::now();
    let later = async {
        tokio::time::sleep(secs(5)).await;
        cooldown.start("api.example", secs(20));
        cooldown.start("api.example", secs(1)); // does not shorten
    };
    let (entered, ()) = tokio::join!(cooldown.enter("api.example"), later);
    assert_eq!(entered, Ok(()));
    assert_eq!(start.elapsed().as_secs(), 25);
}

#[test]
fn a_wait_above_the_limit_is_a_rejection() {
    let _clock = testing::clock();
    let cooldown = HostCooldown::new().max_wait(secs(30)).name("api");
    cooldown.start("api.example", secs(31));
    let rejected = cooldown.enter_blocking("api.example").expect_err("too long");
    assert_eq!((rejected.kind(), rejected.name()), (RejectedKind::RateLimited, "api"));
    assert_eq!(rejected.retry_after(), Some(secs(31)));
    cooldown.clear();
    assert_eq!(cooldown.enter_blocking("api.example"), Ok(()));
}

#[test]
fn enter_blocking_waits() {
    let clock = testing::clock();
    let _draws = testing::draws([0.0]);
    let cooldown = HostCooldown::new();
    cooldown.start("api.example", secs(30));
    assert_eq!(cooldown.enter_blocking("api.example"), Ok(()));
    assert_eq!(clock.elapsed(), secs(30));
}

#[test]
fn skipped_waits_end_the_cooldown_for_the_call() {
    let _guard = testing::no_waits();
    let cooldown = HostCooldown::new();
    cooldown.start("api.example", secs(30));
    assert_eq!(cooldown.enter_blocking("api.example"), Ok(()));
}

#[test]
fn hosts_and_cooldowns_are_bounded() {
    let clock = testing::clock();
    let cooldown = HostCooldown::new().max_hosts(2).max_cooldown(secs(100));
    cooldown.observe("forever.example", &response(503, "99999999999999999999"));
    assert_eq!(cooldown.remaining("forever.example"), Some(secs(100)));
    cooldown.start("short.example", secs(10));
    cooldown.start("new.example", secs(20));
    assert_eq!(cooldown.remaining("short.example"), None); // evicted: the earliest end
    assert!(
        cooldown.remaining("forever.example").is_some()
            && cooldown.remaining("new.example").is_some()
    );
    clock.advance(secs(21));
    cooldown.start("last.example", secs(1));
    assert!(
        cooldown.remaining("forever.example").is_some()
            && cooldown.remaining("new.example").is_none()
    );
}

#[test]
fn the_host_with_the_earliest_end_is_evicted_also_after_an_extension() {
    let _clock = testing::clock();
    let cooldown = HostCooldown::new().max_hosts(2).max_wait(secs(0));
    for (host, delay) in [("a", 10), ("b", 20), ("a", 30), ("b", 5), ("c", 40)] {
        assert!(cooldown.start(host, secs(delay)));
    }
    let left = ["a", "b", "c"].map(|host| cooldown.remaining(host));
    assert_eq!(left, [Some(secs(30)), None, Some(secs(40))]);
}

#[test]
fn hosts_whose_cooldown_is_over_make_room() {
    let clock = testing::clock();
    let cooldown = HostCooldown::new().max_hosts(2);
    for (host, delay) in [("a", 10), ("b", 20)] {
        cooldown.start(host, secs(delay));
    }
    clock.advance(secs(10));
    assert_eq!(cooldown.remaining("a"), None);
    cooldown.start("c", secs(5));
    assert_eq!(cooldown.remaining("b"), Some(secs(10)));
    clock.advance(secs(10));
    cooldown.start("d", secs(1));
    assert_eq!(["b", "c", "d"].map(|host| cooldown.remaining(host)), [None, None, Some(secs(1))]);
    cooldown.clear();
    assert_eq!(cooldown.remaining("d"), None);
}
