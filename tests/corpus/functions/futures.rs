//! Functions and methods that are async.

use std::fmt::Write as _;

/// The error of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// Succeeds for most inputs.
async fn step(input: u32) -> Result<u32, Failed> {
    std::future::ready(if input > 9 { Err(Failed) } else { Ok(input) }).await
}

#[attribute]
async fn never_called() -> Result<u32, Failed> {
    step(1).await
}

#[attribute]
pub async fn without_documentation() -> Result<u32, Failed> {
    step(1).await
}

/// Has no section about the errors.
#[attribute]
pub async fn undocumented_error() -> Result<u32, Failed> {
    step(1).await
}

/// Has no section about the panic.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub async fn undocumented_panic(input: Option<u32>) -> Result<u32, Failed> {
    step(input.unwrap()).await
}

/// Has an error without a value.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub async fn unit_error(input: u32) -> Result<(), ()> {
    step(input).await.map(|_| ()).map_err(|_| ())
}

#[attribute]
async fn wrongName(Input: u32) -> Result<u32, Failed> {
    step(Input).await
}

#[attribute]
async fn no_await(input: u32) -> Result<u32, Failed> {
    if input > 1 { Err(Failed) } else { Ok(1) }
}

// Parameters.

/// Does not consume the argument.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub async fn by_value(text: String, list: Vec<u32>) -> Result<usize, Failed> {
    step(1).await?;
    Ok(text.len() + list.len())
}

/// Takes references to containers.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub async fn references(text: &String, list: &Vec<u32>, number: &u32) -> Result<usize, Failed> {
    step(*number).await?;
    Ok(text.len() + list.len())
}

#[attribute]
async fn unused_parameters(text: &str, list: &mut Vec<u32>, number: u32) -> Result<u32, Failed> {
    step(1).await
}

#[attribute]
async fn unused_mut(mut list: &mut Vec<u32>) -> Result<usize, Failed> {
    list.push(1);
    step(1).await?;
    Ok(list.len())
}

#[attribute]
async fn many(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32) -> Result<u32, Failed> {
    step(a + b + c + d + e + f + g + h).await
}

#[attribute]
async fn patterns((first, [second, ..]): (u32, [u32; 2]), _: u8, Pair { left, right: other }: Pair) -> Result<u32, Failed> {
    step(first + second + left + other).await
}

struct Pair {
    left: u32,
    right: u32,
}

#[attribute]
async fn reference_patterns(&mut first: &mut u32, &second: &u32) -> Result<u32, Failed> {
    step(first + second).await
}

#[attribute]
async fn reads_exclusive(list: &mut Vec<u32>) -> Result<usize, Failed> {
    step(1).await?;
    Ok(list.len())
}

#[attribute]
async fn moved_on(list: &mut Vec<u32>, text: &mut String) -> Result<u32, Failed> {
    for item in list {
        *item += step(1).await?;
    }
    append(text);
    step(1).await
}

fn append<W: std::fmt::Write>(mut to: W) {
    let _ = write!(to, "{}", 1);
}

#[attribute]
async fn generic<T: Clone, const N: usize>(items: [T; N], marker: T) -> Result<Vec<T>, Failed> {
    step(1).await?;
    Err(Failed)
}

#[attribute]
async fn lifetimes<'a, 'b>(first: &'a str, second: &'b str) -> Result<u32, Failed> {
    step(1).await?;
    if second.is_empty() { Err(Failed) } else { step(u32::from(first.is_empty())).await }
}

// Bodies.

#[attribute]
async fn begins_with_items() -> Result<u32, Failed> {
    const ONE: u32 = 1;
    use std::cmp::max;
    fn two() -> u32 {
        2
    }
    step(max(ONE, two())).await
}

#[attribute]
async fn items_after_statements() -> Result<u32, Failed> {
    let one = step(1).await?;
    const TWO: u32 = 2;
    fn three() -> u32 {
        3
    }
    step(one + TWO + three()).await
}

