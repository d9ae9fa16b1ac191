//! The calls of a client, over HTTP or gRPC. The server makes the same calls.

use std::fmt;
use std::net::SocketAddr;
use std::sync::LazyLock;

use resilience::http::{WithContext as _, with_context};
use resilience::{Rejected, retry};
use tonic::transport::Endpoint;

use crate::grpc;

#[derive(Clone, Debug)]
pub(crate) enum Protocol {
    Http(SocketAddr),
    Grpc(SocketAddr),
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http(_) => "HTTP",
            Self::Grpc(_) => "gRPC",
        })
    }
}

/// The text of a failed call.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self(rejected.to_string())
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        Self(format!("{:?}: {}", status.code(), status.message()))
    }
}

impl From<tonic::transport::Error> for Failure {
    fn from(error: tonic::transport::Error) -> Self {
        Self(error.to_string())
    }
}

static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// Sends a command with the context of the running code, and returns the answer.
pub(crate) async fn call(protocol: &Protocol, command: &str) -> Result<String, Failure> {
    match protocol {
        Protocol::Http(address) => {
            let request = CLIENT.post(format!("http://{address}/call"));
            let response = request.body(command.to_owned()).with_context().send().await?;
            Ok(response.error_for_status()?.text().await?)
        }
        Protocol::Grpc(address) => {
            let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
            Ok(grpc::send(channel, with_context, command).await?)
        }
    }
}

/// Defines a function that retries a call through this many further functions of the server.
macro_rules! retried {
    ($($name:ident [$($key:tt)*] $command:literal;)*) => {
        $(
            #[retry($($key)*, backoff = "fixed", base_delay = "1ms", jitter = "none")]
            pub(crate) async fn $name(protocol: &Protocol, layers: u32) -> Result<String, Failure> {
                let command = match layers {
                    0 => "leaf".to_owned(),
                    _ => format!("{} {}", $command, layers - 1),
                };
                call(protocol, &command).await
            }
        )*
    };
}

retried! {
    retried_3 [attempts = 3] "retried_3";
    retried_4 [attempts = 4] "retried_4";
    outer_only_3 [attempts = 3, nested = "outer_only"] "retried_3";
    outer_only_4 [attempts = 4, nested = "outer_only"] "retried_4";
}
