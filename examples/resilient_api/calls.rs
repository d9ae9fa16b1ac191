//! Functions that call the upstream, with attributes.

use std::net::SocketAddr;
use std::time::Duration;

use resilience::{CircuitBreaker, circuit_breaker, fallback, retry, timeout};
use serde_json::{Map, Value, json};

use crate::error::ApiError;

/// A resource of the upstream.
pub(crate) struct Source {
    client: reqwest::Client,
    name: &'static str,
    url: String,
    breaker: CircuitBreaker,
}

impl Source {
    fn new(client: &reqwest::Client, upstream: SocketAddr, name: &'static str) -> Self {
        let breaker = CircuitBreaker::new()
            .failure_threshold(5)
            .reset_timeout(Duration::from_secs(5))
            .name(name);
        let url = format!("http://{upstream}/{name}");
        Self { client: client.clone(), name, url, breaker }
    }

    /// Sends a request to the upstream. The timeout limits each attempt, and the circuit breaker
    /// counts each attempt. A `Retry-After` of more than a second ends the call, and the caller
    /// gets the header.
    #[retry(attempts = 3, base_delay = "50ms", deadline = "3s", max_retry_after = "1s")]
    #[circuit_breaker(breaker = self.breaker)]
    #[timeout("500ms")]
    pub(crate) async fn fetch(&self) -> Result<Value, ApiError> {
        let reply = self.client.get(&self.url).send().await?;
        if !reply.status().is_success() {
            return Err(ApiError::from(&reply));
        }
        Ok(reply.json().await?)
    }

    /// Sends a request, and returns a default when the upstream fails.
    #[fallback(value = json!({ "items": [], "source": "default" }))]
    pub(crate) async fn fetch_or_default(&self) -> Result<Value, ApiError> {
        self.fetch().await
    }

    pub(crate) fn state(&self) -> String {
        self.breaker.state().to_string()
    }
}

/// All resources of the upstream.
pub(crate) struct Sources {
    pub(crate) data: Source,
    profile: Source,
    orders: Source,
    news: Source,
}

impl Sources {
    pub(crate) fn new(upstream: SocketAddr) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let source = |name| Source::new(&client, upstream, name);
        Ok(Self {
            data: source("data"),
            profile: source("profile"),
            orders: source("orders"),
            news: source("news"),
        })
    }

    /// Combines three concurrent requests, and lists failed resources under `missing`. Returns an
    /// error only if all three requests fail.
    pub(crate) async fn overview(&self) -> Result<Value, ApiError> {
        let (profile, orders, news) =
            tokio::join!(self.profile.fetch(), self.orders.fetch(), self.news.fetch());
        let mut found = Map::new();
        let mut missing = Vec::new();
        let mut last_error = None;
        for (source, outcome) in
            [(&self.profile, profile), (&self.orders, orders), (&self.news, news)]
        {
            match outcome {
                Ok(value) => _ = found.insert(source.name.to_owned(), value),
                Err(error) => {
                    missing.push(source.name);
                    last_error = Some(error);
                }
            }
        }
        match last_error {
            Some(error) if found.is_empty() => Err(error),
            _ => {
                found.insert("missing".to_owned(), json!(missing));
                Ok(Value::Object(found))
            }
        }
    }

    /// Allows a trial call in each open circuit.
    pub(crate) fn probe(&self) {
        for source in [&self.data, &self.profile, &self.orders, &self.news] {
            source.breaker.probe();
        }
    }
}