#[attribute]
async fn unused_locals() -> Result<u32, Failed> {
    use std::cmp::max;
    let unused = 1;
    let mut unchanged = step(1).await?;
    let mut assigned = 1;
    assigned = 2;
    step(unchanged).await
}

#[attribute]
async fn unused_results() -> Result<u32, Failed> {
    step(1).await;
    step(2);
    let _ = String::new();
    let _ = step(3);
    step(1).await
}

#[attribute]
async fn unreachable() -> Result<u32, Failed> {
    return step(1).await;
    step(2).await
}

#[attribute]
async fn needless_return(input: u32) -> Result<u32, Failed> {
    if input > 1 {
        return Err(Failed);
    }
    return step(input).await;
}

#[attribute]
async fn needless_syntax(input: u32) -> Result<u32, Failed> {
    let sum = (input + 1);
    let result = step((sum) as u32).await;
    result
}

#[attribute]
async fn needless_question_mark(input: u32) -> Result<u32, Failed> {
    Ok(step(input).await?)
}

#[attribute]
async fn shadows(input: u32) -> Result<u32, Failed> {
    let input = input + 1;
    let input = step(input).await?;
    let a = 1;
    let b = 2;
    let c = 3;
    let d = 4;
    let e = 5;
    step(input + a + b + c + d + e).await
}

#[attribute]
async fn branches(input: u32, text: &str) -> Result<u32, Failed> {
    if input == 1 {
        return Err(Failed);
    } else if input == 2 {
        return step(3).await;
    } else {
        for letter in text.chars() {
            match letter {
                'a' => return step(1).await,
                'b' if input > 3 => continue,
                'c' => break,
                _ => {
                    if input > 4 && text.len() > 2 || input == 9 {
                        step(4).await?;
                    }
                }
            }
        }
    }
    let Some(first) = text.chars().next() else { return Err(Failed) };
    let closure = |number: u32| if number > 1 { number } else { 1 };
    step(closure(u32::from(first))).await
}

#[attribute]
async fn held_lock(lock: &std::sync::Mutex<u32>) -> Result<u32, Failed> {
    let guard = lock.lock().unwrap();
    step(*guard).await
}

#[attribute]
async fn block_in_block() -> Result<u32, Failed> {
    { step(1).await }
}

// Methods and traits.

/// A client.
#[derive(Debug, Default)]
pub struct Client {
    sent: u32,
}

impl Client {
    #[attribute]
    async fn never_called(&self) -> Result<u32, Failed> {
        step(self.sent).await
    }

    #[attribute]
    pub async fn undocumented(&self) -> Result<u32, Failed> {
        step(self.sent).await
    }

    #[attribute]
    async fn unused_self(&self) -> Result<u32, Failed> {
        step(1).await
    }

    #[attribute]
    async fn reads_exclusive_self(&mut self) -> Result<u32, Failed> {
        step(self.sent).await
    }

    #[attribute]
    async fn unused_exclusive_self(&mut self) -> Result<u32, Failed> {
        step(1).await
    }

    /// Changes the client.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub async fn exclusive(&mut self, text: String) -> Result<u32, Failed> {
        self.sent += 1;
        step(self.sent).await
    }

    /// Hands the client on.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub async fn moves(&mut self) -> Result<u32, Failed> {
        let sent = self.sent;
        consume(&mut *self);
        consume(self);
        step(sent).await
    }
}

fn consume<T>(_: T) {}

/// A trait with async methods.
pub trait Fetch {
    /// The documentation has no errors.
    fn fetch(&mut self, id: u32) -> impl Future<Output = Result<u32, Failed>> + Send;
}

impl Fetch for Client {
    #[attribute]
    async fn fetch(&mut self, id: u32) -> Result<u32, Failed> {
        let unused = 1;
        self.sent += id;
        step(self.sent).await
    }
}
