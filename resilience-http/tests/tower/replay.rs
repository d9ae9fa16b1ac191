//! Bodies that can be sent again, and bodies that cannot.

use std::cell::Cell;
use std::future::ready;
use std::rc::Rc;

use http::{Method, Request, Response};
use resilience::http::RetryLayer;
use resilience::testing;
use tower::{Layer, ServiceExt, service_fn};

use crate::POLICY;

/// A body without `Clone`, such as a stream.
#[derive(Debug)]
struct Body {
    streams: bool,
}

#[tokio::test]
async fn a_stream_has_a_single_attempt() {
    let _guard = testing::no_waits();
    for (streams, expected) in [(false, 3), (true, 1)] {
        let calls = Cell::new(0);
        let service = service_fn(|request: Request<Body>| {
            assert_eq!(request.headers()["x-mark"], "7");
            assert_eq!((request.method(), request.uri().path()), (&Method::PUT, "/things"));
            assert_eq!(request.version(), http::Version::HTTP_10);
            assert_eq!(request.extensions().get(), Some(&"extended"));
            calls.set(calls.get() + 1);
            ready(Ok::<_, std::io::Error>(
                Response::builder().status(503).body(()).expect("a value"),
            ))
        });
        let layer = RetryLayer::new(POLICY)
            .replay(|body: &Body| (!body.streams).then_some(Body { streams: false }));
        let request = Request::put("http://api.example/things").header("x-mark", "7");
        let request = request.version(http::Version::HTTP_10).extension("extended");
        let request = request.body(Body { streams }).expect("a request");
        let response = layer.layer(service).oneshot(request).await.expect("a response");
        assert_eq!((response.status().as_u16(), calls.get()), (503, expected));
    }
}

#[tokio::test]
async fn the_last_attempt_makes_no_copy() {
    #[derive(Debug)]
    struct Counted(Rc<Cell<u32>>);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.set(self.0.get() + 1);
            Self(Rc::clone(&self.0))
        }
    }
    let _guard = testing::no_waits();
    for (attempts, expected) in [(1, 0), (2, 1), (3, 2)] {
        let clones = Rc::new(Cell::new(0));
        let service = service_fn(|_: Request<Counted>| {
            ready(Ok::<_, std::io::Error>(
                Response::builder().status(503).body(()).expect("a value"),
            ))
        });
        let request = Request::new(Counted(Rc::clone(&clones)));
        let layer = RetryLayer::new(POLICY.attempts(attempts));
        assert!(layer.layer(service).oneshot(request).await.is_ok());
        assert_eq!(clones.get(), expected);
    }
}
