//! Names of arguments in strings, and in format strings.

use std::future::ready;

use futures::executor::block_on;
use resilience::{fallback, retry};

use super::is_send;

#[derive(Clone)]
struct Text(&'static str);

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

fn same<T>(value: T) -> T {
    value
}

impl Text {
    #[allow(clippy::useless_format, reason = "a format string with escaped braces")]
    #[retry(clone(self))]
    fn texts(self) -> Result<[String; 5], ()> {
        Ok([
            "{self}".to_string(),
            format!("{{self}}"),
            format!("{self}"),
            format!("{} {self:}", "{self}"),
            concat!("{self}", "!").to_owned(),
        ])
    }

    #[allow(unused_qualifications, reason = "`self::` is a path and no argument")]
    #[retry]
    fn moved(&mut self) -> Result<(String, String), ()> {
        let text = format!("{self}{{self}}");
        let _this = self::same(self);
        Ok((text, "{self}".to_owned()))
    }
}

#[test]
fn a_clone_of_self_changes_only_format_strings() {
    let texts = ["{self}", "{self}", "x", "{self} x", "{self}!"].map(str::to_owned);
    assert_eq!(Text("x").texts(), Ok(texts));
    assert_eq!(Text("x").moved(), Ok(("x{self}".to_owned(), "{self}".to_owned())));
}

/// `"{receiver}"` is no format string.
#[fallback(value = "{receiver}".len())]
async fn no_format(receiver: std::sync::mpsc::Receiver<u32>) -> Result<usize, String> {
    ready(()).await;
    let first = receiver.recv().map_err(|error| error.to_string())?;
    Ok(usize::try_from(first).unwrap_or_default())
}

#[test]
fn a_literal_in_a_key_names_no_argument() {
    let (_, receiver) = std::sync::mpsc::channel();
    assert_eq!(block_on(is_send(no_format(receiver))), Ok(10));
}
