//! The tables with waits.

use std::time::Duration;

use resilience::{retry, testing};

use crate::{bare, rows};

/// An attribute, and the waits with the smallest and with the largest random numbers.
struct Tested {
    attribute: &'static str,
    waits: [Vec<f64>; 2],
}

macro_rules! retried {
    ($(#[$($attribute:tt)*])*) => {
        vec![$({
            #[$($attribute)*]
            fn call(clock: &testing::Clock, starts: &mut Vec<Duration>) -> Result<(), &'static str> {
                starts.push(clock.elapsed());
                Err("down")
            }
            let waits = |draw: f64| {
                let (clock, _draws) = (testing::clock(), testing::draws([draw; 20]));
                let mut starts = Vec::new();
                assert!(call(&clock, &mut starts).is_err());
                starts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect::<Vec<_>>()
            };
            Tested { attribute: stringify!(#[$($attribute)*]), waits: [waits(0.0), waits(1.0)] }
        }),*]
    };
}

fn tested() -> Vec<Tested> {
    retried! {
        // from-rust
        #[retry(attempts = 4, backoff = "fixed", base_delay = "1s")]
        #[retry(attempts = 3, backoff = "fixed", base_delay = "500ms")]
        #[retry(attempts = 4, base_delay = "1s", max_delay = "60s", jitter = "none")]
        #[retry(attempts = 6, base_delay = "100ms", factor = 3, max_delay = "2s", jitter = "none")]
        #[retry(attempts = 4, base_delay = "1s", max_delay = "60s", jitter = 1.0)]
        #[retry(
            attempts = 10, base_delay = "1s", max_delay = "60s", jitter = "none", deadline = "5s"
        )]
        #[retry(
            attempts = 6, backoff = "fibonacci", base_delay = "1s", max_delay = "60s", jitter = "none"
        )]
        #[retry(attempts = 4, backoff = "fixed", base_delay = "100ms")]
        #[retry(attempts = 4, base_delay = "10ms", factor = 10, jitter = "none")]
        #[retry(attempts = 5, base_delay = "2s", max_delay = "5s", jitter = "none")]
        #[retry(attempts = 4, base_delay = "1s")]
        #[retry(attempts = 4, base_delay = "500ms", jitter = "none")]
        #[retry(attempts = 6, backoff = "fibonacci", jitter = "none")]
        #[retry(attempts = 4, backoff = "fixed", base_delay = "500ms", jitter = "1s")]
        #[retry(attempts = 4, base_delay = "1s", max_delay = "30m")]
        #[retry(attempts = 4, base_delay = "1s", max_delay = "30m", jitter = "none")]
        #[retry(attempts = 5, base_delay = "100ms", factor = 3, max_delay = "1s", jitter = "none")]
        #[retry(backoff = "fixed", base_delay = "1s")]
        #[retry(attempts = 5, base_delay = "1s", max_delay = "5s", jitter = "none")]
        // from-resilience4j
        #[retry(attempts = 4, base_delay = "1s", factor = 1.5, jitter = "none")]
        #[retry(attempts = 3, backoff = "fixed", base_delay = "500ms", jitter = "1s")]
        // from-polly
        #[retry(attempts = 4, backoff = "fixed", base_delay = "2s")]
        #[retry(attempts = 4, backoff = "linear", base_delay = "2s", jitter = "none")]
        #[retry(attempts = 4, base_delay = "2s", jitter = "none")]
        #[retry(attempts = 4, base_delay = "2s", max_delay = "5s", jitter = "none")]
        #[retry(attempts = 4, backoff = "fixed", base_delay = "1500ms", jitter = "1s")]
        #[retry(attempts = "unlimited", deadline = "10s", backoff = "fixed", base_delay = "4s")]
    }
}

#[test]
fn the_waits_of_the_guides_are_the_waits_of_the_attributes() {
    let tested = tested();
    for row in rows() {
        let Some(expected) = row.waits else { continue };
        let same = |tested: &&Tested| bare(tested.attribute) == bare(&row.attribute);
        let waits = tested.iter().find(same).map(|tested| &tested.waits);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 0.001;
        let is_close = waits.is_some_and(|waits| {
            waits
                .iter()
                .zip(&expected)
                .all(|(ours, page)| ours.len() == page.len() && ours.iter().zip(page).all(close))
        });
        assert!(is_close, "{}: {waits:?} and not {expected:?}", row.attribute);
    }
}
