// Values that cannot be kept.

use std::rc::Rc;

use resilience::fallback;

struct Page;

#[fallback(stale = "10m", key = id)]
fn value_without_clone(id: u32) -> Result<Page, ()> {
    drop(id);
    Err(())
}

#[fallback(stale = "10m", key = id)]
async fn value_of_one_thread(id: u32) -> Option<Rc<u32>> {
    Some(Rc::new(id))
}
