//! The function that calls the service, under six stacks of attributes.

use std::future::Future;
use std::pin::Pin;

use resilience::{
    CircuitState, Classify, Rejected, StateChange, bulkhead, circuit_breaker, fallback, retry,
    timeout,
};

use crate::service::Service;
use crate::simulation;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Fresh,
    LastKnown,
}

#[derive(Debug, Classify)]
pub(crate) enum Failed {
    #[forward]
    Rejected(Rejected),
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

type Result = std::result::Result<Answer, Failed>;

async fn ask(service: &Service) -> Result {
    service.request().await;
    Ok(Answer::Fresh)
}

#[retry(attempts = 4, backoff = "fixed", base_delay = "0s")]
#[timeout("1s")]
async fn unprotected(service: &Service) -> Result {
    ask(service).await
}

#[retry(attempts = 4, base_delay = "200ms", jitter = "none")]
#[timeout("1s")]
async fn with_backoff(service: &Service) -> Result {
    ask(service).await
}

#[retry(attempts = 4, base_delay = "200ms")]
#[timeout("1s")]
async fn with_jitter(service: &Service) -> Result {
    ask(service).await
}

#[retry(attempts = 4, base_delay = "200ms", budget)]
#[timeout("1s")]
async fn with_budget(service: &Service) -> Result {
    ask(service).await
}

#[retry(attempts = 4, base_delay = "200ms")]
#[circuit_breaker(failure_rate = 0.5, reset_timeout = "5s", on_state_change = record)]
#[timeout("1s")]
async fn with_breaker(service: &Service) -> Result {
    ask(service).await
}

#[fallback(value = Answer::LastKnown)]
#[retry(attempts = 4, base_delay = "200ms", budget)]
#[circuit_breaker(
    failure_rate = 0.5,
    reset_timeout = "5s",
    recovery = "5s",
    on_state_change = record
)]
#[bulkhead(max = 200)]
#[timeout("1s")]
async fn with_all(service: &Service) -> Result {
    ask(service).await
}

fn record(change: &StateChange) {
    simulation::record(match change.to {
        CircuitState::Closed => Circuit::Closed,
        CircuitState::HalfOpen => Circuit::HalfOpen,
        _ => Circuit::Open,
    });
}

/// The states of a circuit that a picture shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Circuit {
    Closed,
    Open,
    HalfOpen,
}

type Call = for<'s> fn(&'s Service) -> Pin<Box<dyn Future<Output = Result> + 's>>;

/// A stack of attributes with its name.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    pub(crate) name: &'static str,
    pub(crate) attributes: &'static str,
    pub(crate) call: Call,
}

/// All stacks. Every attempt has a timeout of 1 s.
pub(crate) const STACKS: [Stack; 6] = [
    Stack {
        name: "without protection",
        attributes: "4 attempts at once",
        call: |service| Box::pin(unprotected(service)),
    },
    Stack {
        name: "backoff",
        attributes: "4 attempts, growing delays",
        call: |service| Box::pin(with_backoff(service)),
    },
    Stack {
        name: "jitter",
        attributes: "#[retry]",
        call: |service| Box::pin(with_jitter(service)),
    },
    Stack {
        name: "budget",
        attributes: "#[retry(budget)]",
        call: |service| Box::pin(with_budget(service)),
    },
    Stack {
        name: "breaker",
        attributes: "#[retry], #[circuit_breaker]",
        call: |service| Box::pin(with_breaker(service)),
    },
    Stack {
        name: "whole stack",
        attributes: "budget, breaker, fallback, bulkhead",
        call: |service| Box::pin(with_all(service)),
    },
];
