// Outcomes that cannot be cloned or sent.

use std::rc::Rc;

use resilience::{Rejected, coalesce};

struct Page;

#[coalesce(key = id)]
async fn value_without_clone(id: u32) -> Result<Page, Rejected> {
    drop(id);
    Ok(Page)
}

#[coalesce(key = id)]
fn value_of_one_thread(id: u32) -> Result<Rc<u32>, Rejected> {
    Ok(Rc::new(id))
}

struct Key;

#[coalesce(key = key)]
fn key_without_hash(key: Key) -> Option<u32> {
    drop(key);
    None
}
