// Outcomes that cannot be cloned or sent.

use std::rc::Rc;

use resilience::{Rejected, coalesce};

struct Page;

#[coalesce(key = id)]
async fn value_without_clone(id: u32) -> Result<Page, Rejected> {
//~ error at `Result<Page, Rejected>`: `Result<Page, resilience::Rejected>` cannot be shared by coalesced calls
//~ label: needs `Clone + Send + Sync + 'static`
//~ rustc: help: the trait `resilience_core::coalesce::ShareableOutcome` is not implemented for `Result<Page, resilience::Rejected>`
//~ note: derive `Clone` for the value and the error, or share them: `Result<Arc<T>, Arc<E>>`
//~ note: for the error of another crate, `anyhow::Error` or a box, move the body to a function of its own and share its error: `load(id).await.map_err(Arc::new)`, with `error = |rejected| Arc::new(rejected.into())` in the attribute
    drop(id);
    Ok(Page)
}

#[coalesce(key = id)]
fn value_of_one_thread(id: u32) -> Result<Rc<u32>, Rejected> {
//~ error at `Result<Rc<u32>, Rejected>`: `Result<Rc<u32>, resilience::Rejected>` cannot be shared by coalesced calls
//~ label: needs `Clone + Send + Sync + 'static`
//~ rustc: help: the trait `resilience_core::coalesce::ShareableOutcome` is not implemented for `Result<Rc<u32>, resilience::Rejected>`
//~ note: derive `Clone` for the value and the error, or share them: `Result<Arc<T>, Arc<E>>`
//~ note: for the error of another crate, `anyhow::Error` or a box, move the body to a function of its own and share its error: `load(id).await.map_err(Arc::new)`, with `error = |rejected| Arc::new(rejected.into())` in the attribute
    Ok(Rc::new(id))
}

struct Key;

#[coalesce(key = key)]
//~ rustc: error[E0277] at `key`: the trait bound `Key: Hash` is not satisfied
//~ rustc: label: the trait `Hash` is not implemented for `Key`
//~ rustc: help: consider annotating `Key` with `#[derive(Hash)]`
fn key_without_hash(key: Key) -> Option<u32> {
    drop(key);
    None
}

#[coalesce(key = id)]
async fn error_of_another_crate(id: u32) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
//~ error at `Result<u32, Box<dyn std::error::Error + Send + Sync>>`: `Result<u32, Box<dyn std::error::Error + Send + Sync>>` cannot be shared by coalesced calls
//~ label: needs `Clone + Send + Sync + 'static`
//~ rustc: help: the trait `resilience_core::coalesce::ShareableOutcome` is not implemented for `Result<u32, Box<dyn std::error::Error + Send + Sync>>`
//~ note: derive `Clone` for the value and the error, or share them: `Result<Arc<T>, Arc<E>>`
//~ note: for the error of another crate, `anyhow::Error` or a box, move the body to a function of its own and share its error: `load(id).await.map_err(Arc::new)`, with `error = |rejected| Arc::new(rejected.into())` in the attribute
    Ok(id)
}

enum PageError {
    Rejected(Rejected),
}

impl From<Rejected> for PageError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

#[coalesce(key = id)]
async fn shared_error(id: u32) -> Result<u32, std::sync::Arc<PageError>> {
//~ error at `Result<u32, std::sync::Arc<PageError>>`: `Arc<PageError>` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `Arc<PageError>`
//~ note: if `Arc<PageError>` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for Arc<PageError> { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `Arc<PageError>` is the error of another crate, return `Result<_, resilience::Guarded<Arc<PageError>>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `Arc<PageError>` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Ok(id)
}
