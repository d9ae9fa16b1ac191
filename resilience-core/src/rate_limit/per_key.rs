//! A limiter per key: the limiters of a table share their definition.

use core::hash::Hash;
use std::sync::{Arc, OnceLock};

use super::{Defined, Definition, RateLimiter};
use crate::clock::Timestamp;
use crate::keyed::{KeyLabel, KeyState, Keyed, KeyedPolicy, listed, share_definition};
use crate::registry::PolicyFigures;
use crate::rejected::Rejected;

/// The limiter of a key in a [`Keyed`](crate::Keyed) table: the settings are in one place for the
/// table.
///
/// ```
/// use core::time::Duration;
/// use std::sync::Arc;
/// use resilience::{KeyRateLimiter, Keyed, RateLimiter};
///
/// let limits = Keyed::new(100, || RateLimiter::new(2, Duration::from_secs(1)));
/// let ann: Arc<KeyRateLimiter> = limits.get("ann");
/// assert!(ann.try_acquire().is_ok());
/// ```
pub type KeyRateLimiter = RateLimiter<Arc<Definition>>;

/// Takes a permit of an annotated function for `key`, as
/// [`try_acquire`](RateLimiter::try_acquire) does.
///
/// # Errors
/// [`Rejected`] with the time until the next permit.
#[inline]
pub fn keyed_take(
    table: &'static Keyed<RateLimiter>,
    key: &(impl Hash + ?Sized),
    adjust: impl FnOnce(RateLimiter) -> RateLimiter,
) -> Result<(), Rejected> {
    let start = |limiter: &KeyRateLimiter| limiter.take_plainly().ok();
    let started = listed(table).act_with(key, adjust, start);
    started.or_else(|limiter| limiter.try_acquire())
}

impl Definition {
    /// Returns whether a limiter with this definition behaves in the same way.
    fn is_like(&self, other: &Self) -> bool {
        let Self { settings, live: _, name, key, shared, figures } = self;
        *settings == other.settings
            && *name == other.name
            && *key == other.key
            && *shared == other.shared
            && figures.is_like(&other.figures)
    }
}

impl<D: Defined> KeyState for RateLimiter<D> {
    fn is_stale(&self, now: Timestamp) -> bool {
        let gcra = &self.state.gcra;
        match gcra.extra_if_needed().and_then(|extra| extra.share.get()) {
            Some(share) => share.is_at_rest(now),
            None => gcra.is_at_rest(now.word()),
        }
    }
}

impl KeyedPolicy for RateLimiter {
    type PerKey = KeyRateLimiter;
    type Common = Arc<Definition>;

    fn per_key(self, common: &OnceLock<Self::Common>) -> Self::PerKey {
        let Self { definition, state } = self;
        let definition = share_definition(common, definition, Definition::is_like);
        RateLimiter { definition, state }
    }

    fn or_name(self, name: &'static str) -> Self {
        let depth = self.definition.figures.depth;
        self.at(name, depth)
    }

    fn parts(&mut self) -> (&mut PolicyFigures, &mut Option<KeyLabel>) {
        let Definition { figures, key, .. } = &mut self.definition;
        (figures, key)
    }
}
