//! Reads JSON, with the line of each setting.
//!
//! `serde_json` knows the position of an error only, not of a value. Therefore the settings are
//! read in order, and the line of a mistake is found by a second pass, which stops with an error at
//! the setting.

use core::cell::Cell;
use core::fmt;

use resilience_rules::settings::{Raw, shown};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::error::SettingsError;
use super::read::Reader;
use super::store::Target;

/// A value of a setting.
#[derive(Debug)]
enum Value {
    Text(String),
    Whole(i128),
    Number(f64),
    Flag(bool),
    Other(&'static str),
}

impl Value {
    fn raw(&self) -> Raw<'_> {
        match self {
            Self::Text(text) => Raw::Text(text),
            Self::Whole(number) => Raw::Whole(*number),
            Self::Number(number) => Raw::Number(*number),
            Self::Flag(flag) => Raw::Flag(*flag),
            Self::Other(kind) => Raw::Other(kind),
        }
    }
}

/// A setting, or the path of a value that is no table.
type Setting = (Vec<String>, Option<Value>);

/// Reads the settings, and adds them to the reader.
pub(super) fn read(name: &str, text: &str, reader: &mut Reader) -> Result<(), SettingsError> {
    let at = |line: usize| Some(format!("{name}:{line}"));
    // Some editors begin a file with a mark of the byte order.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let found = pass(text, None)
        .map_err(|error| SettingsError::one(at(error.line().max(1)), shown(&error.to_string())))?;
    for (index, (path, value)) in found.into_iter().enumerate() {
        let before = reader.problems();
        let joined = path.join(".");
        if let ([policy, attribute, key], Some(value)) = (&path[..], value) {
            let target = Target::Pattern(policy.clone());
            reader.setting(None, target, attribute, key, value.raw());
        } else {
            let what = if joined.is_empty() {
                "the file".to_owned()
            } else {
                format!("`{}`", shown(&joined))
            };
            let message = format!(
                "{what} is no object; write `{{\"name of a policy\": {{\"retry\": {{}}}}}}`"
            );
            reader.problem(None, message);
        }
        // At most the first mistakes get a line: each line costs a pass.
        let line = if reader.problems() > before && before < WITH_LINES {
            pass(text, Some(index)).err().map(|error| error.line())
        } else {
            None
        };
        let place = line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}"));
        reader.locate_last(before, &place);
    }
    Ok(())
}

/// The number of mistakes with a line.
const WITH_LINES: usize = 20;

/// Reads all settings, or stops with an error at the setting with this index.
fn pass(text: &str, stop: Option<usize>) -> Result<Vec<Setting>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let found = Cell::new(Vec::new());
    let node = Node { path: Vec::new(), found: &found, stop };
    node.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found.into_inner())
}

/// An object above the settings, or a setting.
struct Node<'f> {
    path: Vec<String>,
    found: &'f Cell<Vec<Setting>>,
    stop: Option<usize>,
}

impl Node<'_> {
    fn add<E: serde::de::Error>(self, value: Value) -> Result<(), E> {
        let mut found = self.found.take();
        if self.stop == Some(found.len()) {
            return Err(E::custom("here"));
        }
        let is_setting = self.path.len() == 3;
        found.push((self.path, is_setting.then_some(value)));
        self.found.set(found);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.path.len() == 3 {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return self.add(Value::Other("an object"));
        }
        let mut keys = std::collections::HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("duplicate key `{}`", shown(&key))));
            }
            let mut path = self.path.clone();
            path.push(key);
            map.next_value_seed(Node { path, ..self.fork() })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.add(Value::Other("a list"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.add(Value::Text(text.to_owned()))
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<(), E> {
        self.add(Value::Flag(flag))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.add(Value::Whole(number.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.add(Value::Whole(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.add(Value::Number(number))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.add(Value::Other("null"))
    }
}

impl<'f> Node<'f> {
    fn fork(&self) -> Node<'f> {
        Node { path: Vec::new(), found: self.found, stop: self.stop }
    }
}
