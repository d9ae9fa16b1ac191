// `Self` in the `static` state of a method.

use std::io::Result;
use std::time::Duration;

use resilience::{StateChange, bulkhead, circuit_breaker, fallback, hedge, rate_limit, retry, timeout};

struct Client;

impl Client {
    const CALLS: u32 = 5;
    const TIME: Duration = Duration::from_secs(1);

    fn is_transient(_: &std::io::Error) -> bool {
        true
    }

    fn report(_: &StateChange) {}

    // These keys are no part of a `static`.
    #[fallback(stale = Self::TIME, key = (), scope = "global")]
    #[retry(attempts = Self::CALLS, backoff = [Self::TIME], on = Self::is_transient)]
    #[hedge(after = Self::TIME, idempotent, on = Self::is_transient)]
    #[timeout(Self::TIME)]
    async fn constants(&self) -> Result<()> {
        Ok(())
    }

    #[circuit_breaker(failure_threshold = Self::CALLS, on_state_change = Self::report)]
    //~ error at `Self::CALLS`: `failure_threshold` belongs to the `static` state of the function, and a `static` cannot use `Self`; write the name of the type in place of `Self`, or in a trait a constant outside of the trait
    //~ error at `Self::report`: `on_state_change` belongs to the `static` state of the function, and a `static` cannot use `Self`; write the name of the type in place of `Self`, or in a trait a constant outside of the trait
    fn breaker(&self) -> Result<()> {
        Ok(())
    }

    #[circuit_breaker(failure_rate = 0.5, window = Self::CALLS)]
    //~ error at `Self::CALLS`: `window` belongs to the `static` state of the function, and a `static` cannot use `Self`; write the name of the type in place of `Self`, or in a trait a constant outside of the trait
    fn window(&self) -> Result<()> {
        Ok(())
    }

    #[rate_limit(rate = Self::CALLS, per = Self::TIME)]
    //~ error at `Self::CALLS`: `rate` belongs to the `static` state of the function, and a `static` cannot use `Self`; write the name of the type in place of `Self`, or in a trait a constant outside of the trait
    //~ error at `Self::TIME`: `per` belongs to the `static` state of the function, and a `static` cannot use `Self`; write the name of the type in place of `Self`, or in a trait a constant outside of the trait
    fn rate(&self) -> Result<()> {
        Ok(())
    }

    #[bulkhead(max = 5, key = 1, max_keys = Self::CALLS)]
    //~ error at `Self::CALLS`: `max_keys` belongs to the `static` state of the function, and a `static` cannot use `Self`; write the name of the type in place of `Self`, or in a trait a constant outside of the trait
    fn keys(&self) -> Result<()> {
        Ok(())
    }
}


