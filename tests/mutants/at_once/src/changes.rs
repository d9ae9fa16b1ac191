//! The changes that `cargo mutants --list --json` prints.

use serde_json::Value;
use std::path::Path;

/// A place in a file: line and column, both from 1.
pub(crate) type Place = (usize, usize);

/// A change of one place of the code.
pub(crate) struct Change {
    /// The position in the list, from 1.
    pub(crate) number: usize,
    /// The path from the root of the repository.
    pub(crate) file: String,
    pub(crate) genre: String,
    /// File, place and description, unique in the list.
    pub(crate) name: String,
    pub(crate) replacement: String,
    pub(crate) start: Place,
    pub(crate) end: Place,
    /// The end of the function around the place, if any.
    pub(crate) function_end: Place,
    /// Whether the function returns `impl Trait`: two returned values have one type.
    pub(crate) is_opaque: bool,
}

pub(crate) fn read(list: &Path) -> Vec<Change> {
    let text = std::fs::read_to_string(list).expect("the list of cargo-mutants");
    let list: Vec<Value> = serde_json::from_str(&text).expect("a list of changes");
    list.iter().zip(1..).map(change).collect()
}

fn change((value, number): (&Value, usize)) -> Change {
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let text = |key: &str| text_of(&value[key]);
    let place = |place: &Value| {
        let position = |key: &str| usize::try_from(place[key].as_u64()?).ok();
        position("line").zip(position("column"))
    };
    Change {
        number,
        file: text("file"),
        genre: text("genre"),
        name: text("name"),
        replacement: text("replacement"),
        start: place(&value["span"]["start"]).expect("the place of a change"),
        end: place(&value["span"]["end"]).expect("the place of a change"),
        function_end: place(&value["function"]["span"]["end"]).unwrap_or_default(),
        is_opaque: text_of(&value["function"]["return_type"]).contains("impl "),
    }
}
