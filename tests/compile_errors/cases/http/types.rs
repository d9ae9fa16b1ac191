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
    //~ note: for the response of `reqwest`, enable the feature for its version: `reqwest` for 0.13 and `reqwest-012` for 0.12, or `reqwest-blocking` and `reqwest-012-blocking` for the blocking client; `cargo tree -i reqwest` shows the version in use
    //~ note: `http::Response` of `http` 1 (also of `hyper` 1, `hyper-util` and `axum`) needs no feature
    //~ note: for an error, write `on = resilience::http::classify`; responses belong to `on_ok`
    //~ note: for a response behind a pointer, write `on_ok = |response| classify_response(&**response)`
    //~ note: for an application type, implement `resilience::http::HttpResponse`
    //~ rustc: help: item with same name found
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: help: you can use `cargo tree` to explore your dependency tree
    fn get() -> Result<http_02::Response<String>, std::io::Error> {
        Ok(http_02::Response::new(String::new()))
    }

    #[retry(on = classify)]
    //~ error at `classify`: `resilience::http` cannot classify `http::method::InvalidMethod`
    //~ label: needs `HttpError`
    //~ rustc: help: the trait `HttpError` is not implemented for `http::method::InvalidMethod`
    //~ note: for the error of a client, enable the feature for its version: `reqwest` for `reqwest` 0.13 and `reqwest-012` for 0.12, `hyper` for 1, `hyper-util` for 0.1, `tonic` for 0.14; `cargo tree -i reqwest` shows the version in use
    //~ note: `std::io::Error` and boxed errors need no feature
    //~ note: for an error with a known error as `source`, write `on = |error| resilience::http::classify_chain(error)`, for `anyhow` with `error.as_ref()`; for any other error, implement `resilience::Classify` and remove `on`
    //~ note: for a response, write `on_ok = resilience::http::classify_response`
    //~ rustc: help: item with same name found
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: help: you can use `cargo tree` to explore your dependency tree
    fn parse(name: &str) -> Result<http_02::Method, http_02::method::InvalidMethod> {
        name.parse()
    }

    #[retry(on = resilience::http::classify)]
    //~ error at `resilience`: `resilience::http` cannot classify `http::method::InvalidMethod`
    //~ label: needs `HttpError`
    //~ rustc: help: the trait `HttpError` is not implemented for `http::method::InvalidMethod`
    //~ note: for the error of a client, enable the feature for its version: `reqwest` for `reqwest` 0.13 and `reqwest-012` for 0.12, `hyper` for 1, `hyper-util` for 0.1, `tonic` for 0.14; `cargo tree -i reqwest` shows the version in use
    //~ note: `std::io::Error` and boxed errors need no feature
    //~ note: for an error with a known error as `source`, write `on = |error| resilience::http::classify_chain(error)`, for `anyhow` with `error.as_ref()`; for any other error, implement `resilience::Classify` and remove `on`
    //~ note: for a response, write `on_ok = resilience::http::classify_response`
    //~ rustc: help: item with same name found
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: note: there are multiple different versions of crate `http` in the dependency graph
    //~ rustc: help: you can use `cargo tree` to explore your dependency tree
    fn parse_by_path(name: &str) -> Result<http_02::Method, http_02::method::InvalidMethod> {
        name.parse()
    }
}

#[resilience::retry(on_ok = resilience::http::classify_response)]
//~ error at `resilience`: `resilience::http` cannot classify the response `Arc<http::Response<()>>`
//~ label: needs `HttpResponse`
//~ rustc: help: the trait `HttpResponse` is not implemented for `Arc<http::Response<()>>`
//~ note: for the response of `reqwest`, enable the feature for its version: `reqwest` for 0.13 and `reqwest-012` for 0.12, or `reqwest-blocking` and `reqwest-012-blocking` for the blocking client; `cargo tree -i reqwest` shows the version in use
//~ note: `http::Response` of `http` 1 (also of `hyper` 1, `hyper-util` and `axum`) needs no feature
//~ note: for an error, write `on = resilience::http::classify`; responses belong to `on_ok`
//~ note: for a response behind a pointer, write `on_ok = |response| classify_response(&**response)`
//~ note: for an application type, implement `resilience::http::HttpResponse`
fn response_behind_a_pointer() -> Result<std::sync::Arc<http::Response<()>>, ()> {
    Err(())
}
