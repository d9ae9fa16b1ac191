//! The ways into the registry: policies of annotated functions, in a `static`, or in an `Arc`.

use core::fmt;
use core::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;

use super::list;
use super::policy::{Policy, StaticPolicy, record_of};
#[cfg(not(resilience_loom))]
use crate::Bulkhead;
#[cfg(not(resilience_loom))]
use crate::CircuitBreaker;
#[cfg(not(resilience_loom))]
use crate::Coalescer;
use crate::function_state::TestReset;
#[cfg(not(resilience_loom))]
use crate::keyed::{Keyed, KeyedPolicy};
use crate::settings::apply_standing;
#[cfg(not(resilience_loom))]
use crate::{KeyCircuitBreaker, KeyRateLimiter, RateLimiter};

/// A policy for [`register`].
pub struct PolicyHandle(Handle);

enum Handle {
    Static(&'static dyn StaticPolicy),
    Shared(Arc<dyn Policy>),
}

impl fmt::Debug for PolicyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyHandle").finish_non_exhaustive()
    }
}

/// Implements the conversions of a policy into a handle.
#[cfg(not(resilience_loom))]
macro_rules! handles {
    ($($policy:ty),*) => {$(
        impl From<&'static $policy> for PolicyHandle {
            fn from(policy: &'static $policy) -> Self {
                Self(Handle::Static(policy))
            }
        }

        impl From<&Arc<$policy>> for PolicyHandle {
            fn from(policy: &Arc<$policy>) -> Self {
                let policy: Arc<$policy> = Arc::clone(policy);
                Self(Handle::Shared(policy))
            }
        }
    )*};
}
#[cfg(not(resilience_loom))]
handles!(CircuitBreaker, KeyCircuitBreaker, Bulkhead, RateLimiter, KeyRateLimiter, Coalescer);

#[cfg(not(resilience_loom))]
impl<T: KeyedPolicy + 'static> From<&'static Keyed<T>> for PolicyHandle {
    fn from(table: &'static Keyed<T>) -> Self {
        Self(Handle::Static(table))
    }
}

#[cfg(not(resilience_loom))]
impl<T: KeyedPolicy + 'static> From<&Arc<Keyed<T>>> for PolicyHandle {
    fn from(table: &Arc<Keyed<T>>) -> Self {
        let table: Arc<Keyed<T>> = Arc::clone(table);
        Self(Handle::Shared(table))
    }
}

/// Lists a policy by hand at once, and gives the registry access to the policy: its current values
/// are reported, and it can be controlled by name. For a policy in a `static` or an [`Arc`]; the
/// registry keeps no `Arc` alive.
///
/// Annotated functions need no registration. Without registration a policy by hand is listed from
/// its first event on, with its settings, figures and state.
///
/// ```
/// use std::sync::Arc;
/// use resilience::{Bulkhead, policies, register};
///
/// static UPLOADS: Bulkhead = Bulkhead::new(8).name("uploads_example");
///
/// register(&UPLOADS);
/// let tenant = Arc::new(Bulkhead::new(2).named(format!("tenant_{}_example", 7)));
/// register(&tenant);
/// let _permit = UPLOADS.try_acquire()?;
/// let uploads = policies().into_iter().find(|policy| policy.name == "uploads_example").unwrap();
/// assert_eq!(uploads.count("resilience.bulkhead.in_flight", &[]), 1);
/// # Ok::<(), resilience::Rejected>(())
/// ```
pub fn register(policy: impl Into<PolicyHandle>) {
    match policy.into().0 {
        Handle::Static(policy) => attach(policy),
        Handle::Shared(policy) => {
            list::attach_shared(record_of(&*policy), &policy);
            apply_standing(&*policy);
        }
    }
}

/// Lists the policy of an annotated function. The registry can then read the current values.
#[cold]
pub(crate) fn list_static<P: Policy + TestReset>(policy: &'static P) {
    let is_attached = &policy.own_figures().is_attached;
    if !is_attached.load(Relaxed) && !is_attached.swap(true, Relaxed) {
        attach(policy);
    }
}

/// Gives the registry access to a policy in a `static`, and the policy a number.
fn attach(policy: &'static dyn StaticPolicy) {
    let record = record_of(policy);
    policy.own_figures().number.assign(record.stripes());
    list::attach(record, policy);
    apply_standing(policy.declared());
}
