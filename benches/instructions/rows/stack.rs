//! Several attributes on one async function, and the hand-written equivalent.

use resilience::{bulkhead, circuit_breaker, fallback, retry, timeout};

use super::breaker::{Counter, Failure, Result, call};
use super::others::Places;

/// Two copies of the annotated function.
pub(super) mod plain {
    use super::{Result, call};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }

    pub(crate) use by_hand as annotated;
}

pub(super) mod retried {
    use super::{Result, call, retry};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        attempts!(plain!(input).await, tokio::time::sleep, await)
    }

    #[retry(attempts = 4)]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}

pub(super) mod three {
    use super::{Counter, Failure, Result, call, circuit_breaker, retry, timeout};

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        attempts!(counted!(timed!(plain!(input))), tokio::time::sleep, await)
    }

    #[retry(attempts = 4)]
    #[circuit_breaker]
    #[timeout("5s")]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}

pub(super) mod five {
    use super::{
        Counter, Failure, Places, Result, bulkhead, call, circuit_breaker, fallback, retry, timeout,
    };

    pub(crate) async fn by_hand(input: u32) -> Result<u32> {
        let result: Result<u32> = async {
            attempts!(counted!(placed!(timed!(plain!(input)))), tokio::time::sleep, await)
        }
        .await;
        match result {
            Ok(value) => Ok(value),
            Err(_) => Ok(7),
        }
    }

    #[fallback(value = 7)]
    #[retry(attempts = 4)]
    #[circuit_breaker]
    #[bulkhead(max = 10)]
    #[timeout("5s")]
    pub(crate) async fn annotated(input: u32) -> Result<u32> {
        let value = std::future::ready(call(input)).await?;
        Ok(value ^ input)
    }
}
