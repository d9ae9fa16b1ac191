// Functions that cannot be hedged.

use std::pin::Pin;

use resilience::hedge;

#[hedge(after = "50ms", idempotent)]
fn sync() -> Option<()> {
//~ error at `fn`: `#[hedge]` needs an `async fn`: a sync body occupies the thread, so no second attempt could run beside it; make the function async
    None
}

#[hedge(after = "50ms", idempotent)]
async fn exclusive(list: &mut Vec<u32>) -> Option<()> {
//~ error at `list`: `list` is borrowed exclusively, and `#[hedge]` lends the arguments to two attempts at once; take a shared reference, with a `Mutex` or an atomic inside if the body changes the value, or remove `#[hedge]`
    list.push(1);
    None
}

struct Client(u32);

impl Client {
    #[hedge(after = "50ms", idempotent)]
    async fn exclusive_self(&mut self) -> Option<()> {
    //~ error at `self`: `self` is borrowed exclusively, and `#[hedge]` lends the arguments to two attempts at once; take a shared reference, with a `Mutex` or an atomic inside if the body changes the value, or remove `#[hedge]`
        self.0 += 1;
        None
    }
}

#[hedge(after = "50ms", idempotent)]
async fn optional(list: Option<&mut Vec<u32>>) -> Option<()> {
//~ error at `list`: `list` is borrowed exclusively, and `#[hedge]` lends the arguments to two attempts at once; take a shared reference, with a `Mutex` or an atomic inside if the body changes the value, or remove `#[hedge]`
    list.map(|list| list.push(1))
}

#[hedge(after = "50ms", idempotent)]
async fn pinned(list: Pin<&mut Vec<u32>>) -> Option<()> {
//~ error at `list`: `list` is borrowed exclusively, and `#[hedge]` lends the arguments to two attempts at once; take a shared reference, with a `Mutex` or an atomic inside if the body changes the value, or remove `#[hedge]`
    list.get_mut().push(1);
    None
}

#[hedge(after = "50ms", idempotent)]
async fn mutable(mut list: Vec<u32>) -> Option<()> {
//~ error at `list`: `list` is passed by value and `mut`, and two attempts at once cannot change one value; write `#[hedge(clone(list))]` for a fresh value in each attempt, or remove `mut`
    list.push(1);
    None
}

#[hedge(after = "50ms", idempotent)]
async fn bound_by_ref_mut(ref mut list: Vec<u32>) -> Option<()> {
//~ error at `list`: `list` is bound by `ref mut`, and two attempts at once cannot change one value; remove `ref` and write `#[hedge(clone(list))]`
    list.push(1);
    None
}
