//! One refusal of a host, obeyed by all.

use std::time::Duration;

use http::{Response, StatusCode};
use resilience::http::HostCooldown;
use resilience::{RejectedKind, testing};
use tokio::time::Instant;

fn answer(status: u16, after: &str) -> Response<()> {
    Response::builder().status(status).header("retry-after", after).body(()).expect("an answer")
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn it_closes_for_refusals_with_a_time_only() {
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
        assert_eq!(cooldown.observe("api.example", &answer(status, after)), closes, "{status} {after}");
        assert_eq!(cooldown.remaining("api.example"), closes.then_some(secs(5)));
        assert_eq!(cooldown.remaining("other.example"), None);
    }
    let limited = Response::builder().status(StatusCode::TOO_MANY_REQUESTS);
    let limited = limited.header("ratelimit", r#""default";r=0;t=7"#).body(()).expect("an answer");
    let cooldown = HostCooldown::new();
    assert!(cooldown.observe("api.example", &limited));
    assert_eq!(cooldown.remaining("API.example"), Some(secs(7)));
}

#[tokio::test(start_paused = true)]
async fn callers_wait_until_then_and_a_little_longer() {
    for (draw, expected) in [(0.0, 40_000), (0.5, 42_000), (1.0, 44_000)] {
        let _draws = testing::draws([draw]);
        let cooldown = HostCooldown::new();
        cooldown.observe("api.example", &answer(429, "40"));
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
async fn a_refusal_while_they_wait_makes_them_wait_on() {
    let _draws = testing::draws([0.0]);
    let cooldown = HostCooldown::new();
    cooldown.start("api.example", secs(10));
    let start = Instant::now();
    let later = async {
        tokio::time::sleep(secs(5)).await;
        cooldown.start("api.example", secs(20));
        cooldown.start("api.example", secs(1)); // shortens nothing
    };
    let (entered, ()) = tokio::join!(cooldown.enter("api.example"), later);
    assert_eq!(entered, Ok(()));
    assert_eq!(start.elapsed().as_secs(), 25);
}

#[test]
fn too_long_a_wait_is_a_rejection() {
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
fn a_blocked_thread_waits_as_well() {
    let clock = testing::clock();
    let _draws = testing::draws([0.0]);
    let cooldown = HostCooldown::new();
    cooldown.start("api.example", secs(30));
    assert_eq!(cooldown.enter_blocking("api.example"), Ok(()));
    assert_eq!(clock.elapsed(), secs(30));
}

#[test]
fn skipped_waits_end() {
    let _guard = testing::no_waits();
    let cooldown = HostCooldown::new();
    cooldown.start("api.example", secs(30));
    assert_eq!(cooldown.enter_blocking("api.example"), Ok(()));
}

#[test]
fn it_is_bounded_in_hosts_and_in_time() {
    let clock = testing::clock();
    let cooldown = HostCooldown::new().max_hosts(2).max_cooldown(secs(100));
    cooldown.observe("forever.example", &answer(503, "99999999999999999999"));
    assert_eq!(cooldown.remaining("forever.example"), Some(secs(100)));
    cooldown.start("short.example", secs(10));
    cooldown.start("new.example", secs(20));
    assert_eq!(cooldown.remaining("short.example"), None); // the first to open again had to go
    assert!(cooldown.remaining("forever.example").is_some() && cooldown.remaining("new.example").is_some());
    clock.advance(secs(21));
    cooldown.start("last.example", secs(1));
    assert!(cooldown.remaining("forever.example").is_some() && cooldown.remaining("new.example").is_none());
}
