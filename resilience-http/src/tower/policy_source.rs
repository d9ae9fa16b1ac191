//! The policy of a call under a layer: one policy for all calls, or a policy for each request.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use std::sync::Arc;

use resilience_core::{PolicyHandle, register};

/// A policy of a layer: a `static`, or shared by reference count.
#[derive(Debug)]
pub enum PolicyRef<T: 'static> {
    /// A `static`.
    Static(&'static T),
    /// Shared by reference count.
    Shared(Arc<T>),
}

impl<T> Clone for PolicyRef<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Static(it) => Self::Static(it),
            Self::Shared(it) => Self::Shared(Arc::clone(it)),
        }
    }
}

impl<T> Deref for PolicyRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Static(it) => it,
            Self::Shared(it) => it,
        }
    }
}

/// Where a layer takes the policy of a call from.
pub trait PolicySource: Clone {
    /// The type of the policies.
    type Policy: 'static;

    /// Lists a policy of all calls in the registry. A table of policies lists itself.
    fn register(&self) {}

    /// Returns the policy of all calls, or `None` if the policy depends on the request.
    fn single(&self) -> Option<&PolicyRef<Self::Policy>> {
        None
    }
}

/// Where a layer takes the policy of a call with this request from.
pub trait PolicyFor<Request>: PolicySource {
    /// Returns the policy of a call.
    fn policy(&self, request: &Request) -> PolicyRef<Self::Policy>;
}

/// One policy for all calls.
#[derive(Debug)]
pub struct OnePolicy<T: 'static>(pub(super) PolicyRef<T>);

impl<T> Clone for OnePolicy<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> PolicySource for OnePolicy<T>
where
    PolicyHandle: From<&'static T> + for<'a> From<&'a Arc<T>>,
{
    type Policy = T;

    fn register(&self) {
        match &self.0 {
            PolicyRef::Static(it) => register(*it),
            PolicyRef::Shared(it) => register(it),
        }
    }

    fn single(&self) -> Option<&PolicyRef<T>> {
        Some(&self.0)
    }
}

impl<T, Request> PolicyFor<Request> for OnePolicy<T>
where
    Self: PolicySource<Policy = T>,
{
    fn policy(&self, _: &Request) -> PolicyRef<T> {
        self.0.clone()
    }
}

/// A function from the request to the policy.
pub struct PolicyByRequest<T, F> {
    choose: Arc<F>,
    policy: PhantomData<fn() -> T>,
}

impl<T, F> PolicyByRequest<T, F> {
    pub(super) fn new(choose: F) -> Self {
        Self { choose: Arc::new(choose), policy: PhantomData }
    }
}

impl<T, F> Clone for PolicyByRequest<T, F> {
    fn clone(&self) -> Self {
        Self { choose: Arc::clone(&self.choose), policy: PhantomData }
    }
}

impl<T, F> fmt::Debug for PolicyByRequest<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyByRequest").finish_non_exhaustive()
    }
}

impl<T: 'static, F> PolicySource for PolicyByRequest<T, F> {
    type Policy = T;
}

impl<T: 'static, F, Request> PolicyFor<Request> for PolicyByRequest<T, F>
where
    F: Fn(&Request) -> Arc<T>,
{
    fn policy(&self, request: &Request) -> PolicyRef<T> {
        PolicyRef::Shared((self.choose)(request))
    }
}
