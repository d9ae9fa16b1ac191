//! The delays, to the nanosecond, under a paused clock and given draws.

use std::time::Duration;

use resilience::{Backoff, FailureClass, Jitter, retry, testing};

use crate::{Script, ms};

/// Runs an annotated function until giving up; returns the delays.
macro_rules! waits {
    ($($key:ident $(= $value:expr)?),*) => {{
        #[retry(attempts = 6, $($key $(= $value)?),*)]
        async fn fail(script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        let script = Script::new();
        assert_eq!(fail(&script).await, Err("down"));
        script.waits()
    }};
}

#[tokio::test(start_paused = true)]
async fn backoffs() {
    assert_eq!(waits!(jitter = "none"), [100, 200, 400, 800, 1600].map(ms));
    assert_eq!(
        waits!(jitter = "none", backoff = "exponential", base_delay = "10ms", factor = 3),
        [10, 30, 90, 270, 810].map(ms)
    );
    assert_eq!(waits!(backoff = "fixed", base_delay = "250ms"), [ms(250); 5]);
    assert_eq!(waits!(backoff = "linear", jitter = "none"), [100, 200, 300, 400, 500].map(ms));
    assert_eq!(waits!(backoff = "fibonacci", jitter = "none"), [100, 100, 200, 300, 500].map(ms));
    assert_eq!(
        waits!(backoff = ["100ms", "1s", "5s"], jitter = "none"),
        [100, 1000, 5000, 5000, 5000].map(ms)
    );
}

#[tokio::test(start_paused = true)]
async fn expressions() {
    const BASE: Duration = ms(14);
    const GROWTH: f64 = 1.5;
    struct Squares;
    impl Backoff for Squares {
        fn delay(&self, retry: u32) -> Duration {
            ms(u64::from(retry) * u64::from(retry))
        }
    }
    assert_eq!(
        waits!(base_delay = BASE, max_delay = ms(42), factor = GROWTH + 0.5, jitter = Jitter::None),
        [14, 28, 42, 42, 42].map(ms)
    );
    assert_eq!(waits!(backoff = Squares, jitter = "none"), [1, 4, 9, 16, 25].map(ms));
    assert_eq!(
        waits!(backoff = |retry| ms(u64::from(retry)), jitter = "none"),
        [1, 2, 3, 4, 5].map(ms)
    );
    // A ceiling applies to a custom backoff as well; the default is no ceiling.
    assert_eq!(
        waits!(backoff = |retry| ms(u64::from(retry)), jitter = "none", max_delay = "3ms"),
        [1, 2, 3, 3, 3].map(ms)
    );
    let minutes = waits!(backoff = vec![Duration::from_secs(60)], jitter = "none");
    assert_eq!(minutes, [Duration::from_secs(60); 5]);
}

#[tokio::test(start_paused = true)]
async fn jitters() {
    let _draws = testing::draws([0.5]);
    assert_eq!(waits!(jitter), [50, 100, 200, 400, 800].map(ms));
    // Full jitter is the default.
    assert_eq!(waits!(base_delay = "1s"), [500, 1000, 2000, 4000, 5000].map(ms));
    assert_eq!(waits!(jitter = "full"), [50, 100, 200, 400, 800].map(ms));
    assert_eq!(waits!(jitter = "equal"), [75, 150, 300, 600, 1200].map(ms));
    assert_eq!(waits!(jitter = 0.5), [125, 250, 500, 1000, 2000].map(ms));
    assert_eq!(waits!(jitter = "10ms"), [105, 205, 405, 805, 1605].map(ms));
    // s <- base + u * (3 * s - base)
    assert_eq!(
        waits!(jitter = "decorrelated", base_delay = "64ms", max_delay = "500ms"),
        [128, 224, 368, 500, 500].map(ms)
    );
    // Fixed delays have no jitter by default.
    assert_eq!(waits!(backoff = "fixed"), [ms(100); 5]);
    assert_eq!(waits!(backoff = "fixed", jitter), [ms(50); 5]);
}

#[tokio::test(start_paused = true)]
async fn the_ceiling_comes_before_full_and_equal() {
    let _draws = testing::draws([0.5]);
    assert_eq!(waits!(jitter, max_delay = "300ms"), [50, 100, 150, 150, 150].map(ms));
    assert_eq!(waits!(jitter = "equal", max_delay = "300ms"), [75, 150, 225, 225, 225].map(ms));
}

#[tokio::test(start_paused = true)]
async fn additive_jitter_is_still_spread_at_the_ceiling() {
    let low = {
        let _draws = testing::draws([0.0]);
        waits!(jitter = "50ms", max_delay = "300ms")
    };
    let high = {
        let _draws = testing::draws([1.0]);
        waits!(jitter = "50ms", max_delay = "300ms")
    };
    // The interval moves down to end at the ceiling.
    assert_eq!(low, [100, 200, 250, 250, 250].map(ms));
    assert_eq!(high, [150, 250, 300, 300, 300].map(ms));
    let _draws = testing::draws([0.0]);
    assert_eq!(waits!(jitter = 0.5, max_delay = "300ms"), [100, 200, 150, 150, 150].map(ms));
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_the_draws() {
    let first = {
        let _seed = testing::seed(7);
        waits!(jitter)
    };
    let again = {
        let _seed = testing::seed(7);
        waits!(jitter)
    };
    let other = {
        let _seed = testing::seed(8);
        waits!(jitter)
    };
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn concurrent_callers_draw_differently() {
    let policy = resilience::RetryPolicy::new().base_delay(Duration::from_secs(5));
    let draw = move || (0..8).map(|_| policy.delay(1, None)).collect::<Vec<_>>();
    let draws: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(draw)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for (index, one) in draws.iter().enumerate() {
        assert!(one.windows(2).all(|pair| pair[0] != pair[1]), "one thread draws anew each time");
        assert!(draws[..index].iter().all(|other| other != one), "two threads drew the same");
    }
}

/// A backoff of the user.
struct Cubic;

impl Backoff for Cubic {
    fn delay(&self, retry: u32) -> Duration {
        ms(u64::from(retry.pow(3)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_backoff_may_stand_behind_a_pointer() {
    struct Client {
        list: Vec<Duration>,
        array: [Duration; 2],
        own: Cubic,
        boxed: Box<dyn Backoff + Send + Sync>,
        shared: std::sync::Arc<Cubic>,
    }
    impl Client {
        #[retry(attempts = 4, jitter = "none", backoff = self.list)]
        async fn field(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        #[retry(attempts = 4, jitter = "none", backoff = &self.list)]
        async fn reference(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        #[retry(attempts = 4, jitter = "none", backoff = &self.list[1..])]
        async fn slice(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        #[retry(attempts = 4, jitter = "none", backoff = &self.array)]
        async fn array(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        #[retry(attempts = 4, jitter = "none", backoff = &self.own)]
        async fn own(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        #[retry(attempts = 4, jitter = "none", backoff = &*self.boxed)]
        async fn target_of_a_box(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        #[retry(attempts = 4, jitter = "none", backoff = self.boxed)]
        async fn a_box(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
        #[retry(attempts = 4, jitter = "none", backoff = std::sync::Arc::clone(&self.shared))]
        async fn an_arc(&self, script: &Script) -> Result<(), &'static str> {
            script.fail()
        }
    }
    let client = Client {
        list: [1, 2, 3].map(ms).into(),
        array: [1, 2].map(ms),
        own: Cubic,
        boxed: Box::new(Cubic),
        shared: std::sync::Arc::new(Cubic),
    };
    macro_rules! waits {
        ($method:ident) => {{
            let script = Script::new();
            assert_eq!(client.$method(&script).await, Err("down"));
            script.waits()
        }};
    }
    assert_eq!(waits!(field), [1, 2, 3].map(ms));
    assert_eq!(waits!(reference), [1, 2, 3].map(ms));
    assert_eq!(waits!(slice), [2, 3, 3].map(ms));
    assert_eq!(waits!(array), [1, 2, 2].map(ms));
    for waits in [waits!(own), waits!(target_of_a_box), waits!(a_box), waits!(an_arc)] {
        assert_eq!(waits, [1, 8, 27].map(ms));
    }
}

#[test]
fn a_policy_takes_a_backoff_behind_a_pointer() {
    fn second(backoff: impl Backoff) -> Duration {
        resilience::RetryPolicy::new().jitter(Jitter::None).backoff(backoff).delay(2, None)
    }
    let list = vec![ms(1), ms(2)];
    let list_of_two = &[ms(1), ms(2)];
    let object: &dyn Backoff = &Cubic;
    assert_eq!(second(&list), ms(2));
    assert_eq!(second(&list[1..]), ms(2));
    assert_eq!(second(list_of_two), ms(2));
    assert_eq!(second(object), ms(8));
    assert_eq!(second(Box::new(Cubic) as Box<dyn Backoff>), ms(8));
    assert_eq!(second(std::sync::Arc::new(Cubic)), ms(8));
    assert_eq!(second(std::rc::Rc::new(Cubic)), ms(8));
    let dynamic: std::sync::Arc<dyn Backoff> = std::sync::Arc::new(Cubic);
    assert_eq!(second(dynamic), ms(8));
}

#[test]
fn a_throttled_failure_waits_for_a_second_behind_a_pointer_too() {
    let shared: std::sync::Arc<dyn Backoff> = std::sync::Arc::new(|_| ms(10));
    let policy = resilience::RetryPolicy::new().attempts(2).backoff(shared);
    let (clock, _draws) = (testing::clock(), testing::draws([0.5]));
    let busy = policy.on(|(): &()| FailureClass::throttled(None)).run(|| Err::<(), ()>(()));
    assert_eq!((busy, clock.elapsed()), (Err(()), ms(500)));
}

#[tokio::test(start_paused = true)]
async fn a_jitter_on_top_stays_above_the_first_delay() {
    let _draws = testing::draws([0.0; 5]);
    assert_eq!(waits!(backoff = "fixed", base_delay = "100ms", jitter = "10s"), [ms(100); 5]);
    let _draws = testing::draws([0.0; 5]);
    assert_eq!(waits!(backoff = "fixed", base_delay = "30s", jitter = "5s"), [ms(30_000); 5]);
    let _draws = testing::draws([0.0; 5]);
    assert_eq!(waits!(backoff = "fixed", base_delay = "30s", jitter = 0.5), [ms(30_000); 5]);
    // Growing delays move below their end near the ceiling, and never below the first delay.
    let _draws = testing::draws([0.0; 5]);
    assert_eq!(
        waits!(base_delay = "1s", max_delay = "8s", jitter = "7s"),
        [1000, 1000, 1000, 1000, 1000].map(ms)
    );
}

/// A policy made at run time accepts every value.
#[test]
fn a_jitter_wider_than_the_ceiling_stays_above_the_first_delay() {
    let policy = resilience::RetryPolicy::new().base_delay(ms(100)).max_delay(ms(1000));
    let policy = policy.jitter(Jitter::UpTo(ms(10_000)));
    let _draws = testing::draws([0.0; 3]);
    assert_eq!([1, 2, 9].map(|retry| policy.delay(retry, None)), [ms(100); 3]);
    let error = policy.validate().expect_err("no room for the jitter").to_string();
    assert!(error.contains("with the jitter on top is longer than `max_delay` (1s)"), "{error}");
}
