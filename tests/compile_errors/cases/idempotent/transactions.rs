// The key `transaction`.

mod transaction {
    use std::sync::Arc;

    use resilience::idempotent::MemoryStore;
    use resilience::{Rejected, idempotent};

    struct Connection;

    #[idempotent(key = id, scope = "global", store = store, transaction = tx)]
    //~ error at `transaction`: `transaction` needs an `async fn`; make the function async
    fn in_a_sync_function(
        tx: &mut Connection,
        store: &Arc<MemoryStore>,
        id: u64,
    ) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(key = id, scope = "global", transaction = tx)]
    //~ error at `transaction`: `transaction` needs the store in its database; add `store = self.store`
    async fn without_a_store(tx: &mut Connection, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }
}

mod transaction_misused {
    use std::sync::Arc;

    use resilience::idempotent::MemoryStore;
    use resilience::{Rejected, idempotent, retry};

    struct Connection;

    type Store = Arc<MemoryStore>;

    #[idempotent(key = id, scope = "global", store = store, transaction = tx)]
    async fn given_away(tx: Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    //~ error at `Connection`: the function drops `tx`, and a transaction dropped without a commit is rolled back; take `tx` as `&mut`, and commit in the function that begins it
        Ok(id)
    }

    #[idempotent(key = id, scope = "global", store = store, transaction = tx)]
    async fn only_seen(tx: &Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    //~ error at `&Connection`: the record is written through `tx`; take it as `&mut`
        Ok(id)
    }

    #[idempotent(key = id, scope = "global", store = store, transaction = tx)]
    async fn second_argument(id: u64, #[skip] store: &Store, tx: Connection) -> Result<u64, Rejected> {
    //~ error at `Connection`: the function drops `tx`, and a transaction dropped without a commit is rolled back; take `tx` as `&mut`, and commit in the function that begins it
        Ok(id)
    }

    #[idempotent(key = id, scope = "global", store = store, transaction = "tx")]
    //~ error at `"tx"`: expected the name of the argument with the transaction: `transaction = tx`
    async fn in_quotes(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(key = id, scope = "global", store = store, transaction = &mut *tx)]
    //~ error at `&mut *tx`: expected the name of the argument with the transaction: `transaction = tx`
    async fn borrowed(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(
        key = id,
        scope = "global",
        store = store,
        transaction = tx,
        on_store_error = "fail_open",
        //~ error at `on_store_error`: `on_store_error` has no effect with `transaction`: the transaction commits the record or discards it; remove `on_store_error`
        on_interrupted = "unknown",
        //~ error at `on_interrupted`: `on_interrupted` has no effect with `transaction`: the transaction commits the record or discards it; remove `on_interrupted`
        on_unsaved = "error",
        //~ error at `on_unsaved`: `on_unsaved` has no effect with `transaction`: the transaction commits the record or discards it; remove `on_unsaved`
        store_timeout = "1s",
        //~ error at `store_timeout`: `store_timeout` has no effect with `transaction`: the transaction commits the record or discards it; remove `store_timeout`
    )]
    async fn says_nothing(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(key = id, scope = "global", store = store, transaction = tx)]
    //~ error at `transaction`: `#[retry]` on this function would repeat statements that the transaction still holds; move `#[retry]` to the function that begins the transaction
    #[retry(attempts = 3)]
    async fn again(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[retry(attempts = 3)]
    #[idempotent(key = id, scope = "global", store = store, transaction = tx)]
    //~ error at `transaction`: `#[retry]` on this function would repeat statements that the transaction still holds; move `#[retry]` to the function that begins the transaction
    async fn outside(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }
}
