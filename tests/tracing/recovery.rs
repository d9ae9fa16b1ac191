//! A success after a retry is an event.

use resilience::{RetryPolicy, retry};

use crate::{Shy, logged};

#[test]
fn a_success_after_a_retry_is_an_event() {
    #[retry(attempts = 4, jitter = "none", log = "debug")]
    fn sync(calls: &mut u32) -> Result<(), Shy> {
        *calls += 1;
        if *calls < 3 { Err(Shy) } else { Ok(()) }
    }
    #[retry(attempts = 4, jitter = "none")]
    async fn plain(calls: &mut u32) -> Result<(), Shy> {
        *calls += 1;
        if *calls < 3 { Err(Shy) } else { Ok(()) }
    }
    #[retry(attempts = 4, jitter = "none", on_ok = |calls| *calls < 3)]
    async fn polled(calls: &mut u32) -> Result<u32, Shy> {
        *calls += 1;
        Ok(*calls)
    }
    let last = |run: &mut dyn FnMut()| logged(run).pop().expect("an event");
    let info = "INFO succeeded after a retry attempt=3 max_attempts=4 elapsed_ms=300";
    assert_eq!(
        last(&mut || assert_eq!(sync(&mut 0), Ok(()))),
        "DEBUG succeeded after a retry attempt=3 max_attempts=4 elapsed_ms=300"
    );
    assert_eq!(last(&mut || assert_eq!(futures::executor::block_on(plain(&mut 0)), Ok(()))), info);
    assert_eq!(last(&mut || assert_eq!(futures::executor::block_on(polled(&mut 0)), Ok(3))), info);
    let mut calls = 0;
    let policy = RetryPolicy::new().attempts(4).jitter(resilience::Jitter::None);
    assert_eq!(
        last(&mut || {
            let run = policy.run(|| {
                calls += 1;
                if calls < 3 { Err(Shy) } else { Ok(()) }
            });
            assert_eq!(run, Ok(()));
        }),
        info
    );
}

#[test]
fn a_first_success_and_a_silent_retry_are_no_events() {
    #[retry(attempts = 4, deadline = "1m")]
    fn first() -> Result<(), Shy> {
        Ok(())
    }
    #[retry(attempts = 4, log = "off")]
    fn silent(calls: &mut u32) -> Result<(), Shy> {
        *calls += 1;
        if *calls < 3 { Err(Shy) } else { Ok(()) }
    }
    assert!(logged(|| assert_eq!((first(), silent(&mut 0)), (Ok(()), Ok(())))).is_empty());
}
