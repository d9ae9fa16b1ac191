//! The layers of `tower` around real clients.

mod hyper_util;
mod reqwest;

use std::time::Duration;

use resilience::RetryPolicy;

/// Three attempts without a delay.
const POLICY: RetryPolicy = RetryPolicy::new().base_delay(Duration::ZERO);
