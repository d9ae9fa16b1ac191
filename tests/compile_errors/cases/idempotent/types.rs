// Type errors, which the compiler reports after the expansion.

use std::sync::Arc;

use resilience::{Rejected, idempotent};

// The fingerprint needs `Serialize`; a handle is skipped.
mod argument_not_serialize {
    use resilience::{Rejected, idempotent};

    struct Client;

    #[idempotent(key = id, scope = "global")]
    fn call(id: &str, client: &Client) -> Result<(), Rejected> {
    //~ error at `client`: `&argument_not_serialize::Client` cannot be part of the fingerprint
    //~ label: needs `serde::Serialize`
    //~ rustc: help: the trait `idempotent::codec::Fingerprinted` is not implemented for `&argument_not_serialize::Client`
    //~ note: derive it, `#[derive(serde::Serialize)]`, exclude the argument with `#[skip]`, or list the values that count: `fingerprint(order.id, order.amount)`
        Ok(drop((id, client)))
    }
}

mod constant_of_wrong_type {
    use resilience::{Rejected, idempotent};

    const HOURS: u64 = 24;
    const LENGTH: usize = 15;

    #[idempotent(key = id, scope = "global", ttl = HOURS, min_key_length = LENGTH)]
    //~ rustc: error[E0308] at `HOURS`: mismatched types
    //~ rustc: label: expected `Duration`, found `u64`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: method defined here
    //~ rustc: error[E0308] at `LENGTH`: mismatched types
    //~ rustc: label: expected `u32`, found `usize`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: method defined here
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

#[idempotent(key = id, scope = "global", keep = "ok_and_permanent")]
fn error_not_stored(id: &str) -> Result<(), Rejected> {
//~ error at `Result`: `resilience::Rejected` cannot be stored and returned to repeated calls
//~ label: needs `serde::Serialize` and `serde::Deserialize`
//~ rustc: help: the trait `idempotent::codec::Storable` is not implemented for `resilience::Rejected`
//~ note: derive both, `#[derive(serde::Serialize, serde::Deserialize)]`
//~ rustc: note: required for `resilience::resilience_idempotency::__private::KeepOkAndPermanent` to implement `idempotent::codec::OutcomePolicy<Result<(), resilience::Rejected>>`
    Ok(drop(id))
}

mod fingerprint_not_serialize {
    use resilience::{Rejected, idempotent};

    struct Client;

    #[idempotent(key = id, scope = "global", fingerprint(id.len(), client))]
    //~ error at `client`: `&fingerprint_not_serialize::Client` cannot be part of the fingerprint
    //~ label: needs `serde::Serialize`
    //~ rustc: help: the trait `idempotent::codec::Fingerprinted` is not implemented for `&fingerprint_not_serialize::Client`
    //~ note: derive it, `#[derive(serde::Serialize)]`, exclude the argument with `#[skip]`, or list the values that count: `fingerprint(order.id, order.amount)`
    fn call(id: &str, client: &Client) -> Result<(), Rejected> {
        Ok(drop((id, client)))
    }
}

#[idempotent(key = id, scope = "global", keep = with(|out: &Result<(), ()>| out.is_ok()), error = |_: Rejected| ())]
//~ rustc: error[E0308] at `out.is_ok()`: mismatched types
//~ rustc: label: expected `Disposition`, found `bool`
fn keep_of_wrong_type(id: &str) -> Result<(), ()> {
    Ok(drop(id))
}

#[idempotent(key = amount, scope = "global")]
//~ error at `amount`: `f64` can be neither an idempotency key nor the scope of one
//~ label: not a text, number, bytes, `Option` or tuple of these
//~ rustc: help: the trait `KeyParts` is not implemented for `f64`
//~ note: convert the value to a text, `order.id.to_string()`, or implement `resilience::idempotent::KeyParts` for `f64`
//~ rustc: note: required for the cast from `&f64` to `&dyn KeyParts`
fn key_of_wrong_type(amount: f64) -> Result<(), Rejected> {
    Ok(drop(amount))
}

mod not_a_store {
    use std::collections::HashMap;
    use std::sync::Arc;

    use resilience::{Rejected, idempotent};

    struct Bank {
        store: Arc<HashMap<String, String>>,
    }

