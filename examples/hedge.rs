//! `#[hedge]` with a fixed and with a learned delay.
//!
//! `cargo run --example hedge`. The tokio clock is paused, and the program ends immediately.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::cell::Cell;
use std::time::Duration;

use resilience::hedge;
use tokio::time::{Instant, sleep};

/// A service that is slow for every tenth request.
#[derive(Default)]
struct Service {
    requests: Cell<u32>,
}

impl Service {
    async fn request(&self) -> Result<u32, String> {
        let request = self.requests.replace(self.requests.get() + 1);
        sleep(Duration::from_millis(if request % 10 == 0 { 2000 } else { 20 })).await;
        Ok(request)
    }

    /// A second request after 50 ms.
    #[hedge(after = "50ms", idempotent)]
    async fn fixed(&self) -> Result<u32, String> {
        self.request().await
    }

    /// A second request after the time in which four of five requests are answered.
    #[hedge(after = "p80", warm_up = "100ms", idempotent)]
    async fn learned(&self) -> Result<u32, String> {
        self.request().await
    }
}

async fn show(title: &str, call: impl AsyncFn(&Service) -> Result<u32, String>) {
    let (service, start, mut slowest) = (Service::default(), Instant::now(), Duration::ZERO);
    for _ in 0..100 {
        let call_start = Instant::now();
        if let Err(error) = call(&service).await {
            println!("  {error}");
        }
        slowest = slowest.max(call_start.elapsed());
    }
    let requests = service.requests.get();
    println!("{title}: {requests} requests, slowest {slowest:?}, total {:?}", start.elapsed());
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    show("no hedge", Service::request).await;
    show("after 50 ms", Service::fixed).await;
    show("learned", Service::learned).await;
}
