//! Payments that are sent more than once, with `#[idempotent]`.
//!
//! Run: `cargo run --example idempotent --features idempotent`. The example pauses the clock of
//! tokio, so no wait takes real time.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::cell::Cell;
use std::time::Duration;

use resilience::idempotent::IdempotencyContext;
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

/// Charges the card, then sends the receipt. Runs once for each request of a tenant, and returns
/// the same receipt to repeated calls.
#[idempotent(key = request, scope = tenant, name = "shop.pay")]
async fn pay(
    tenant: &str,
    request: &str,
    cents: u64,
    #[skip] world: &World,
) -> Result<Receipt, PayError> {
    let receipt = charge(cents, world).await?;
    mail(receipt.number, world).await?;
    Ok(receipt)
}

/// Charges the card. As a step, the charge is not repeated when the payment runs again.
#[idempotent(step = "charge")]
async fn charge(cents: u64, #[skip] world: &World) -> Result<Receipt, PayError> {
    let call = IdempotencyContext::current().expect("this call");
    // The bank has idempotency keys too. The child key is equal in every run.
    let number = world.charge(&call.child_key("bank"), cents).await;
    Ok(Receipt { number, cents })
}

#[idempotent(step = "mail")]
async fn mail(number: u32, #[skip] world: &World) -> Result<(), PayError> {
    world.mail(number).await;
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    number: u32,
    cents: u64,
}

#[derive(Debug, PartialEq)]
struct PayError(RejectedKind);

impl From<Rejected> for PayError {
    fn from(rejected: Rejected) -> Self {
        Self(rejected.kind())
    }
}

/// A bank and a mail server. Each request takes a second.
#[derive(Default)]
struct World {
    charged: Cell<u32>,
    mailed: Cell<u32>,
}

impl World {
    async fn charge(&self, _key: &str, _cents: u64) -> u32 {
        sleep(Duration::from_secs(1)).await;
        self.charged.set(self.charged.get() + 1);
        self.charged.get()
    }

    async fn mail(&self, _receipt: u32) {
        sleep(Duration::from_secs(1)).await;
        self.mailed.set(self.mailed.get() + 1);
    }

    fn counts(&self) -> (u32, u32) {
        (self.charged.get(), self.mailed.get())
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let world = World::default();

    let first = pay("acme", "r-1", 500, &world).await.expect("a receipt");
    println!("a payment of 500 cents:             {first:?}");
    let again = pay("acme", "r-1", 500, &world).await.expect("the same receipt");
    println!("sent again, its answer was lost:    {again:?}");
    assert_eq!((first, world.counts()), (again, (1, 1)));

    let impatient = || pay("acme", "r-2", 700, &world);
    let all = tokio::join!(impatient(), impatient(), impatient());
    println!("three clicks at the same time:      {:?}", all.0.as_ref().expect("a receipt"));
    assert!(all.0 == all.1 && all.1 == all.2);
    assert_eq!(world.counts(), (2, 2));

    let reused = pay("acme", "r-1", 900, &world).await;
    println!("the first key with another sum:     {reused:?}");
    assert_eq!(reused, Err(PayError(RejectedKind::Idempotency(IdempotencyRejection::KeyReused))));

    let other = pay("globex", "r-1", 500, &world).await.expect("a receipt");
    println!("the first key, of another tenant:   {other:?}");
    assert_eq!((other.number, world.counts()), (3, (3, 3)));

    // After 1.5 seconds the card is charged and the mail is not sent.
    let crash = timeout(Duration::from_millis(1500), pay("acme", "r-3", 100, &world)).await;
    println!("a crash between charge and mail:    charged and mailed {:?}", world.counts());
    assert!(crash.is_err());
    assert_eq!(world.counts(), (4, 3));
    let after = pay("acme", "r-3", 100, &world).await.expect("a receipt");
    println!("sent again, after the crash:        {after:?}");
    assert_eq!((after.number, world.counts()), (4, (4, 4)), "charged once, mailed once");

    println!("\nNine payments were requested. The bank was charged {} times.", world.charged.get());
}
