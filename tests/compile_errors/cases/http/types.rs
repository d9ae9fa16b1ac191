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

mod another_version_of_the_client {
    use resilience::http::{classify, classify_response};
    use resilience::retry;

    #[retry(on_ok = classify_response)]
    //~ error at `classify_response`: `resilience::http` cannot classify the response `http::Response<String>`
    //~ label: needs `HttpResponse`
    //~ rustc: help: the trait `HttpResponse` is not implemented for `http::Response<String>`
    //~ note: the known responses are `http::Response` (also of `hyper`, `hyper-util` and `axum`), `reqwest::Response` with the feature `reqwest`, and `reqwest::blocking::Response` with the feature `reqwest-blocking`
    //~ note: each feature knows one version of the client: `http` 1, `reqwest` 0.13, or 0.12 with `reqwest-012` and `reqwest-012-blocking`; `cargo tree -i` shows the version in use
    //~ note: for an error, write `on = resilience::http::classify`; responses belong to `on_ok`
    //~ note: for an application type, implement `resilience::http::HttpResponse`
    //~ rustc: help: item with same name found
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: help: you can use `cargo tree` to explore your dependency tree
    fn get() -> Result<http_02::Response<String>, std::io::Error> {
    //~ error at `Result`: `resilience::http` cannot classify the response `http::Response<String>`
    //~ label: needs `HttpResponse`
    //~ rustc: help: the trait `HttpResponse` is not implemented for `http::Response<String>`
    //~ note: the known responses are `http::Response` (also of `hyper`, `hyper-util` and `axum`), `reqwest::Response` with the feature `reqwest`, and `reqwest::blocking::Response` with the feature `reqwest-blocking`
    //~ note: each feature knows one version of the client: `http` 1, `reqwest` 0.13, or 0.12 with `reqwest-012` and `reqwest-012-blocking`; `cargo tree -i` shows the version in use
    //~ note: for an error, write `on = resilience::http::classify`; responses belong to `on_ok`
    //~ note: for an application type, implement `resilience::http::HttpResponse`
    //~ rustc: help: item with same name found
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: help: you can use `cargo tree` to explore your dependency tree
        Ok(http_02::Response::new(String::new()))
    }

    #[retry(on = classify)]
    //~ error at `classify`: `resilience::http` cannot classify `http::method::InvalidMethod`
    //~ label: needs `HttpError`
    //~ rustc: help: the trait `HttpError` is not implemented for `http::method::InvalidMethod`
    //~ note: the known errors are `std::io::Error`, boxed errors and, with the feature of the same name, `reqwest::Error`, `hyper::Error`, `hyper_util::client::legacy::Error` and `tonic::Status`
    //~ note: each feature knows one version of the client: `reqwest` 0.13 and `reqwest-012` 0.12, `hyper` 1, `hyper-util` 0.1, `tonic` 0.14; `cargo tree -i` shows the version in use
    //~ note: for an error with a known error as `source`, write `on = |error| resilience::http::classify_chain(error)`, for `anyhow` with `error.as_ref()`; for any other error, implement `resilience::Classify` and remove `on`
    //~ note: for a response, write `on_ok = resilience::http::classify_response`
    //~ rustc: help: item with same name found
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: help: you can use `cargo tree` to explore your dependency tree
    fn parse(name: &str) -> Result<http_02::Method, http_02::method::InvalidMethod> {
    //~ error at `Result`: `resilience::http` cannot classify `http::method::InvalidMethod`
    //~ label: needs `HttpError`
    //~ rustc: help: the trait `HttpError` is not implemented for `http::method::InvalidMethod`
    //~ note: the known errors are `std::io::Error`, boxed errors and, with the feature of the same name, `reqwest::Error`, `hyper::Error`, `hyper_util::client::legacy::Error` and `tonic::Status`
    //~ note: each feature knows one version of the client: `reqwest` 0.13 and `reqwest-012` 0.12, `hyper` 1, `hyper-util` 0.1, `tonic` 0.14; `cargo tree -i` shows the version in use
    //~ note: for an error with a known error as `source`, write `on = |error| resilience::http::classify_chain(error)`, for `anyhow` with `error.as_ref()`; for any other error, implement `resilience::Classify` and remove `on`
    //~ note: for a response, write `on_ok = resilience::http::classify_response`
    //~ rustc: help: item with same name found
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: help: you can use `cargo tree` to explore your dependency tree
        name.parse()
    }
}
