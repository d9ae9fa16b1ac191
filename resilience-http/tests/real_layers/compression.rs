//! `CompressionLayer` and `RequestDecompressionLayer` of `tower-http`.

use std::io::Read as _;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use axum::response::Response;
use axum::routing::post as on_post;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;

use crate::{Runs, is_replay, layer, post};

const LONG: &str = "a response that is long enough to be compressed, ";

fn routes(runs: &Runs) -> Router {
    let runs = runs.clone();
    let handler =
        async move |body: String| format!("{} {body} {}", runs.increment(), LONG.repeat(9));
    Router::new().route("/pay", on_post(handler))
}

async fn ask(api: &Router, accepts: Option<&str>) -> Response {
    let mut request = post("k");
    if let Some(accepts) = accepts {
        let accepts = accepts.parse().expect("a value");
        request.headers_mut().insert(header::ACCEPT_ENCODING, accepts);
    }
    api.clone().oneshot(request).await.expect("a router is infallible")
}

/// Returns whether the body is compressed, and the text.
async fn text(response: Response) -> (bool, String) {
    let is_compressed = response.headers().get(header::CONTENT_ENCODING).is_some();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let mut text = String::new();
    if is_compressed {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    } else {
        text = String::from_utf8(bytes.to_vec()).expect("text");
    }
    (is_compressed, text)
}

#[tokio::test]
async fn every_client_can_read_a_replay() {
    let expected = format!("1 10 EUR {}", LONG.repeat(9));
    for is_outside in [true, false] {
        for first in [Some("gzip"), None, Some("identity")] {
            let runs = Runs::default();
            let api = if is_outside {
                routes(&runs).layer(layer()).layer(CompressionLayer::new())
            } else {
                routes(&runs).layer(CompressionLayer::new()).layer(layer())
            };
            for accepts in [first, None, Some("gzip"), Some("gzip;q=0"), Some("br")] {
                let response = ask(&api, accepts).await;
                let (is_compressed, text) = text(response).await;
                assert_eq!(is_compressed, is_outside && accepts == Some("gzip"), "{accepts:?}");
                assert_eq!(text, expected);
            }
            assert_eq!(runs.count(), 1);
        }
    }
}

/// A compressed request is compared in the form that the layer sees.
#[tokio::test]
async fn a_compressed_request_is_the_same_request_after_decompression() {
    use std::io::Write as _;
    let compress = |level| {
        let mut encoder =
            flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(LONG.repeat(9).as_bytes()).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let (fast, best) = (compress(0), compress(9));
    assert_ne!(fast, best);
    for is_outside in [true, false] {
        let runs = Runs::default();
        let decompression = RequestDecompressionLayer::new();
        let api = if is_outside {
            routes(&runs).layer(layer()).layer(decompression)
        } else {
            routes(&runs).layer(decompression).layer(layer())
        };
        let ask = async |body: &[u8]| {
            let request = Request::post("/pay")
                .header("idempotency-key", "k")
                .header(header::CONTENT_ENCODING, "gzip")
                .body(Body::from(body.to_vec()));
            let response = api.clone().oneshot(request.expect("a request")).await;
            response.expect("a router is infallible")
        };
        assert_eq!(ask(&fast).await.status(), 200);
        assert!(is_replay(&ask(&fast).await));
        // Inside, other bytes are another request, although the content is equal.
        assert_eq!(ask(&best).await.status(), if is_outside { 200 } else { 422 });
        assert_eq!(runs.count(), 1);
    }
}
