//! An endpoint that is safe to retry: one payment per key.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::Response;
use axum::routing::post;
use axum::{Json, Router};
use resilience::http::IdempotencyLayer;
use resilience::idempotent::{DynStore, MemoryStore};
use resilience::stores::SqliteStore;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Answer;
use crate::caller;
use crate::error::ApiError;

/// Counts the payments of this process.
#[derive(Default)]
struct Bank(AtomicU32);

/// The layer of the payments.
pub(crate) type Payments = IdempotencyLayer<Arc<dyn DynStore>>;

/// Returns the layer, with the records in this database or in memory.
pub(crate) async fn layer(database: Option<&Path>) -> Result<Payments, Box<dyn std::error::Error>> {
    let store: Arc<dyn DynStore> = match database {
        Some(path) => Arc::new(SqliteStore::open(path).await?),
        None => Arc::new(MemoryStore::new()),
    };
    // The scope of a key is the caller: equal keys of two callers are different keys.
    let layer = IdempotencyLayer::new("shop.payments", store, |request| caller(&request.headers));
    Ok(layer.on_replay(mark_replay))
}

pub(crate) fn routes<S: Clone + Send + Sync + 'static>(layer: Payments) -> Router<S> {
    let pay = post(pay).layer(layer);
    Router::new().route("/process-payment", pay).with_state(Arc::new(Bank::default()))
}

/// Makes a payment from any JSON. The bank takes 300 ms.
async fn pay(State(bank): State<Arc<Bank>>, payment: Bytes) -> Answer {
    if !payment.is_empty() {
        serde_json::from_slice::<Value>(&payment).map_err(|_| ApiError::InvalidJson)?;
    }
    sleep(Duration::from_millis(300)).await;
    let id = bank.0.fetch_add(1, Relaxed) + 1;
    Ok(Json(json!({
        "message": "Payment processed successfully",
        "result": { "payment_id": id, "status": "success" },
    })))
}

/// Changes the message of a replayed response.
fn mark_replay(replay: &mut Response<Bytes>) {
    if let Ok(Value::Object(mut answer)) = serde_json::from_slice(replay.body()) {
        answer.insert("message".to_owned(), "Request already processed".into());
        *replay.body_mut() = Value::Object(answer).to_string().into();
    }
}
