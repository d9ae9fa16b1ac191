//! Calls that wait before anything has read the registry: alone in the process, because after the
//! first reading every call lists its policies.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use resilience::{
    RateLimiter, Rejected, bulkhead, control, policies_matching, rate_limit, testing,
};

#[rate_limit(rate = 1, per = "1h", wait = "unlimited", name = "early::turn")]
async fn turn() -> Result<(), Rejected> {
    Ok(())
}

#[bulkhead(max = 1, queue = 4, wait = "1h", name = "early::permit")]
async fn permit() -> Result<(), Rejected> {
    std::future::pending().await
}

fn gauge(name: &str, figure: &str) -> Option<u64> {
    policies_matching(name).iter().find_map(|policy| policy.gauge(figure))
}

#[test]
fn waiting_calls_are_listed_and_can_be_controlled() {
    let mut cx = Context::from_waker(Waker::noop());
    let limiter = RateLimiter::new(1, Duration::from_secs(1)).wait(Duration::from_secs(9));
    let limiter = limiter.name("early::admitted");
    let clock = testing::clock();
    (0..3).for_each(|_| limiter.acquire_blocking().expect("a permit"));
    drop(clock);
    let (mut first, mut second) = (pin!(turn()), pin!(turn()));
    assert!(first.as_mut().poll(&mut cx).is_ready());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    let (mut running, mut queued) = (pin!(permit()), pin!(permit()));
    assert!(running.as_mut().poll(&mut cx).is_pending());
    assert!(queued.as_mut().poll(&mut cx).is_pending());

    // Admitted calls are counted from the first reading on, with and without a wait.
    let report = policies_matching("early::admitted").remove(0);
    assert_eq!(report.count("resilience.waits", &[]), 2);
    assert_eq!(report.count("resilience.calls", &["admitted"]), 0);

    assert_eq!(gauge("early::turn", "resilience.rate_limit.queued"), Some(1));
    assert_eq!(gauge("early::permit", "resilience.bulkhead.queued"), Some(1));
    assert_eq!(gauge("early::permit", "resilience.bulkhead.in_flight"), Some(1));

    let reset = control("early::turn").reset().expect("a rate limiter has this name");
    assert_eq!(reset.reached, 1);
    assert!(second.as_mut().poll(&mut cx).is_ready());
}
