//! The rejection of another function, found in the errors that the caller returns.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use resilience::{
    CircuitBreaker, CircuitState, Classify, Guarded, Rejected, RejectedKind, circuit_breaker,
    rate_limit, retry, testing,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// The enum of `docs/errors.md`.
#[derive(Debug, thiserror::Error, Classify)]
enum ShopError {
    #[error("unknown article")]
    #[permanent]
    NotFound,
    #[error(transparent)]
    #[forward]
    Rejected(#[from] Rejected),
}

/// The error of another crate, without a classification.
#[derive(Debug)]
struct Foreign;

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("foreign")
    }
}

impl Error for Foreign {}

fn rejected() -> Rejected {
    Rejected::new(RejectedKind::CircuitOpen, "shop", Some(Duration::from_secs(30)))
}

fn guarded() -> Guarded<Foreign> {
    Guarded::Rejected(rejected())
}

fn shared(error: impl Into<BoxError>) -> Arc<dyn Error + Send + Sync> {
    Arc::from(error.into())
}

/// Calls a function with `#[retry]` and a function with `#[circuit_breaker]`, which fail with this
/// error, and expects one call and a closed circuit.
macro_rules! finds {
    ($($error:ty: $value:expr),* $(,)?) => {
        $({
            static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);

            #[retry(attempts = 3)]
            fn retried(calls: &Cell<u32>) -> Result<(), $error> {
                calls.set(calls.get() + 1);
                Err($value)
            }

            #[circuit_breaker(breaker = BREAKER, error = |_| panic!("no rejection"))]
            fn counted() -> Result<(), $error> {
                Err($value)
            }

            let calls = Cell::new(0);
            assert!(retried(&calls).is_err() && counted().is_err());
            assert_eq!(calls.get(), 1, "{}: {}", stringify!($error), stringify!($value));
            assert_eq!(BREAKER.state(), CircuitState::Closed, "{}", stringify!($error));
        })*
    };
}

#[test]
fn every_error_type_that_holds_any_error_shows_the_rejection_of_another_function() {
    let _guard = testing::no_waits();
    finds! {
        anyhow::Error: rejected().into(),
        anyhow::Error: anyhow::Error::from(rejected()).context("prices"),
        anyhow::Error: ShopError::from(rejected()).into(),
        anyhow::Error: anyhow::Error::from(ShopError::from(rejected())).context("prices"),
        anyhow::Error: io::Error::from(rejected()).into(),
        anyhow::Error: Arc::new(rejected()).into(),
        anyhow::Error: Arc::new(guarded()).into(),
        anyhow::Error: Arc::new(io::Error::from(rejected())).into(),
        anyhow::Error: Arc::new(ShopError::from(rejected())).into(),
        anyhow::Error: shared(guarded()).into(),
        anyhow::Error: shared(io::Error::from(rejected())).into(),
        eyre::Report: ShopError::from(rejected()).into(),
        BoxError: rejected().into(),
        BoxError: ShopError::from(rejected()).into(),
        Box<dyn Error>: ShopError::from(rejected()).into(),
        Box<dyn Error + Send>: Box::new(ShopError::from(rejected())),
        Guarded<Foreign>: guarded(),
        Guarded<anyhow::Error>: Guarded::Rejected(rejected()),
        Guarded<anyhow::Error>: Guarded::Failed(rejected().into()),
        Guarded<BoxError>: Guarded::Failed(rejected().into()),
        Guarded<Guarded<Foreign>>: Guarded::Failed(guarded()),
        Guarded<Arc<Rejected>>: Guarded::Failed(Arc::new(rejected())),
        Guarded<io::Error>: Guarded::Failed(rejected().into()),
        Guarded<Arc<anyhow::Error>>: Guarded::Failed(Arc::new(rejected().into())),
        Arc<Guarded<Foreign>>: Arc::new(guarded()),
        Box<Guarded<Foreign>>: Box::new(guarded()),
        Rc<Guarded<Foreign>>: Rc::new(guarded()),
        Arc<Guarded<anyhow::Error>>: Arc::new(Guarded::Failed(rejected().into())),
        Arc<anyhow::Error>: Arc::new(rejected().into()),
        Box<anyhow::Error>: Box::new(rejected().into()),
        Rc<anyhow::Error>: Rc::new(rejected().into()),
        Arc<BoxError>: Arc::new(rejected().into()),
        Arc<dyn Error>: Arc::new(ShopError::from(rejected())),
        Arc<dyn Error + Send + Sync>: shared(rejected()),
        io::Error: rejected().into(),
        io::Error: io::Error::other(ShopError::from(rejected())),
        Arc<io::Error>: Arc::new(rejected().into()),
        Box<io::Error>: Box::new(rejected().into()),
        Rc<io::Error>: Rc::new(rejected().into()),
    }
}

/// The other errors of these types are transient, as before.
#[test]
fn an_error_without_a_rejection_is_retried() {
    macro_rules! retries {
        ($($error:ty: $value:expr),* $(,)?) => {
            $({
                #[retry(attempts = 3)]
                fn retried(calls: &Cell<u32>) -> Result<(), $error> {
                    calls.set(calls.get() + 1);
                    Err($value)
                }

                let calls = Cell::new(0);
                assert!(retried(&calls).is_err());
                assert_eq!(calls.get(), 3, "{}", stringify!($error));
            })*
        };
    }
    let _guard = testing::no_waits();
    retries! {
        io::Error: io::Error::other(Foreign),
        Arc<io::Error>: Arc::new(io::ErrorKind::NotFound.into()),
        Arc<anyhow::Error>: Arc::new(ShopError::NotFound.into()),
        Guarded<anyhow::Error>: Guarded::Failed(Foreign.into()),
        Arc<Guarded<Foreign>>: Arc::new(Guarded::Failed(Foreign)),
        Arc<Foreign>: Arc::new(Foreign),
    }
}

#[test]
fn a_retry_waits_for_the_limit_of_another_function() {
    #[rate_limit(rate = 1, per = "10s")]
    fn limited() -> Result<u32, ShopError> {
        Ok(7)
    }
    #[retry(attempts = 2, on_rejection = "wait")]
    fn patient() -> anyhow::Result<u32> {
        Ok(limited()?)
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    assert_eq!((patient().expect("7"), patient().expect("7")), (7, 7));
    assert!(clock.elapsed() >= Duration::from_secs(10), "{:?}", clock.elapsed());
}

#[test]
fn a_transparent_variant_shows_the_rejection_to_a_search_and_not_in_a_printed_chain() {
    let error = ShopError::from(rejected().because(Foreign));
    let found = Rejected::find(&error).expect("a rejection");
    assert_eq!(found, &rejected());
    assert_eq!(found.source().map(ToString::to_string).as_deref(), Some("foreign"));
    assert_eq!(resilience::http::classify_chain(&error), rejected().classify());
    assert_eq!(resilience::stores::find_class(&error), Some(rejected().classify()));
    assert!(Rejected::find(&ShopError::NotFound).is_none());
    let report = anyhow::Error::from(error).context("prices");
    let printed: Vec<_> = report.chain().map(ToString::to_string).collect();
    assert_eq!(printed, ["prices", "shop: circuit open; retry after 30s", "foreign"]);
}
