//! Async functions whose calls can share an outcome: no exclusive arguments, and owned outcomes.

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
async fn unused_parameters(text: &str, number: u32) -> Result<u32, Failed> {
    step(1).await
}

#[attribute]
async fn many(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32) -> Result<u32, Failed> {
    step(a + b + c + d + e + f + g + h).await
}

#[attribute]
async fn patterns((first, [second, ..]): (u32, [u32; 2]), _: u8) -> Result<u32, Failed> {
    step(first + second).await
}

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
    step(one + TWO).await
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
async fn block_in_block() -> Result<u32, Failed> {
    { step(1).await }
}

/// A client.
#[derive(Debug, Default)]
pub struct Client {
    sent: u32,
}

impl Client {
    #[attribute]
    async fn of_type(sent: u32) -> Result<u32, Failed> {
        step(sent).await
    }
}
