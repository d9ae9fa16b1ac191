//! `#[idempotent]` and `IdempotencyPolicy`.

use core::time::Duration;

use crate::invalid::{require, require_times};
use crate::{MAX_IDEMPOTENCY_KEY_LENGTH, RuleResult};

/// Default of `ttl`, from the end of the call.
pub const TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Default of `lease`.
pub const LEASE: Duration = Duration::from_secs(30);

/// Default of `store_timeout`.
pub const STORE_TIMEOUT: Duration = Duration::from_millis(500);

/// The timeout of a maintenance step of the store: a batch of a purge, a list, or a removal.
pub const MAINTENANCE_TIMEOUT: Duration = Duration::from_secs(30);

/// Default of `concurrent`: how long a call waits for a running call with the same key.
pub const WAIT: Duration = Duration::from_secs(5);

/// Default of `version`.
pub const VERSION: u32 = 1;

/// Default of `min_key_length`, in characters.
pub const MIN_KEY_LENGTH: u32 = 1;

/// Default of `max_outcome`, in bytes.
pub const MAX_OUTCOME: u32 = 256 * 1024;

/// Checks the shortest text key, in characters.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) above the longest key, 255.
pub const fn min_key_length(characters: u32) -> RuleResult {
    require(
        characters as usize <= MAX_IDEMPOTENCY_KEY_LENGTH,
        "`min_key_length` must be at most 255, the length of the longest key",
    )
}

/// Checks how long an outcome is kept.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn ttl(ttl: Duration) -> RuleResult {
    require(
        !ttl.is_zero(),
        "`ttl` is zero, so no outcome would be kept; write a longer time, like `\"24h\"`",
    )
}

/// Checks the time after which a silent call counts as dead.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn lease(lease: Duration) -> RuleResult {
    require(
        !lease.is_zero(),
        "`lease` is zero, so every call would count as dead; write a longer time, like `\"30s\"`",
    )
}

/// Checks how long after its claim a call renews its lease.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn max_renewal(time: Duration) -> RuleResult {
    require(
        !time.is_zero(),
        "`max_renewal` is zero, so every call would count as dead; write a longer time, like \
         `\"10m\"`",
    )
}

/// Checks the lease against the time for which a call renews its lease.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) if the lease is longer, or if `max_renewal` is zero.
pub const fn lease_within_max_renewal(lease: Duration, max_renewal: Duration) -> RuleResult {
    if let broken @ Err(_) = self::max_renewal(max_renewal) {
        return broken;
    }
    require_times(
        lease.as_nanos() <= max_renewal.as_nanos(),
        "`lease` is longer than `max_renewal`, so the lease could not end on time; raise \
         `max_renewal` or lower `lease`",
        lease,
        max_renewal,
    )
}

/// Checks the time for one operation of the store.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn store_timeout(time: Duration) -> RuleResult {
    require(
        !time.is_zero(),
        "`store_timeout` is zero, so the store could never answer; write a longer time, like \
         `\"500ms\"`",
    )
}

/// Checks the lease against the time for which an outcome is kept, and both against zero.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where a time is zero or the lease is not shorter.
pub const fn lease_within_ttl(lease: Duration, ttl: Duration) -> RuleResult {
    if let broken @ Err(_) = self::ttl(ttl) {
        return broken;
    }
    if let broken @ Err(_) = self::lease(lease) {
        return broken;
    }
    require_times(
        lease.as_nanos() < ttl.as_nanos(),
        "`lease` is not shorter than `ttl`, so the record of a running call could expire; raise \
         `ttl` or lower `lease`",
        lease,
        ttl,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_about_the_shortest_key_names_the_longest() {
        let error = min_key_length(256).expect_err("a broken rule");
        assert!(error.message().contains(&format!("{MAX_IDEMPOTENCY_KEY_LENGTH},")), "{error}");
        assert!(min_key_length(255).is_ok());
    }
}
