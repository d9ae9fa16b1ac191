// Values that cannot be kept.

use std::rc::Rc;

use resilience::fallback;

struct Page;

#[fallback(stale = "10m", key = id)]
fn value_without_clone(id: u32) -> Result<Page, ()> {
//~ error at `Result<Page, ()>`: `Page` cannot be kept as the last good value
//~ label: needs `Clone + Send + Sync + 'static`
//~ rustc: help: the trait `resilience_core::last_good::KeptValue` is not implemented for `Page`
//~ note: derive `Clone` for the value, or share the value: `Result<Arc<T>, E>`
    drop(id);
    Err(())
}

#[fallback(stale = "10m", key = id)]
async fn value_of_one_thread(id: u32) -> Option<Rc<u32>> {
//~ error at `Option<Rc<u32>>`: `Rc<u32>` cannot be kept as the last good value
//~ label: needs `Clone + Send + Sync + 'static`
//~ rustc: help: the trait `resilience_core::last_good::KeptValue` is not implemented for `Rc<u32>`
//~ note: derive `Clone` for the value, or share the value: `Result<Arc<T>, E>`
    Some(Rc::new(id))
}
