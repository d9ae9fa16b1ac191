//! The ways to name a store.
#![allow(unused_qualifications, reason = "one of the ways is an absolute path")]
#![allow(clippy::clone_on_ref_ptr, reason = "one of the ways is a method call")]

use std::sync::{Arc, LazyLock};

use resilience::idempotent::{DynStore, MemoryStore, Secret, Store, WithSecret};
use resilience::{Rejected, idempotent};

static STORE: MemoryStore = MemoryStore::new();
static LAZY: LazyLock<WithSecret<Arc<MemoryStore>>> =
    LazyLock::new(|| WithSecret::new(Arc::default(), Secret::new([7; 32])));

/// A store in a `static`.
///
/// # Errors
/// Returns the rejection of the attribute.
#[idempotent(key = id, scope = "global", store = STORE)]
pub async fn fixed(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// A borrowed `static`.
///
/// # Errors
/// Returns the rejection of the attribute.
#[idempotent(key = id, scope = "global", store = &crate::stores::STORE)]
pub fn borrowed(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// A store that the first call makes.
///
/// # Errors
/// Returns the rejection of the attribute.
#[idempotent(key = id, scope = "global", store = *LAZY)]
pub fn lazy(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// A borrowed store that the first call makes.
///
/// # Errors
/// Returns the rejection of the attribute.
#[idempotent(key = id, scope = "global", store = &*LAZY)]
pub async fn lazy_borrowed(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// A borrowed argument.
///
/// # Errors
/// Returns the rejection of the attribute.
#[idempotent(key = id, scope = "global", store = store)]
pub async fn lent(id: u32, #[skip] store: &Arc<MemoryStore>) -> Result<u32, Rejected> {
    assert!(store.len() < 9);
    Ok(id)
}

/// An owned argument.
///
/// # Errors
/// Returns the rejection of the attribute.
#[idempotent(key = id, scope = "global", store = store)]
pub fn owned(id: u32, #[skip] store: Arc<MemoryStore>) -> Result<u32, Rejected> {
    drop(store);
    Ok(id)
}

/// An argument of a generic type.
///
/// # Errors
/// Returns the rejection of the attribute.
#[idempotent(key = id, scope = "global", store = store)]
pub async fn generic<S: Store + Clone>(id: u32, #[skip] store: S) -> Result<u32, Rejected> {
    drop(store);
    Ok(id)
}

/// A shop with two stores.
#[allow(missing_debug_implementations, reason = "`dyn DynStore` has none")]
pub struct Shop {
    store: Arc<dyn DynStore>,
    memory: Arc<MemoryStore>,
}

impl Shop {
    /// A borrowed field of `self`.
    ///
    /// # Errors
    /// Returns the rejection of the attribute.
    #[idempotent(key = id, scope = "global", store = &self.store, name = "a")]
    pub async fn field(&mut self, id: u32) -> Result<u32, Rejected> {
        self.memory = Arc::default();
        Ok(id)
    }

    /// A clone of a field of `self`.
    ///
    /// # Errors
    /// Returns the rejection of the attribute.
    #[idempotent(key = id, scope = "global", store = self.memory.clone(), name = "b")]
    pub fn call(self, id: u32) -> Result<u32, Rejected> {
        drop(self);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use resilience::idempotent::MemoryStore;

    use super::{STORE, Shop};
    use crate::ready;

    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }

    #[test]
    fn each_call_has_its_record() {
        let memory = Arc::new(MemoryStore::new());
        let mut shop = Shop { store: memory.clone(), memory: Arc::default() };
        assert_eq!(ready(is_send(super::fixed(1))), Ok(1));
        let blocking = (super::borrowed(1), super::lazy(1), super::owned(1, memory.clone()));
        assert_eq!(blocking, (Ok(1), Ok(1), Ok(1)));
        assert_eq!(ready(is_send(super::lazy_borrowed(1))), Ok(1));
        assert_eq!(ready(is_send(super::lent(1, &memory))), Ok(1));
        assert_eq!(ready(is_send(super::generic(1, memory.clone()))), Ok(1));
        assert_eq!(ready(is_send(shop.field(1))), Ok(1));
        assert_eq!(shop.call(1), Ok(1));
        assert_eq!((STORE.len(), memory.len()), (2, 4));
    }
}
