// Values that cannot be kept.

use std::rc::Rc;

use resilience::fallback;

struct Page;

#[fallback(stale = "10m", key = id)]
fn value_without_clone(id: u32) -> Result<Page, ()> {
//~ rustc: error[E0599] at `Result`: the function or associated item `start` exists for struct `resilience::__private::KeepingCall<Result<Page, ()>>`, but its trait bounds were not satisfied
//~ rustc: label: function or associated item cannot be called due to unsatisfied trait bounds
//~ rustc: label: doesn't satisfy `Page: Clone` or `Page: resilience_core::last_good::KeptValue`
//~ rustc: note: the following trait bounds were not satisfied: `Page: Clone` which is required by `Page: resilience_core::last_good::KeptValue`
//~ rustc: help: consider annotating `Page` with `#[derive(Clone)]`
    drop(id);
    Err(())
}

#[fallback(stale = "10m", key = id)]
async fn value_of_one_thread(id: u32) -> Option<Rc<u32>> {
//~ rustc: error[E0599] at `Option`: the function or associated item `start` exists for struct `resilience::__private::KeepingCall<Option<Rc<u32>>>`, but its trait bounds were not satisfied
//~ rustc: label: function or associated item cannot be called due to unsatisfied trait bounds
//~ rustc: label: doesn't satisfy `Rc<u32>: Send`, `Rc<u32>: Sync` or `Rc<u32>: resilience_core::last_good::KeptValue`
//~ rustc: note: the following trait bounds were not satisfied: `Rc<u32>: Send` which is required by `Rc<u32>: resilience_core::last_good::KeptValue` `Rc<u32>: Sync` which is required by `Rc<u32>: resilience_core::last_good::KeptValue`
    Some(Rc::new(id))
}
