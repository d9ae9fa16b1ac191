//! Functions and methods that are not async.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};

/// The error of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// Succeeds for most inputs.
fn step(input: u32) -> Result<u32, Failed> {
    if input > 9 { Err(Failed) } else { Ok(input) }
}

// Items without a use, without documentation, and with names against the rules.

#[attribute]
fn never_called() -> Result<u32, Failed> {
    step(1)
}

#[attribute]
pub fn without_documentation() -> Result<u32, Failed> {
    step(1)
}

/// Has no section about the errors.
#[attribute]
pub fn undocumented_error() -> Result<u32, Failed> {
    step(1)
}

/// Has no section about the panic.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub fn undocumented_panic(input: Option<u32>) -> Result<u32, Failed> {
    step(input.unwrap())
}

/// Has an error without a value.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub fn unit_error(input: u32) -> Result<(), ()> {
    step(input).map(|_| ()).map_err(|_| ())
}

#[attribute]
fn wrongName(Input: u32) -> Result<u32, Failed> {
    step(Input)
}

/// Has an attribute that the compiler reports.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
#[inline(always)]
#[must_use]
pub fn reported_attributes(input: u32) -> Result<u32, Failed> {
    step(input)
}

#[attribute]
#[deprecated = "use `step`"]
fn deprecated(input: u32) -> Result<u32, Failed> {
    step(input)
}

// Parameters.

/// Does not consume the argument.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub fn by_value(text: String, list: Vec<u32>) -> Result<usize, Failed> {
    step(1)?;
    Ok(text.len() + list.len())
}

/// Takes references to containers.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub fn references(text: &String, list: &Vec<u32>, number: &u32) -> Result<usize, Failed> {
    step(*number)?;
    Ok(text.len() + list.len())
}

/// Does not change the argument.
///
/// # Errors
/// Fails for some inputs.
#[attribute]
pub fn unchanged(list: &mut Vec<u32>) -> Result<usize, Failed> {
    step(1)?;
    Ok(list.len())
}

#[attribute]
fn unused_parameters(text: &str, list: &mut Vec<u32>, number: u32) -> Result<u32, Failed> {
    step(1)
}

#[attribute]
fn unused_mut(mut list: &mut Vec<u32>) -> Result<usize, Failed> {
    list.push(1);
    Ok(list.len())
}

#[attribute]
fn many(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32) -> Result<u32, Failed> {
    step(a + b + c + d + e + f + g + h)
}

#[attribute]
fn flags(first: bool, second: bool, third: bool, fourth: bool) -> Result<bool, Failed> {
    Ok(first && second && third && fourth)
}

#[attribute]
fn underscore(_number: u32) -> Result<u32, Failed> {
    step(_number)
}

#[attribute]
fn patterns((first, [second, ..]): (u32, [u32; 2]), _: u8, Pair { left, right: other }: Pair) -> Result<u32, Failed> {
    step(first + second + left + other)
}

struct Pair {
    left: u32,
    right: u32,
}

#[attribute]
fn reference_patterns(&mut first: &mut u32, &second: &u32, ref third: u32) -> Result<u32, Failed> {
    step(first + second + third)
}

#[attribute]
fn moved_on(list: &mut Vec<u32>, text: &mut String) -> Result<u32, Failed> {
    for item in list {
        *item += 1;
    }
    append(text);
    step(1)
}

fn append<W: std::fmt::Write>(mut to: W) {
    let _ = write!(to, "{}", 1);
}

#[attribute]
fn generic<T: Display, const N: usize>(items: [T; N], map: &HashMap<String, T>) -> Result<String, Failed>
where
    T: Clone,
{
    let mut text = String::new();
    for item in &items {
        let _ = write!(text, "{item} {}", map.len());
    }
    Ok(text)
}

#[attribute]
fn lifetimes<'a, 'b>(first: &'a str, second: &'b str) -> Result<&'a str, Failed> {
    step(1)?;
    if second.is_empty() { Err(Failed) } else { Ok(first) }
}

#[attribute]
fn unused_generic<T>() -> Result<u32, Failed> {
    step(1)
}

#[attribute]
fn type_complexity(input: &Option<Box<dyn Fn(&str) -> Result<Vec<Option<Box<u32>>>, Failed>>>) -> Result<u32, Failed> {
    step(u32::from(input.is_some()))
}

// Bodies.

#[attribute]
fn begins_with_items() -> Result<u32, Failed> {
    const ONE: u32 = 1;
    use std::cmp::max;
    fn two() -> u32 {
        2
    }
    step(max(ONE, two()))
}

#[attribute]
fn items_after_statements() -> Result<u32, Failed> {
    let one = step(1)?;
    const TWO: u32 = 2;
    fn three() -> u32 {
        3
    }
    step(one + TWO + three())
}

#[attribute]
fn unused_items() -> Result<u32, Failed> {
    use std::cmp::max;
    const ONE: u32 = 1;
    fn two() -> u32 {
        2
    }
    step(1)
}

#[attribute]
fn unused_locals() -> Result<u32, Failed> {
    let unused = 1;
    let mut unchanged = step(1)?;
    let mut assigned = 1;
    assigned = 2;
    step(unchanged)
}

#[attribute]
fn unused_results() -> Result<u32, Failed> {
    step(1);
    let _ = String::new();
    "text".len();
    step(1)
}

