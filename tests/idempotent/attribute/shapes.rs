//! Functions and methods of all shapes.

use std::sync::Arc;

use async_trait::async_trait;
use resilience::idempotent::{DynStore, MemoryStore, Store};
use resilience::{Rejected, idempotent};

use super::{Answer, Failure, Runs};

#[test]
fn a_sync_function() {
    #[idempotent(key = id, scope = "global", name = "shapes.function")]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!((call(1, &runs), call(1, &runs), call(2, &runs)), (Ok(1), Ok(1), Ok(2)));
}

#[tokio::test]
async fn an_async_function() {
    #[idempotent(key = id, scope = "global", name = "shapes.async_function")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        tokio::task::yield_now().await;
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!((call(1, &runs).await, call(1, &runs).await), (Ok(1), Ok(1)));
    assert_eq!(call(2, &runs).await, Ok(2));
}

#[test]
fn an_option_is_the_stored_value_or_none() {
    #[idempotent(key = id, scope = "global", name = "shapes.option")]
    fn call(id: Option<u32>, #[skip] runs: &Runs) -> Option<u32> {
        (runs.next() > 1).then(|| runs.count())
    }
    let runs = Runs::default();
    // The first failure is not stored.
    assert_eq!([call(Some(1), &runs), call(Some(1), &runs)], [None, Some(2)]);
    assert_eq!((call(Some(1), &runs), call(None, &runs)), (Some(2), None));
    assert_eq!(runs.count(), 2, "a rejection is `None` without a run");
}

struct Shop<S> {
    store: S,
    runs: Runs,
}

impl<S: Store + Clone> Shop<S> {
    #[idempotent(store = self.store, key = id, scope = "global", name = "shop.shared")]
    async fn shared(&self, id: u32) -> Answer {
        Ok(self.runs.next())
    }

    #[idempotent(store = self.store, key = id, scope = "global", name = "shop.exclusive")]
    async fn exclusive(&mut self, id: u32) -> Answer {
        Ok(self.runs.next())
    }

    #[idempotent(store = self.store, key = id, scope = "global", name = "shop.owned")]
    async fn owned(self, id: u32) -> Answer {
        Ok(self.runs.next())
    }
}

#[tokio::test]
async fn methods_with_each_kind_of_receiver() {
    let store = Arc::new(MemoryStore::new());
    let mut shop = Shop { store: Arc::clone(&store), runs: Runs::default() };
    assert_eq!((shop.shared(1).await, shop.shared(1).await), (Ok(1), Ok(1)));
    assert_eq!((shop.exclusive(1).await, shop.exclusive(1).await), (Ok(2), Ok(2)));
    assert_eq!(shop.owned(1).await, Ok(3));
    let other = Shop { store: Arc::clone(&store), runs: Runs::default() };
    assert_eq!(other.owned(1).await, Ok(3), "the record belongs to the store, not to the object");
    assert_eq!(store.len(), 3);
}

#[tokio::test]
async fn a_store_chosen_at_run_time_in_a_task() {
    struct Shop(Arc<dyn DynStore>);
    impl Shop {
        #[idempotent(store = self.0, key = id, scope = "global", name = "shop.chosen")]
        async fn call(&self, id: u32) -> Answer {
            tokio::task::yield_now().await;
            Ok(id)
        }
    }
    let store = Arc::new(MemoryStore::new());
    let shop = Shop(Arc::clone(&store) as Arc<dyn DynStore>);
    assert_eq!(tokio::spawn(async move { shop.call(7).await }).await.expect("no panic"), Ok(7));
    assert_eq!(store.len(), 1);
}

trait Charge {
    fn charge(&self, id: u32) -> Answer;
}

impl Charge for Runs {
    #[idempotent(key = id, scope = "global", name = "shapes.trait")]
    fn charge(&self, id: u32) -> Answer {
        Ok(self.next())
    }
}

#[async_trait]
trait Pay: Sync {
    async fn pay(&self, id: &str) -> Result<String, Failure>;