    impl Bank {
        #[idempotent(key = id, scope = "global", store = self.store, name = "charge")]
        //~ error at `self.store`: `Arc<HashMap<String, String>>` is not a store handle for `#[idempotent]`
        //~ label: needs `resilience::idempotent::Store` and `Clone`
        //~ rustc: help: the trait `idempotent::into_store::IntoStoreHandle<_>` is not implemented for `Arc<HashMap<String, String>>`
        //~ note: keep a store of a field in an `Arc` or an `Arc<dyn resilience::idempotent::DynStore>`: `store = self.store`
        //~ note: name a store in a `static` directly, `store = STORE`, and a store in a `LazyLock` by its content, `store = *STORE`
        async fn charge(&self, id: &str) -> Result<(), Rejected> {
            Ok(drop(id))
        }
    }
}

mod not_a_store_static {
    use resilience::{Rejected, idempotent};

    static STORE: u32 = 7;

    #[idempotent(key = id, scope = "global", store = &STORE)]
    //~ error at `&`: `StaticStore<u32>` cannot be the store of a function that is not async
    //~ label: needs `resilience::idempotent::BlockingStore` and `Clone`
    //~ rustc: help: the trait `idempotent::into_store::IntoBlockingHandle<_>` is not implemented for `StaticStore<u32>`
    //~ note: a store that waits for I/O needs an `async` function; remove `store` to use the memory store, which does not
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

// A function that is not async: one error.
#[idempotent(key = id, scope = "global", store = store)]
//~ error at `store`: `Arc<String>` cannot be the store of a function that is not async
//~ label: needs `resilience::idempotent::BlockingStore` and `Clone`
//~ rustc: help: the trait `idempotent::into_store::IntoBlockingHandle<_>` is not implemented for `Arc<String>`
//~ note: a store that waits for I/O needs an `async` function; remove `store` to use the memory store, which does not
fn not_a_store_sync(id: &str, #[skip] store: Arc<String>) -> Result<(), Rejected> {
    Ok(drop((id, store)))
}

mod policy_of_wrong_type {
    use resilience::{Rejected, idempotent};

    static CHARGE: u32 = 7;

    #[idempotent(key = id, scope = "global", policy = CHARGE)]
    //~ rustc: error[E0308] at `CHARGE`: mismatched types
    //~ rustc: label: expected `&IdempotencyPolicy`, found `&u32`
    //~ rustc: label: arguments to this function are incorrect
    //~ rustc: note: expected reference `&IdempotencyPolicy` found reference `&u32`
    //~ rustc: note: function defined here
    fn call(id: &str) -> Result<(), Rejected> {
        Ok(drop(id))
    }
}

#[idempotent(key = id, scope = "global", on_interrupted = reconcile(|_| async { true }))]
async fn reconcile_of_wrong_type(id: &str) -> Result<(), Rejected> {
//~ rustc: error[E0271] at `Result`: expected `{async block}` to be a future that resolves to `Reconciled<Result<(), Rejected>>`, but it resolves to `bool`
//~ rustc: label: expected `Reconciled<Result<(), Rejected>>`, found `bool`
//~ rustc: note: expected enum `Reconciled<Result<(), resilience::Rejected>>` found type `bool`
    Ok(drop(id))
}

mod scope_of_wrong_type {
    use resilience::{Rejected, idempotent};

    struct Tenant;

    #[idempotent(key = id, scope = tenant)]
    //~ error at `tenant`: `Tenant` can be neither an idempotency key nor the scope of one
    //~ label: not a text, number, bytes, `Option` or tuple of these
    //~ rustc: help: the trait `KeyParts` is not implemented for `Tenant`
    //~ note: convert the value to a text, `order.id.to_string()`, or implement `resilience::idempotent::KeyParts` for `Tenant`
    //~ rustc: note: required for the cast from `&Tenant` to `&dyn KeyParts`
    fn call(id: &str, tenant: Tenant) -> Result<(), Rejected> {
        Ok(drop((id, tenant)))
    }
}

mod store_without_handle {
    use resilience::idempotent::MemoryStore;
    use resilience::{Rejected, idempotent};

    struct Bank {
        store: MemoryStore,
    }

    impl Bank {
        #[idempotent(key = id, scope = "global", store = self.store, name = "charge")]
        //~ error at `self.store`: `MemoryStore` is not a store handle for `#[idempotent]`
        //~ label: needs `resilience::idempotent::Store` and `Clone`
        //~ rustc: help: the trait `idempotent::into_store::IntoStoreHandle<_>` is not implemented for `MemoryStore`
        //~ note: keep a store of a field in an `Arc` or an `Arc<dyn resilience::idempotent::DynStore>`: `store = self.store`
        //~ note: name a store in a `static` directly, `store = STORE`, and a store in a `LazyLock` by its content, `store = *STORE`
        async fn charge(&self, id: &str) -> Result<(), Rejected> {
            Ok(drop(id))
        }
    }
}

mod sync_with_async_store {
    use std::sync::Arc;

