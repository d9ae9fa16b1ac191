//! Settings of the layer from a file: each number is checked by the rules of the attribute, and a
//! zero does not end the protection.

use std::time::Duration;

use http::{HeaderName, Method};
use resilience::http::IdempotencyLayer;
use resilience::idempotent::OnUnsaved;

use crate::{Memory, ask, counting, layer, post};

#[test]
fn each_broken_setting_is_reported() {
    type Change = fn(IdempotencyLayer<Memory>) -> IdempotencyLayer<Memory>;
    assert_eq!(layer().validate(), Ok(()));
    let changes: [(Change, &str); 11] = [
        (|it| it.ttl(Duration::ZERO), "`ttl` is zero"),
        (|it| it.lease(Duration::ZERO), "`lease` is zero"),
        (|it| it.ttl(Duration::from_secs(30)), "`lease` (30s) is not shorter than `ttl` (30s)"),
        (|it| it.max_renewal(Duration::ZERO), "`max_renewal` is zero"),
        (|it| it.max_renewal(Duration::from_secs(9)), "`lease` (30s) is longer"),
        (|it| it.store_timeout(Duration::ZERO), "`store_timeout` is zero"),
        (|it| it.min_key_length(256), "`min_key_length` must be at most 255"),
        (|it| it.body_timeout(Duration::ZERO), "`body_timeout` is zero"),
        (|it| it.max_running(0), "`max_running` must be at least 1"),
        (|it| it.methods([] as [Method; 0]), "`methods` is empty"),
        (|it| it.headers([] as [HeaderName; 0]), "`headers` is empty"),
    ];
    for (change, expected) in changes {
        let error = change(layer()).validate().expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_request_runs_once_with_zeros_in_the_settings() {
    let zeros = [
        layer().ttl(Duration::ZERO),
        layer().lease(Duration::ZERO),
        layer().max_renewal(Duration::ZERO),
        layer().store_timeout(Duration::ZERO).on_unsaved(OnUnsaved::Error),
    ];
    for layer in zeros {
        let (api, runs) = counting(layer);
        assert_eq!(ask(&api, post("k")).await.status, 200);
        let repeated = ask(&api, post("k")).await;
        assert!(repeated.is_replay(), "{repeated:?}");
        assert_eq!(runs.count(), 1);
    }
}
