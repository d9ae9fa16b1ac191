//! [`HostCooldown`] as a layer.

use std::sync::Arc;

use tower_layer::Layer;

use super::gated_service::{Entry, Gate, GatedService, Permit};
use super::policy_source::PolicyRef;
use super::request::{HttpRequest, host_of};
use crate::classification::HttpResponse;
use crate::host_cooldown::{EnterState, HostCooldown};

/// Shares the cooldown of a host between calls: [`HostCooldown`] as a layer.
///
/// The layer enters the cooldown before each request and observes each response. Below a
/// [`RetryLayer`](crate::RetryLayer), the layer applies to every attempt. After a redirect of
/// `reqwest`, the host of the last request cools. A call with a wait above
/// [`max_wait`](HostCooldown::max_wait) fails with a boxed
/// [`Rejected`](resilience_core::Rejected).
///
/// A waiting or rejected call holds no reservation of the service. While any host cools, the layer
/// is ready at once, and each call waits for the service inside its future.
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct HostCooldownLayer {
    cooldown: PolicyRef<HostCooldown>,
}

impl HostCooldownLayer {
    /// Creates a layer for a `static` cooldown.
    pub const fn new(cooldown: &'static HostCooldown) -> Self {
        Self { cooldown: PolicyRef::Static(cooldown) }
    }

    /// Creates a layer for a cooldown that is not `static`.
    pub const fn shared(cooldown: Arc<HostCooldown>) -> Self {
        Self { cooldown: PolicyRef::Shared(cooldown) }
    }
}

impl<S> Layer<S> for HostCooldownLayer {
    type Service = HostCooldownService<S>;

    fn layer(&self, service: S) -> Self::Service {
        GatedService::new(service, self.clone())
    }
}

/// A service under a [`HostCooldownLayer`].
pub type HostCooldownService<S> = GatedService<S, HostCooldownLayer>;

impl<Request: HttpRequest, R: HttpResponse, E> Gate<Request, R, E> for HostCooldownLayer {
    type Permit = HostPermit;

    fn enter(&self, request: &Request) -> Entry<HostPermit> {
        let cooldown = self.cooldown.clone();
        HostPermit { cooldown, host: request.host().into(), state: EnterState::default() }.enter()
    }

    fn is_clear(&self) -> bool {
        !self.cooldown.is_any_cooling()
    }
}

/// The permit to send a request to a host.
#[derive(Debug)]
pub struct HostPermit {
    cooldown: PolicyRef<HostCooldown>,
    host: Box<str>,
    state: EnterState,
}

impl HostPermit {
    fn enter(mut self) -> Entry<Self> {
        match self.cooldown.next_delay(&self.host, &mut self.state) {
            Ok(None) => Entry::Admitted(self),
            Err(rejected) => Entry::Rejected(rejected),
            Ok(Some(delay)) => Entry::by(async move {
                delay.wait().await;
                while let Some(delay) = self.cooldown.next_delay(&self.host, &mut self.state)? {
                    delay.wait().await;
                }
                Ok(self)
            }),
        }
    }
}

impl<R: HttpResponse, E> Permit<R, E> for HostPermit {
    fn renew(self) -> Entry<Self> {
        self.enter()
    }

    fn finish(self, out: Result<R, E>) -> Result<R, E> {
        if let Ok(response) = &out {
            let answered = response.url().and_then(|url| url.parse().ok());
            let answered = answered.as_ref().and_then(host_of).unwrap_or(&self.host);
            self.cooldown.observe(answered, response);
        }
        out
    }
}
