//! Functions whose body cannot run more than once.

/// The error of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// Succeeds for most inputs.
async fn step(input: u32) -> Result<u32, Failed> {
    std::future::ready(if input > 9 { Err(Failed) } else { Ok(input) }).await
}

#[attribute]
async fn consumed(text: String, mut list: Vec<u32>) -> Result<usize, Failed> {
    list.push(step(1).await?);
    drop(text);
    Ok(list.len())
}

#[attribute]
async fn unused_mut(mut text: String, mut number: u32) -> Result<usize, Failed> {
    step(number).await?;
    Ok(text.len())
}

#[attribute]
async fn assigned(mut text: &str, mut number: u32) -> Result<usize, Failed> {
    let local = text.to_owned();
    text = &local;
    number = step(number).await?;
    Ok(text.len())
}

#[attribute]
async fn mut_patterns((mut first, second): (Vec<u32>, u32), [mut third, _]: [u32; 2]) -> Result<usize, Failed> {
    first.push(step(second).await?);
    third += 1;
    Ok(first.len())
}

/// A client.
#[derive(Debug)]
pub struct Client {
    sent: Vec<u32>,
}

impl Client {
    /// Consumes the client.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub async fn finish(mut self, mut more: Vec<u32>) -> Result<usize, Failed> {
        self.sent.append(&mut more);
        step(1).await?;
        Ok(self.sent.len())
    }
}