    use resilience::idempotent::DynStore;
    use resilience::{Rejected, idempotent};

    struct Bank {
        store: Arc<dyn DynStore>,
    }

    impl Bank {
        #[idempotent(key = id, scope = "global", store = self.store, name = "charge")]
        //~ error at `self.store`: `Arc<dyn DynStore>` cannot be the store of a function that is not async
        //~ label: needs `resilience::idempotent::BlockingStore` and `Clone`
        //~ rustc: help: the trait `idempotent::into_store::IntoBlockingHandle<_>` is not implemented for `Arc<dyn DynStore>`
        //~ note: a store that waits for I/O needs an `async` function; remove `store` to use the memory store, which does not
        fn charge(&self, id: &str) -> Result<(), Rejected> {
            Ok(drop(id))
        }
    }
}

// The store is not in the database of the transaction: one error, at the store.
mod transaction_elsewhere {
    use std::sync::Arc;

    use resilience::idempotent::MemoryStore;
    use resilience::{Rejected, idempotent};

    struct Connection;

    struct Bank {
        store: Arc<MemoryStore>,
    }

    impl Bank {
        #[idempotent(key = id, scope = "global", store = self.store, transaction = tx, name = "bank.pay")]
        //~ error at `self`: `Arc<MemoryStore>` cannot take part in a transaction of type `Connection`
        //~ label: needs to be a store in the database of the transaction
        //~ rustc: help: the trait `idempotent::into_store::InDatabase<Connection, _>` is not implemented for `Arc<MemoryStore>`
        //~ note: `transaction = tx` names a `&mut` transaction or connection; a store for such a transaction implements `resilience::idempotent::TxStore<Connection>`
        async fn pay(&self, tx: &mut Connection, id: u64) -> Result<u64, Rejected> {
            let Connection = tx;
            Ok(1)
        }
    }

    static STORE: MemoryStore = MemoryStore::new();

    #[idempotent(key = id, scope = "global", store = STORE, transaction = tx)]
    //~ error at `STORE`: `StaticStore<MemoryStore>` cannot take part in a transaction of type `Connection`
    //~ label: needs to be a store in the database of the transaction
    //~ rustc: help: the trait `idempotent::into_store::InDatabase<Connection, _>` is not implemented for `StaticStore<MemoryStore>`
    //~ note: `transaction = tx` names a `&mut` transaction or connection; a store for such a transaction implements `resilience::idempotent::TxStore<Connection>`
    async fn pay(tx: &mut Connection, id: u64) -> Result<u64, Rejected> {
        let Connection = tx;
        Ok(1)
    }
}

// A stored value must implement `Deserialize` too.
mod value_not_read {
    use resilience::{Rejected, idempotent};

    #[derive(serde::Serialize)]
    struct Receipt;

    #[idempotent(key = id, scope = "global")]
    async fn call(id: &str) -> Result<Receipt, Rejected> {
    //~ error at `Result`: `value_not_read::Receipt` cannot be stored and returned to repeated calls
    //~ label: needs `serde::Serialize` and `serde::Deserialize`
    //~ rustc: help: the trait `idempotent::codec::Storable` is not implemented for `value_not_read::Receipt`
    //~ note: derive both, `#[derive(serde::Serialize, serde::Deserialize)]`
    //~ rustc: note: required for `resilience::resilience_idempotency::__private::KeepOk` to implement `idempotent::codec::OutcomePolicy<Result<value_not_read::Receipt, resilience::Rejected>>`
        drop(id);
        Ok(Receipt)
    }
}

mod value_not_stored {
    use resilience::{Rejected, idempotent};

    struct Receipt;

    #[idempotent(key = id, scope = "global")]
    fn call(id: &str) -> Result<Receipt, Rejected> {
    //~ error at `Result`: `value_not_stored::Receipt` cannot be stored and returned to repeated calls
    //~ label: needs `serde::Serialize` and `serde::Deserialize`
    //~ rustc: help: the trait `idempotent::codec::Storable` is not implemented for `value_not_stored::Receipt`
    //~ note: derive both, `#[derive(serde::Serialize, serde::Deserialize)]`
    //~ rustc: note: required for `resilience::resilience_idempotency::__private::KeepOk` to implement `idempotent::codec::OutcomePolicy<Result<value_not_stored::Receipt, resilience::Rejected>>`
        drop(id);
        Ok(Receipt)
    }
}
