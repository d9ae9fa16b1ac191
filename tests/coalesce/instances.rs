//! Calls that mean different things share no execution: generic arguments, types of `Self`, values
//! of `self`.

use super::*;
use resilience::coalesce;

/// Polls two calls in turn. Returns both outcomes.
fn together<T>(one: impl Future<Output = T>, two: impl Future<Output = T>) -> (T, T) {
    futures::executor::block_on(async { futures::join!(one, two) })
}

trait Model: Send + Sync {
    const NAME: &'static str;

    #[coalesce(key = id)]
    async fn provided(id: u32) -> Outcome {
        tokio::task::yield_now().await;
        Ok(format!("{} {id}", Self::NAME))
    }
}

struct User;
struct Order;

impl Model for User {
    const NAME: &'static str = "user";
}

impl Model for Order {
    const NAME: &'static str = "order";
}

#[coalesce(key = id)]
async fn load<M: Model>(id: u32) -> Outcome {
    tokio::task::yield_now().await;
    Ok(format!("{} {id}", M::NAME))
}

struct Repository<M>(std::marker::PhantomData<M>);

impl<M: Model> Repository<M> {
    #[coalesce(key = id)]
    async fn get(id: u32) -> Outcome {
        tokio::task::yield_now().await;
        Ok(format!("{} {id}", M::NAME))
    }
}

#[test]
fn generic_arguments_are_a_part_of_the_key() {
    let both = (ok("user 7"), ok("order 7"));
    assert_eq!(together(load::<User>(7), load::<Order>(7)), both);
    assert_eq!(together(Repository::<User>::get(7), Repository::<Order>::get(7)), both);
    assert_eq!(together(User::provided(7), Order::provided(7)), both);
}

struct Client {
    tenant: &'static str,
    coalescer: Coalescer,
    runs: AtomicUsize,
}

impl Client {
    fn new(tenant: &'static str) -> Self {
        Self { tenant, coalescer: Coalescer::new(), runs: AtomicUsize::new(0) }
    }

    async fn answer(&self, id: u32) -> Outcome {
        self.runs.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        Ok(format!("{} {id}", self.tenant))
    }

    #[coalesce(key = (self.tenant, id))]
    async fn by_field(&self, id: u32) -> Outcome {
        self.answer(id).await
    }

    #[coalesce(key = format!("{self} {id}"))]
    async fn by_text(&self, id: u32) -> Outcome {
        self.answer(id).await
    }

    #[coalesce(key = id, coalescer = self.coalescer)]
    async fn by_client(&self, id: u32) -> Outcome {
        self.answer(id).await
    }

    #[coalesce(key = id, scope = "global")]
    async fn global(&self, id: u32) -> Outcome {
        self.answer(id).await
    }
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.tenant)
    }
}

#[test]
fn a_method_shares_by_field_by_coalescer_or_globally() {
    let (ann, bob) = (Client::new("ann"), Client::new("bob"));
    let both = (ok("ann 7"), ok("bob 7"));
    assert_eq!(together(ann.by_field(7), bob.by_field(7)), both);
    assert_eq!(together(ann.by_text(7), bob.by_text(7)), both);
    assert_eq!(together(ann.by_client(7), bob.by_client(7)), both);
    let runs = || [&ann, &bob].map(|client| client.runs.swap(0, SeqCst));
    assert_eq!(runs(), [3, 3]);
    assert_eq!(together(ann.by_client(7), ann.by_client(7)), (ok("ann 7"), ok("ann 7")));
    assert_eq!(together(ann.by_field(7), ann.by_field(7)), (ok("ann 7"), ok("ann 7")));
    assert_eq!(runs(), [2, 0]);
    assert_eq!(together(ann.global(7), bob.global(7)), (ok("ann 7"), ok("ann 7")));
    assert_eq!(runs(), [1, 0]);
}
