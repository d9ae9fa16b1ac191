//! The level of a call that gives up.

use resilience::{fallback, retry};

use crate::{Shy, logged};

/// Returns the levels of the events with this message.
fn levels(message: &str, run: fn()) -> Vec<String> {
    let has =
        |line: &&String| line.split_once(' ').is_some_and(|(_, rest)| rest.starts_with(message));
    let level = |line: &String| line.split(' ').next().map(str::to_owned);
    logged(run).iter().filter(has).filter_map(level).collect()
}

#[test]
fn the_level_of_giving_up_is_configurable() {
    macro_rules! level {
        ($($keys:tt)*) => {{
            #[retry(attempts = 2, $($keys)*)]
            fn call() -> Result<(), Shy> {
                Err(Shy)
            }
            levels("giving up", || assert_eq!(call(), Err(Shy)))
        }};
    }
    assert_eq!(level!(log_give_up = "error"), ["ERROR"]);
    assert_eq!(level!(log_give_up = "warn"), ["WARN"]);
    assert_eq!(level!(log_give_up = "info"), ["INFO"]);
    assert_eq!(level!(log_give_up = "debug", log = "info"), ["DEBUG"]);
    assert_eq!(level!(log_give_up = "off"), [""; 0]);
    assert_eq!(level!(log_give_up = "warn", log = "off"), ["WARN"]);
    assert_eq!(level!(log = "off"), [""; 0]);
}

#[test]
fn giving_up_without_logged_retries_leaves_the_retries() {
    #[retry(attempts = 3, log_give_up = "off")]
    async fn call() -> Result<(), Shy> {
        Err(Shy)
    }
    let run = || assert_eq!(futures::executor::block_on(call()), Err(Shy));
    assert_eq!(levels("retrying", run), ["WARN", "WARN"]);
    assert_eq!(levels("giving up", run), [""; 0]);
}

#[test]
fn a_fallback_above_lowers_the_level_of_giving_up() {
    #[fallback(value = ())]
    #[retry(attempts = 2)]
    fn call() -> Result<(), Shy> {
        Err(Shy)
    }
    #[fallback(value = ())]
    #[retry(attempts = 2, log_give_up = "error")]
    fn chosen() -> Result<(), Shy> {
        Err(Shy)
    }
    #[retry(attempts = 2)]
    #[fallback(value = (), on = |_| false)]
    fn below() -> Result<(), Shy> {
        Err(Shy)
    }
    assert_eq!(levels("giving up", || assert_eq!(call(), Ok(()))), ["WARN"]);
    assert_eq!(levels("giving up", || assert_eq!(chosen(), Ok(()))), ["ERROR"]);
    assert_eq!(levels("giving up", || assert_eq!(below(), Err(Shy))), ["ERROR"]);
}