#[attribute]
fn unreachable() -> Result<u32, Failed> {
    return step(1);
    step(2)
}

#[attribute]
fn needless_return(input: u32) -> Result<u32, Failed> {
    if input > 1 {
        return Err(Failed);
    }
    return Ok(input);
}

#[attribute]
fn needless_syntax(input: u32) -> Result<u32, Failed> {
    let sum = (input + 1);
    let result = step((sum) as u32);
    result
}

#[attribute]
fn needless_question_mark(input: u32) -> Result<u32, Failed> {
    Ok(step(input)?)
}

#[attribute]
fn always_succeeds(input: u32) -> Result<u32, Failed> {
    println!("{}", input);
    Ok(input)
}

#[attribute]
fn shadows(input: u32) -> Result<u32, Failed> {
    let input = input + 1;
    let input = step(input)?;
    let a = 1;
    let b = 2;
    let c = 3;
    let d = 4;
    let e = 5;
    let f = 6;
    step(input + a + b + c + d + e + f)
}

#[attribute]
fn branches(input: u32, text: &str) -> Result<u32, Failed> {
    if input == 1 {
        return Err(Failed);
    } else if input == 2 {
        return step(3);
    } else {
        for letter in text.chars() {
            match letter {
                'a' => return step(1),
                'b' if input > 3 => continue,
                'c' => break,
                _ => {
                    if input > 4 && text.len() > 2 || input == 9 {
                        step(4)?;
                    }
                }
            }
        }
    }
    let Some(first) = text.chars().next() else { return Err(Failed) };
    let closure = |number: u32| if number > 1 { number } else { 1 };
    step(closure(u32::from(first)))
}

#[attribute]
fn complex(input: u32) -> Result<u32, Failed> {
    let mut sum = 0;
    for first in 0..input {
        if first > 1 {
            for second in 0..first {
                if second > 1 && first > 2 {
                    while sum < 3 {
                        if sum == 1 || sum == 2 {
                            match second {
                                1 => sum += 1,
                                2 => sum += 2,
                                3 => sum += 3,
                                4 => return step(4),
                                5 if first > 5 => sum += 1,
                                6 if first > 6 => sum += 1,
                                7 if first > 7 => sum += 1,
                                8 if first > 8 => sum += 1,
                                _ => {
                                    if first > 9 && second > 9 || sum > 9 {
                                        sum += step(1)?;
                                    } else if first > 8 && second > 8 || sum > 8 {
                                        sum += step(2)?;
                                    } else if first > 7 && second > 7 || sum > 7 {
                                        sum += step(3)?;
                                    } else if first > 6 && second > 6 || sum > 6 {
                                        sum += step(4)?;
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    Ok(sum)
}

#[attribute]
fn empty_loop(input: u32) -> Result<u32, Failed> {
    if input == 1 {
        loop {}
    }
    unimplemented!("{}", input)
}

#[attribute]
fn one_expression() -> Result<u32, Failed> { step(1) }

#[attribute]
fn block_in_block() -> Result<u32, Failed> {
    { step(1) }
}

#[attribute]
fn unsafe_block(input: u32) -> Result<u32, Failed> {
    unsafe { step(input) }
}

#[attribute]
fn inner_attribute(input: u32) -> Result<u32, Failed> {
    #![allow(unused_variables, reason = "an inner attribute")]
    let unused = 1;
    step(input)
}

// Methods and traits.

/// A client.
#[derive(Debug, Default)]
pub struct Client {
    sent: u32,
}

impl Client {
    #[attribute]
    fn never_called(&self) -> Result<u32, Failed> {
        step(self.sent)
    }

    #[attribute]
    pub fn undocumented(&self) -> Result<u32, Failed> {
        step(self.sent)
    }

    #[attribute]
    fn unused_self(&self) -> Result<u32, Failed> {
        step(1)
    }

    #[attribute]
    fn unused_exclusive_self(&mut self) -> Result<u32, Failed> {
        step(1)
    }

    /// Changes the client.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub fn exclusive(&mut self, text: String) -> Result<u32, Failed> {
        self.sent += 1;
        step(self.sent)
    }

    /// Does not change the client.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub fn reads(&mut self) -> Result<u32, Failed> {
        step(self.sent)
    }

    /// Hands the client on.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub fn moves(&mut self) -> Result<u32, Failed> {
        let sent = self.sent;
        consume(self);
        step(sent)
    }

    /// Has a name that the convention reserves.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub fn to_owned_client(self) -> Result<u32, Failed> {
        step(self.sent)
    }

    /// Makes a client.
    ///
    /// # Errors
    /// Fails for some inputs.
    #[attribute]
    pub fn new() -> Result<u32, Failed> {
        step(1)
    }
}

fn consume<T>(_: T) {}

/// A trait.
pub trait Fetch {
    /// The documentation has no errors.
    fn fetch(&mut self, id: u32) -> Result<u32, Failed>;

    /// The documentation has no errors.
    #[attribute]
    fn provided(&self, id: String) -> Result<u32, Failed> {
        step(1)
    }
}

impl Fetch for Client {
    #[attribute]
    fn fetch(&mut self, id: u32) -> Result<u32, Failed> {
        let unused = 1;
        self.sent += id;
        step(self.sent)
    }
}
