//! Both attempts borrow the arguments, in the task of the caller.

use std::cell::Cell;
use std::rc::Rc;

use resilience::hedge;

use crate::sleep;

struct Client {
    calls: Cell<u32>,
}

impl Client {
    #[hedge(after = "10ms", idempotent)]
    async fn method(&self, path: &str, owned: String) -> Result<String, u16> {
        let attempt = self.calls.replace(self.calls.get() + 1);
        sleep(if attempt == 0 { 1000 } else { 5 }).await;
        Ok(format!("{path}{owned}{attempt}"))
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_borrow_self_references_and_owned_arguments() {
    let client = Client { calls: Cell::new(0) };
    let path = String::from("/a");
    assert_eq!(client.method(&path, "b".into()).await, Ok("/ab1".into()));
    assert_eq!(client.calls.get(), 2);
}

#[hedge(after = "10ms", idempotent)]
async fn not_send(counter: Rc<Cell<u32>>) -> Result<u32, Rc<str>> {
    counter.set(counter.get() + 1);
    sleep(if counter.get() == 1 { 1000 } else { 5 }).await;
    Ok(counter.get())
}

#[tokio::test(start_paused = true)]
async fn futures_and_errors_need_not_be_send() {
    assert_eq!(not_send(Rc::default()).await, Ok(2));
}

#[hedge(after = "10ms", idempotent, clone(list, text))]
async fn consumes(
    mut list: Vec<u32>,
    text: String,
    attempts: &Cell<u32>,
) -> Option<(Vec<u32>, String)> {
    let attempt = attempts.replace(attempts.get() + 1);
    list.push(attempt);
    sleep(if attempt == 0 { 1000 } else { 5 }).await;
    Some((list, text))
}

#[tokio::test(start_paused = true)]
async fn clones_give_each_attempt_a_value() {
    let result = consumes(vec![7], "text".into(), &Cell::new(0)).await;
    assert_eq!(result, Some((vec![7, 1], "text".into())));
}

#[hedge(after = "10ms", key = request_id)]
async fn keyed(request_id: &str, seen: &std::cell::RefCell<Vec<String>>) -> Option<()> {
    seen.borrow_mut().push(request_id.to_owned());
    if seen.borrow().len() == 1 {
        sleep(1000).await;
    }
    Some(())
}

#[tokio::test(start_paused = true)]
async fn a_key_declares_the_function_safe_to_repeat() {
    let seen = std::cell::RefCell::default();
    assert_eq!(keyed("r-1", &seen).await, Some(()));
    assert_eq!(*seen.borrow(), ["r-1", "r-1"]);
}

#[async_trait::async_trait]
trait Api {
    async fn by_field(&self) -> Option<u32>;
    async fn by_part(&self, request: (u32, u32)) -> Option<u32>;
    async fn by_text(&self, id: u32) -> Option<u32>;
}

struct Service {
    id: u32,
}

#[async_trait::async_trait]
impl Api for Service {
    #[hedge(after = "10ms", key = self.id)]
    async fn by_field(&self) -> Option<u32> {
        Some(self.id)
    }

    #[hedge(after = "10ms", key = id)]
    async fn by_part(&self, (id, _): (u32, u32)) -> Option<u32> {
        Some(id)
    }

    #[hedge(after = "10ms", key = format!("request-{id}"))]
    async fn by_text(&self, id: u32) -> Option<u32> {
        Some(id)
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_may_name_self_a_part_of_an_argument_or_an_argument_in_a_text() {
    let service = Service { id: 7 };
    assert_eq!(service.by_field().await, Some(7));
    assert_eq!(service.by_part((8, 0)).await, Some(8));
    assert_eq!(service.by_text(9).await, Some(9));
}

fn is_send<T: Send>(_: &T) {}

#[hedge(after = "p95", max = 2, idempotent)]
async fn generic<T: Clone + Sync>(value: &T, text: String) -> Result<T, String> {
    sleep(5).await;
    if text.is_empty() { Err(text.clone()) } else { Ok(value.clone()) }
}

#[tokio::test(start_paused = true)]
async fn the_future_is_send_where_the_plain_future_is() {
    let call = generic(&7, "text".into());
    is_send(&call);
    assert_eq!(tokio::spawn(generic(&7, "text".into())).await.unwrap(), Ok(7));
    assert_eq!(call.await, Ok(7));
}
