//! Methods under `#[async_trait]`.

/// The error of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// Succeeds for most inputs.
async fn step(input: u32) -> Result<u32, Failed> {
    std::future::ready(if input > 9 { Err(Failed) } else { Ok(input) }).await
}

/// A client.
#[derive(Debug, Default)]
pub struct Client {
    sent: u32,
}

/// A trait whose futures are boxed.
#[async_trait::async_trait]
pub trait Boxed {
    /// The documentation has no errors.
    async fn call(&mut self, id: u32, text: String) -> Result<u32, Failed>;

    /// The documentation has no errors.
    async fn advance(&mut self, mut list: &mut Vec<u32>) -> Result<u32, Failed>;

    /// The documentation has no errors.
    #[attribute]
    async fn provided(&self, (first, second): (u32, u32)) -> Result<u32, Failed>
    where
        Self: Sync,
    {
        let unused = 1;
        step(first + second).await
    }
}

#[async_trait::async_trait]
impl Boxed for Client {
    #[attribute]
    async fn call(&mut self, id: u32, text: String) -> Result<u32, Failed> {
        let unused = 1;
        self.sent += id;
        if text.is_empty() {
            return Err(Failed);
        }
        step(self.sent).await
    }

    #[attribute]
    async fn advance(&mut self, mut list: &mut Vec<u32>) -> Result<u32, Failed> {
        for item in list {
            *item += step(self.sent).await?;
        }
        consume(self);
        step(1).await
    }
}

fn consume<T>(_: T) {}
