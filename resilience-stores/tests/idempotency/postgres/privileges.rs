//! Required database privileges, and the data visible in the tables.

use resilience::idempotent::Store;
use resilience::stores::{PostgresStore, postgres};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{Connection, Executor, PgConnection};

use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;
use crate::payments::Payments;
use crate::servers::Postgres;

#[tokio::test]
async fn four_privileges_on_one_table() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut owner = PgConnection::connect(&server.url()).await.unwrap();
    owner.execute(sqlx::raw_sql(postgres::SCHEMA)).await.unwrap();
    // A second migration changes nothing.
    owner.execute(sqlx::raw_sql(postgres::SCHEMA)).await.unwrap();
    let grant = "CREATE ROLE app LOGIN;
                 GRANT SELECT, INSERT, UPDATE, DELETE ON resilience_idempotency TO app";
    owner.execute(sqlx::raw_sql(grant)).await.unwrap();
    let options: PgConnectOptions = server.url().parse().unwrap();
    let store = PostgresStore::new(PgPool::connect_with(options.username("app")).await.unwrap());
    let spec = ClaimSpec::new();
    spec.complete(&store, b"done", DAY).await;
    spec.replays(&store, b"done").await;
    assert_eq!(store.purge(10).await.unwrap(), 0);
    assert!(store.interrupted(10).await.unwrap().is_empty());
    assert!(store.forget(&spec.key).await.unwrap());
    // Creating the table requires more privileges.
    assert!(store.migrate().await.is_err());
}

#[tokio::test]
async fn no_plain_key_scope_or_payload() {
    let Some(server) = Postgres::start(&[]) else { return };
    let folder = Folder::new();
    let store = super::open(&server.url(), 1).await;
    let payments = Payments::new(store.clone(), folder.journal());
    payments.rerun("request-4711", 987_654_321_012).await.unwrap();
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT row(t.*, encode(outcome, 'escape'))::text FROM resilience_idempotency t",
    )
    .fetch_all(store.pool())
    .await
    .unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("payments.charge"), "{rows:?}");
    for secret in ["4711", "acme", "987654321012"] {
        assert!(!rows[0].contains(secret), "{secret} in {rows:?}");
    }
}
