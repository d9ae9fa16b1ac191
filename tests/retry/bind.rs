//! What a body can know of its attempt.

use std::time::Duration;

use resilience::{retry, testing};

use crate::ms;

type Seen = (u32, Option<Duration>, Duration, bool);

#[tokio::test(start_paused = true)]
async fn the_attempt_by_name() {
    #[retry(bind = attempt, jitter = "none", deadline = "10s")]
    async fn call(seen: &mut Vec<Seen>) -> Result<(), u32> {
        seen.push((
            attempt.number(),
            attempt.previous_delay(),
            attempt.elapsed(),
            attempt.is_last(),
        ));
        tokio::time::sleep(ms(10)).await;
        Err(attempt.number())
    }
    let mut seen = Vec::new();
    assert_eq!(call(&mut seen).await, Err(3));
    assert_eq!(
        seen,
        [
            (1, None, ms(0), false),
            (2, Some(ms(100)), ms(110), false),
            (3, Some(ms(200)), ms(320), true),
        ]
    );
}

#[test]
fn in_sync_functions_and_methods() {
    struct Client {
        log: Vec<u32>,
    }
    impl Client {
        #[retry(bind = n, attempts = "unlimited", clone(text))]
        fn call(&mut self, mut text: String) -> Result<String, ()> {
            self.log.push(n.number());
            text.push_str(&n.number().to_string());
            assert!(!n.is_last(), "there is no last");
            if n.number() < 3 { Err(()) } else { Ok(text) }
        }
    }
    let _guard = testing::no_waits();
    let mut client = Client { log: vec![] };
    assert_eq!(client.call("x".into()), Ok("x3".into()));
    assert_eq!(client.log, [1, 2, 3]);
}
