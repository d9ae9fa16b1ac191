//! `HostCooldownLayer`.

use std::sync::Arc;

use http::Request;
use resilience::http::{HostCooldown, HostCooldownLayer, RetryLayer};
use resilience::{Rejected, testing};
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, secs};

#[tokio::test(start_paused = true)]
async fn concurrent_calls_wait_for_the_cooldown() {
    let _draws = testing::draws([0.0]);
    let cooldown = Arc::new(HostCooldown::new());
    let service = Scripted::new(&[Act::After(429, "30"), Act::Status(200)]);
    let with_cooldown = HostCooldownLayer::shared(Arc::clone(&cooldown)).layer(service.clone());
    let start = Instant::now();
    assert_eq!(with_cooldown.clone().oneshot(get()).await.expect("a response").status(), 429);
    let other = Request::get("http://other.example/").body(String::new()).expect("a request");
    assert_eq!(with_cooldown.clone().oneshot(other).await.expect("a response").status(), 200);
    assert_eq!(start.elapsed(), secs(0));
    let siblings = [with_cooldown.clone().oneshot(get()), with_cooldown.clone().oneshot(get())];
    for sibling in siblings {
        assert_eq!(sibling.await.expect("a response").status(), 200);
        assert_eq!(start.elapsed(), secs(30));
    }
    assert_eq!(service.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_are_rejected_above_max_wait() {
    static COOLDOWN: HostCooldown = HostCooldown::new().max_wait(secs(0));
    let _draws = testing::draws([0.0]);
    let service = Scripted::new(&[Act::After(503, "30"), Act::Status(200)]);
    let layers = ServiceBuilder::new().layer(RetryLayer::new(POLICY));
    let with_cooldown = layers.layer(HostCooldownLayer::new(&COOLDOWN)).service(service.clone());
    let start = Instant::now();
    let sibling = async {
        tokio::time::sleep(secs(10)).await;
        let error = with_cooldown.clone().oneshot(get()).await.expect_err("the host is cooling");
        let rejected: &Rejected = error.downcast_ref().expect("a rejection");
        assert_eq!((rejected.retry_after(), start.elapsed()), (Some(secs(20)), secs(10)));
    };
    let (first, ()) = tokio::join!(with_cooldown.clone().oneshot(get()), sibling);
    assert_eq!(first.expect("a response").status(), 200);
    assert_eq!((service.calls(), start.elapsed()), (2, secs(30)));
}
