// The key `transaction`.

mod transaction {
    use std::sync::Arc;

    use resilience::idempotent::MemoryStore;
    use resilience::{Rejected, idempotent};

    struct Connection;

    #[idempotent(key = id, scope = global, store = store, transaction = tx)]
    //~ error at `transaction`: `transaction` needs an `async fn`
    fn in_a_sync_function(
        tx: &mut Connection,
        store: &Arc<MemoryStore>,
        id: u64,
    ) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(key = id, scope = global, transaction = tx)]
    //~ error at `transaction`: a transaction needs the store that is in its database: `store = self.store`
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

    #[idempotent(key = id, scope = global, store = store, transaction = tx)]
    async fn given_away(tx: Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    //~ error at `Connection`: `tx` ends with the function, and a transaction that ends without a commit is rolled back: take it as `&mut`, and commit where it begins
        Ok(id)
    }

    #[idempotent(key = id, scope = global, store = store, transaction = tx)]
    async fn only_seen(tx: &Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
    //~ error at `&Connection`: the record is written in the transaction: take `tx` as `&mut`
        Ok(id)
    }

    #[idempotent(key = id, scope = global, store = store, transaction = "tx")]
    //~ error at `"tx"`: expected the argument that is the transaction, by its name: `transaction = tx`
    async fn in_quotes(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(key = id, scope = global, store = store, transaction = &mut *tx)]
    //~ error at `&mut *tx`: expected the argument that is the transaction, by its name: `transaction = tx`
    async fn borrowed(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(
        key = id,
        scope = global,
        store = store,
        transaction = tx,
        on_store_error = fail_open,
        //~ error at `on_store_error`: `on_store_error` says nothing with `transaction`, whose record is there with the commit or not at all: remove it
        on_interrupted = unknown,
        //~ error at `on_interrupted`: `on_interrupted` says nothing with `transaction`, whose record is there with the commit or not at all: remove it
        on_unsaved = error,
        //~ error at `on_unsaved`: `on_unsaved` says nothing with `transaction`, whose record is there with the commit or not at all: remove it
        store_timeout = "1s",
        //~ error at `store_timeout`: `store_timeout` says nothing with `transaction`, whose record is there with the commit or not at all: remove it
    )]
    async fn says_nothing(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[idempotent(key = id, scope = global, store = store, transaction = tx)]
    //~ error at `transaction`: a `#[retry]` on this function would do again what the transaction still holds of the attempt before: put it on the function that begins the transaction
    #[retry(attempts = 3)]
    async fn again(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }

    #[retry(attempts = 3)]
    #[idempotent(key = id, scope = global, store = store, transaction = tx)]
    //~ error at `transaction`: a `#[retry]` on this function would do again what the transaction still holds of the attempt before: put it on the function that begins the transaction
    async fn outside(tx: &mut Connection, #[skip] store: &Store, id: u64) -> Result<u64, Rejected> {
        Ok(id)
    }
}
