//! A call of a unary method with messages of text.

use axum::http::uri::PathAndQuery;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status, client};

use crate::text::Text;

pub(crate) const PATH: &str = "/deadlines.Calls/Call";

/// Sends a command through an interceptor.
pub(crate) async fn send(
    channel: Channel,
    interceptor: impl Interceptor,
    command: &str,
) -> Result<String, Status> {
    let mut client = client::Grpc::new(InterceptedService::new(channel, interceptor));
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let request = Request::new(command.to_owned());
    let answer = client.unary(request, PathAndQuery::from_static(PATH), Text).await?;
    Ok(answer.into_inner())
}
