//! Statements that a PostgreSQL server fails.

use sqlx::{Executor, Postgres};

/// Makes the next statements on the table fail with this SQLSTATE. A sequence counts the failures,
/// because a rollback does not reset a sequence.
pub(crate) async fn fail(
    executor: impl Executor<'_, Database = Postgres>,
    table: &str,
    state: &str,
    times: u32,
) {
    let trigger = format!(
        "CREATE SEQUENCE IF NOT EXISTS failed; SELECT setval('failed', 1, false);
         CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('failed') <= {times} THEN RAISE EXCEPTION 'no' USING ERRCODE = '{state}';
         END IF; RETURN coalesce(NEW, OLD); END $$;
         CREATE OR REPLACE TRIGGER fail BEFORE INSERT OR UPDATE OR DELETE ON {table}
         FOR EACH ROW EXECUTE FUNCTION fail()"
    );
    executor.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(trigger))).await.unwrap();
}
