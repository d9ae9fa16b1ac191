//! The interface between [`RateLimitSync`](super::RateLimitSync) and a store.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::random_bits::random_bits;

/// A store of leases, shared by several processes. A lease is a share of the rate of one name, held
/// by one member until the end of the lease. A member is a limiter of a process.
pub trait LeaseStore: Send {
    /// The error of a failed call. [`RateLimitSync`](super::RateLimitSync) logs the error and
    /// repeats the call.
    type Error: Error + Send + 'static;

    /// Replaces the lease of a member, in one atomic step:
    ///
    /// - Leases whose time is over, by the clock of the store, do not count.
    /// - The granted share is the wanted share, or less if the shares of the other members leave
    ///   less. So the shares of a name never add up to more than [`Share::WHOLE`].
    /// - The lease has the granted share and the demand, and lasts for the length from now on.
    ///
    /// The call may fail, and may be dropped before the end. The next call then replaces the lease,
    /// whether or not the failed call has.
    fn lease(
        &mut self,
        name: &str,
        request: LeaseRequest,
    ) -> impl Future<Output = Result<Lease, Self::Error>> + Send;
}

/// The identity of a limiter in a process: 64 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemberId(pub u64);

impl MemberId {
    pub(super) fn random() -> Self {
        Self(random_bits())
    }
}

/// A share of a rate, in billionths.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// The whole rate.
    pub const WHOLE: Self = Self(resilience_core::__internal::WHOLE_SHARE);

    /// Creates a share from billionths, at most the whole rate.
    #[must_use]
    pub const fn from_billionths(billionths: u32) -> Self {
        if billionths > Self::WHOLE.0 { Self::WHOLE } else { Self(billionths) }
    }

    /// Returns the share in billionths.
    #[must_use]
    pub const fn billionths(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / f64::from(Self::WHOLE.0))
    }
}

/// A request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The member.
    pub member: MemberId,
    /// The share that the calls of the member have asked for lately.
    pub demand: Share,
    /// The share that the member should have, given the demands of all members.
    pub wanted: Share,
    /// The length of the lease.
    pub length: Duration,
}

/// A lease, and the demands to compute the next request from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// The granted share.
    pub granted: Share,
    /// The demands of the other members whose leases last, in any order.
    pub others: Vec<Share>,
}
