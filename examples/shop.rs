//! A service with two upstreams, a database and an endpoint for orders that is safe to retry.
//!
//! `cargo run --example shop` starts the service, and sends requests while an upstream is down.
//! `docs/getting-started.md` explains the code.
#![allow(clippy::print_stdout, reason = "an example prints results")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use resilience::http::{IdempotencyLayer, classify, classify_response};
use resilience::stores::{self, SqliteStore};
use resilience::{Rejected, bulkhead, circuit_breaker, fallback, rate_limit, retry, timeout};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

struct Shop {
    client: reqwest::Client,
    catalog: String,
    pricing: String,
    database: SqlitePool,
}

/// Sends a request to an upstream: at most three attempts, and a circuit breaker per host.
#[retry(attempts = 3, base_delay = "20ms", deadline = "5s", on = classify, on_ok = classify_response)]
#[circuit_breaker(key = host, failure_threshold = 5, on = classify, on_ok = classify_response)]
#[timeout("1s")]
async fn fetch(
    client: &reqwest::Client,
    host: &str,
    path: &str,
) -> Result<reqwest::Response, BoxError> {
    Ok(client.get(format!("http://{host}{path}")).send().await?)
}

impl Shop {
    async fn name(&self, id: u32) -> Result<String, BoxError> {
        let response = fetch(&self.client, &self.catalog, &format!("/names/{id}")).await?;
        Ok(response.error_for_status()?.text().await?)
    }

    /// Graceful degradation: the page of a product shows no price while the upstream is down.
    #[fallback(value = None)]
    async fn price(&self, id: u32) -> Result<Option<u32>, BoxError> {
        let response = fetch(&self.client, &self.pricing, &format!("/prices/{id}")).await?;
        Ok(Some(response.error_for_status()?.json().await?))
    }

    /// Saves an order. Only failures that have certainly not saved the order are retried.
    #[retry(attempts = 3, idempotent = false, on = stores::sqlx::classify)]
    async fn save(&self, order: &Value) -> sqlx::Result<i64> {
        let insert = sqlx::query("INSERT INTO orders (content) VALUES (?)").bind(order.to_string());
        Ok(insert.execute(&self.database).await?.last_insert_rowid())
    }
}

async fn product(
    State(shop): State<Arc<Shop>>,
    Path(id): Path<u32>,
) -> Result<Json<Value>, Failure> {
    let (name, price) = tokio::try_join!(shop.name(id), shop.price(id))?;
    Ok(Json(json!({ "name": name, "price": price })))
}

async fn order(
    State(shop): State<Arc<Shop>>,
    Json(order): Json<Value>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "order": shop.save(&order).await? })))
}

/// Load shedding: a limit per caller, and a limit on concurrent requests with a short queue.
#[rate_limit(rate = 50, burst = 100, key = caller(request.headers()))]
#[bulkhead(max = 100, queue = 100, wait = "100ms")]
async fn protect(request: Request, next: Next) -> Result<Response, Rejected> {
    Ok(next.run(request).await)
}

fn caller(headers: &HeaderMap) -> String {
    let key = headers.get("x-api-key").and_then(|key| key.to_str().ok());
    key.unwrap_or("anonymous").to_owned()
}

/// The error of a handler: a rejection has a status and a `Retry-After`.
struct Failure(BoxError);

impl<E: Into<BoxError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match Rejected::find(&*self.0) {
            Some(rejected) => rejected.clone().into_response(),
            None => (StatusCode::BAD_GATEWAY, self.0.to_string()).into_response(),
        }
    }
}

async fn app(catalog: String, pricing: String, path: &std::path::Path) -> Result<Router, BoxError> {
    let records = SqliteStore::open(path).await?;
    let database = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS orders (content TEXT)").execute(&database).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let shop = Shop { client, catalog, pricing, database };
    // An order with the `Idempotency-Key` of an earlier order returns the earlier response.
    let once = IdempotencyLayer::new("shop.orders", records, |request| caller(&request.headers));
    Ok(Router::new()
        .route("/products/{id}", get(product))
        .route("/orders", post(order).layer(once))
        .layer(from_fn(protect))
        .with_state(Arc::new(shop)))
}

/// Serves on a free port of the loopback interface, and returns the address.
async fn serve(app: Router) -> Result<String, BoxError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    static PRICING_WORKS: AtomicBool = AtomicBool::new(true);
    let price = async || {
        let works = PRICING_WORKS.load(Relaxed);
        if works { (StatusCode::OK, "250") } else { (StatusCode::SERVICE_UNAVAILABLE, "") }
    };
    let catalog = serve(Router::new().route("/names/{id}", get("tea"))).await?;
    let pricing = serve(Router::new().route("/prices/{id}", get(price))).await?;
    let database = std::env::temp_dir().join(format!("shop-{}.db", std::process::id()));
    let shop = format!("http://{}", serve(app(catalog, pricing, &database).await?).await?);
    let client = reqwest::Client::builder().no_proxy().build()?;

    let product = async || client.get(format!("{shop}/products/7")).send().await?.text().await;
    println!("both upstreams work:  {}", product().await?);
    PRICING_WORKS.store(false, Relaxed);
    println!("pricing is down:      {}", product().await?);
    for attempt in ["an order:            ", "the same order again:"] {
        let order = client.post(format!("{shop}/orders")).header("idempotency-key", "o-1");
        let response = order.json(&json!({ "product": 7 })).send().await?;
        println!("{attempt} {}", response.text().await?);
    }
    Ok(std::fs::remove_file(database)?)
}
