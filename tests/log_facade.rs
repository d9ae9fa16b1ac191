//! The events as records of the crate `log`: `cargo test --features log --test log_facade`.
#![cfg(feature = "log")]

use std::cell::RefCell;

use log::{LevelFilter, Log, Metadata, Record};
use resilience::{Rejected, fallback, rate_limit, retry, testing};

thread_local!(static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilience"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            LINES.with_borrow_mut(|lines| {
                // The bridge of `tracing` writes other quotes.
                let line = format!("{} {}", record.level(), record.args()).replace('"', "");
                let (line, place) = line.split_once(" location=").unwrap_or((&line, ""));
                assert!(place.is_empty() || place.starts_with(file!()), "{place}");
                lines.push(line.to_owned());
            });
        }
    }

    fn flush(&self) {}
}

#[fallback(value = 7, name = "price")]
#[retry(attempts = 2, jitter = "none", name = "price")]
fn price() -> Result<u32, &'static str> {
    Err("no connection")
}

#[rate_limit(rate = 1, per = "1m", key = user, key_label = user, name = "limit")]
fn limited(user: &str) -> Result<(), Rejected> {
    let _ = user;
    Ok(())
}

#[retry(name = "plain")]
#[rate_limit(rate = 1, per = "1h", name = "plain")]
fn plain() -> Result<(), Rejected> {
    Ok(())
}

/// One test: the logger and the presence of a subscriber belong to the process.
#[test]
fn events_are_records_until_a_subscriber_of_tracing_is_set() {
    log::set_logger(&Lines).expect("the first logger");
    log::set_max_level(LevelFilter::Trace);
    // In the normal mode of a process: a clock of a test ends the mode.
    assert!(plain().is_ok() && (0..3).all(|_| plain().is_err()));
    let lines = LINES.take();
    let rejections = lines.iter().filter(|line| line.contains("call rejected"));
    assert_eq!(rejections.count(), 3, "{lines:?}");
    let _clock = testing::clock();
    assert_eq!(price(), Ok(7));
    assert!(limited("ann").is_ok() && limited("ann").is_err());
    assert_eq!(
        LINES.take(),
        [
            "WARN retrying function=price attempt=1 max_attempts=2 error=no connection \
             kind=Transient effect=Unknown elapsed_ms=0 delay_ms=100 delay_source=backoff",
            "WARN giving up: all attempts are used up function=price attempt=2 max_attempts=2 \
             error=no connection kind=Transient effect=Unknown elapsed_ms=100 \
             stop_reason=attempts",
            "INFO fallback used function=price error=no connection kind=Transient \
             effect=Unknown reason=error",
            "DEBUG call rejected: rate limit reached function=limit kind=rate_limited key=ann \
             retry_after_ms=60000",
        ]
    );
    log::set_max_level(LevelFilter::Warn);
    assert_eq!(price(), Ok(7));
    assert_eq!(LINES.take().len(), 2);
    #[cfg(feature = "tracing")]
    {
        let subscriber = tracing::subscriber::NoSubscriber::new();
        tracing::subscriber::with_default(subscriber, || assert_eq!(price(), Ok(7)));
        assert!(LINES.take().is_empty());
    }
}