    #[idempotent(key = id, scope = "global", name = "shapes.default")]
    async fn twice(&self, id: &str) -> Result<String, Failure> {
        Ok(self.pay(id).await? + &self.pay("other").await?)
    }
}

struct Till(std::sync::Mutex<u32>);

#[async_trait]
impl Pay for Till {
    #[idempotent(key = id, scope = "global", name = "shapes.async_trait")]
    async fn pay(&self, id: &str) -> Result<String, Failure> {
        let mut sum = self.0.lock().expect("nobody panics");
        *sum += 1;
        Ok(format!("{id}{sum}"))
    }
}

#[tokio::test]
async fn methods_of_traits() {
    let runs = Runs::default();
    assert_eq!((runs.charge(1), runs.charge(1)), (Ok(1), Ok(1)));
    let till = Till(std::sync::Mutex::default());
    assert_eq!(till.pay("a").await.as_deref(), Ok("a1"));
    assert_eq!(till.pay("a").await.as_deref(), Ok("a1"));
    assert_eq!(till.twice("b").await.as_deref(), Ok("b2other3"));
    assert_eq!(till.twice("b").await.as_deref(), Ok("b2other3"));
    assert_eq!(*till.0.lock().expect("nobody panics"), 3);
}

#[test]
fn pattern_owned_and_generic_arguments() {
    #[idempotent(key = id, scope = "global", name = "shapes.generic")]
    fn generic<T: serde::Serialize + Into<u32>>(id: u32, more: T) -> Answer {
        Ok(id + more.into())
    }
    #[idempotent(key = (a, &*text), scope = "global", name = "shapes.patterns")]
    fn plain((a, b): (u32, u32), text: String, #[skip] runs: &mut u32) -> Answer {
        *runs += 1;
        Ok(a + b + u32::try_from(text.into_bytes().len()).unwrap_or(0))
    }
    assert_eq!((generic(1, 2_u8), generic(1, 2_u16)), (Ok(3), Ok(3)));
    assert!(generic(1, 3_u8).is_err());
    let mut runs = 0;
    assert_eq!(plain((1, 2), "abc".into(), &mut runs), Ok(6));
    assert_eq!(plain((1, 2), "abc".into(), &mut runs), Ok(6));
    assert_eq!(runs, 1);
    assert!(plain((1, 3), "abc".into(), &mut runs).is_err(), "`b` is in the fingerprint");
}

#[test]
fn a_question_mark_and_a_return_end_the_body() {
    #[idempotent(key = id, scope = "global", name = "shapes.early")]
    fn call(id: u32, text: &str) -> Result<u32, Rejected> {
        if text.is_empty() {
            return Ok(0);
        }
        Ok(id
            + text
                .parse::<u32>()
                .map_err(|_| Rejected::timed_out("parse", std::time::Duration::ZERO))?)
    }
    assert_eq!(call(1, ""), Ok(0));
    assert!(call(2, "x").is_err());
    assert_eq!(call(3, "4"), Ok(7));
}

#[test]
fn a_static_store_is_given_by_name_or_by_reference() {
    static STORE: MemoryStore = MemoryStore::new();
    #[idempotent(store = STORE, key = id, scope = "global", name = "shapes.a")]
    fn named(id: u32) -> Answer {
        Ok(id)
    }
    #[idempotent(store = &STORE, key = id, scope = "global", name = "shapes.b")]
    fn by_reference(id: u32) -> Answer {
        Ok(id)
    }
    static LAZY: std::sync::LazyLock<MemoryStore> = std::sync::LazyLock::new(MemoryStore::new);
    #[idempotent(store = *LAZY, key = id, scope = "global", name = "shapes.lazy")]
    fn lazy(id: u32) -> Answer {
        Ok(id)
    }
    assert_eq!((named(1), by_reference(1), STORE.len()), (Ok(1), Ok(1), 2));
    assert_eq!((lazy(1), LAZY.len()), (Ok(1), 1));
}
