// Type errors, which the compiler reports after the expansion.

mod streaming_body {
    use std::convert::Infallible;
    use std::future::ready;

    use http::{Request, Response};
    use resilience::RetryPolicy;
    use resilience::http::RetryLayer;
    use tower::{Layer, Service, service_fn};

    /// Not `Clone`.
    struct Stream;

    fn send(_: impl Service<Request<Stream>>) {}

    fn streaming_body() {
        let client = service_fn(|_: Request<Stream>| ready(Ok::<_, Infallible>(Response::new(()))));
        send(RetryLayer::new(RetryPolicy::new()).layer(client));
        //~ error at `RetryLayer::new(RetryPolicy::new()).layer(client)`: `http::Request<Stream>` cannot be sent a second time
        //~ label: its body is not `Clone`
        //~ rustc: help: the trait `resilience::http::Replay<http::Request<Stream>>` is not implemented for `ReplayByClone`
        //~ note: use a body that is, such as `String` or `http_body_util::Full<Bytes>`, or say which bodies can be sent again: `RetryLayer::new(policy).replay(|body: &axum::body::Body| body.is_end_stream().then(axum::body::Body::empty))`
        //~ rustc: note: required for `RetryService<ServiceFn<{closure}>>` to implement `Service<http::Request<Stream>>`
    }
}
