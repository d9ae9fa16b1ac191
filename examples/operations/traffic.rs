//! The callers of the service.

use std::time::Duration;

use tokio::time::interval;

use crate::shop::{charge, exchange_rate, notify, render_invoice, send_email};

/// Starts 20 rounds of calls a second. Results are on the page.
pub(crate) async fn run() {
    let mut rounds = interval(Duration::from_millis(50));
    for round in 0_u64.. {
        rounds.tick().await;
        tokio::spawn(async move {
            let shop = ["acme.example", "broken.example", "corner.example"];
            let shop = shop[usize::try_from(round % 3).unwrap_or(0)];
            let calls =
                (charge(round), exchange_rate(), render_invoice(round), send_email(), notify(shop));
            let _ = tokio::join!(calls.0, calls.1, calls.2, calls.3, calls.4);
        });
    }
}
