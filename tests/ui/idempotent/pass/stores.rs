// The ways to name a store.
use std::sync::{Arc, LazyLock};

use resilience::idempotent::{DynStore, MemoryStore, Secret, Store, WithSecret};
use resilience::{Rejected, idempotent};

static STORE: MemoryStore = MemoryStore::new();
static LAZY: LazyLock<WithSecret<Arc<MemoryStore>>> =
    LazyLock::new(|| WithSecret::new(Arc::default(), Secret::new([7; 32])));

#[idempotent(key = id, scope = "global", store = STORE)]
async fn fixed(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = &crate::STORE)]
fn borrowed(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = *LAZY)]
fn lazy(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = &*LAZY)]
async fn lazy_borrowed(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = store)]
async fn lent(id: u32, #[skip] store: &Arc<MemoryStore>) -> Result<u32, Rejected> {
    assert!(store.len() < 9);
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = store)]
fn owned(id: u32, #[skip] store: Arc<MemoryStore>) -> Result<u32, Rejected> {
    drop(store);
    Ok(id)
}

#[idempotent(key = id, scope = "global", store = store)]
async fn generic<S: Store + Clone>(id: u32, #[skip] store: S) -> Result<u32, Rejected> {
    drop(store);
    Ok(id)
}

struct Shop {
    store: Arc<dyn DynStore>,
    memory: Arc<MemoryStore>,
}

impl Shop {
    #[idempotent(key = id, scope = "global", store = &self.store, name = "a")]
    async fn field(&mut self, id: u32) -> Result<u32, Rejected> {
        self.memory = Arc::default();
        Ok(id)
    }

    #[idempotent(key = id, scope = "global", store = self.memory.clone(), name = "b")]
    fn call(self, id: u32) -> Result<u32, Rejected> {
        drop(self);
        Ok(id)
    }
}

fn sent<F: Future + Send>(future: F) -> F {
    future
}

fn ready<F: Future>(future: F) -> F::Output {
    let waker = std::task::Waker::noop();
    let poll = std::pin::pin!(future).poll(&mut std::task::Context::from_waker(waker));
    let std::task::Poll::Ready(out) = poll else { panic!("it waits") };
    out
}

fn main() {
    let memory = Arc::new(MemoryStore::new());
    let mut shop = Shop { store: memory.clone(), memory: Arc::default() };
    assert_eq!(ready(sent(fixed(1))), Ok(1));
    assert_eq!((borrowed(1), lazy(1), owned(1, memory.clone())), (Ok(1), Ok(1), Ok(1)));
    assert_eq!(ready(sent(lazy_borrowed(1))), Ok(1));
    assert_eq!(ready(sent(lent(1, &memory))), Ok(1));
    assert_eq!(ready(sent(generic(1, memory.clone()))), Ok(1));
    assert_eq!(ready(sent(shop.field(1))), Ok(1));
    assert_eq!(shop.call(1), Ok(1));
    assert_eq!((STORE.len(), memory.len()), (2, 4));
}
