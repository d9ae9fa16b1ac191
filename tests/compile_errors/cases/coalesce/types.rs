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
    drop(id);
    Ok(Page)
}

#[coalesce(key = id)]
fn value_of_one_thread(id: u32) -> Result<Rc<u32>, Rejected> {
//~ error at `Result<Rc<u32>, Rejected>`: `Result<Rc<u32>, resilience::Rejected>` cannot be shared by coalesced calls
//~ label: needs `Clone + Send + Sync + 'static`
//~ rustc: help: the trait `resilience_core::coalesce::ShareableOutcome` is not implemented for `Result<Rc<u32>, resilience::Rejected>`
//~ note: derive `Clone` for the value and the error, or share them: `Result<Arc<T>, Arc<E>>`
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
