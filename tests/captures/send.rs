//! Arguments that are `Send` and not `Sync`: the future stays `Send`.

use std::cell::Cell;
use std::future::ready;

use futures::executor::block_on;
use resilience::{circuit_breaker, retry, testing, timeout};

use super::is_send;

/// `Send`, but not `Sync`.
#[derive(Default)]
struct Connection {
    calls: Cell<u32>,
}

impl Connection {
    fn query(&self) -> Result<u32, String> {
        self.calls.set(self.calls.get() + 1);
        if self.calls.get() < 2 { Err("too few".into()) } else { Ok(self.calls.get()) }
    }

    #[retry(base_delay = "1ms")]
    async fn method(&mut self) -> Result<u32, String> {
        ready(()).await;
        self.query()
    }

    #[retry(base_delay = "1ms")]
    #[circuit_breaker(error = |rejected| rejected.to_string())]
    #[timeout("1s", error = |rejected| rejected.to_string())]
    async fn stack(&mut self) -> Result<u32, String> {
        ready(()).await;
        self.query()
    }
}

#[retry(base_delay = "1ms")]
async fn argument(connection: &mut Connection) -> Result<u32, String> {
    ready(()).await;
    connection.query()
}

#[retry(base_delay = "1ms")]
async fn trait_object(clock: &mut (dyn Clock + Send)) -> Result<u32, String> {
    ready(()).await;
    Ok(clock.now())
}

#[retry(base_delay = "1ms")]
async fn optional(clock: Option<&mut (dyn Clock + Send)>) -> Result<u32, String> {
    ready(()).await;
    Ok(clock.map_or(0, |clock| clock.now()))
}

trait Clock {
    fn now(&self) -> u32;
}

impl Clock for Connection {
    fn now(&self) -> u32 {
        7
    }
}

#[async_trait::async_trait]
trait Repository {
    async fn get(&mut self) -> Result<u32, String>;
}

#[async_trait::async_trait]
impl Repository for Connection {
    #[retry(base_delay = "1ms")]
    async fn get(&mut self) -> Result<u32, String> {
        let out = self.query()?;
        ready(()).await;
        Ok(out)
    }
}

#[async_trait::async_trait]
trait Reader {
    async fn read(&self, connection: &mut Connection) -> Result<u32, String>;
}

struct Shared;

#[async_trait::async_trait]
impl Reader for Shared {
    #[retry(base_delay = "1ms")]
    async fn read(&self, connection: &mut Connection) -> Result<u32, String> {
        ready(()).await;
        connection.query()
    }
}

#[test]
fn a_future_with_a_mut_reference_is_send_without_sync() {
    let _guard = testing::no_waits();
    let connection = Connection::default;
    assert_eq!(block_on(is_send(connection().method())), Ok(2));
    assert_eq!(block_on(is_send(connection().stack())), Ok(2));
    assert_eq!(block_on(is_send(argument(&mut connection()))), Ok(2));
    assert_eq!(block_on(is_send(trait_object(&mut connection()))), Ok(7));
    assert_eq!(block_on(is_send(optional(Some(&mut connection())))), Ok(7));
    assert_eq!(block_on(is_send(connection().get())), Ok(2));
    assert_eq!(block_on(is_send(Shared.read(&mut connection()))), Ok(2));
}
