//! The canonical form of a JSON document, for the fingerprint of a request.
//!
//! Two documents have the same canonical form only if every JSON reader returns equal values for
//! both. So white space, the order of members and the escapes of a string do not count, and every
//! character of a number does: `1`, `1.0` and `1e0` differ for a reader of integers.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The maximum depth of a document, as in `serde_json`.
const MAX_DEPTH: u32 = 128;

/// Returns the canonical form of a document, or `None` if the bytes have to be compared.
///
/// The result is `None` for bytes that are not JSON, for a document deeper than 128 levels, and
/// for an object with two members of the same name: some readers take the first member, and some
/// the last.
pub(super) fn canonical_json(body: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader { text: core::str::from_utf8(body).ok()?, depth: 0 };
    let document = reader.value()?;
    reader.skip_space();
    if !reader.text.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(body.len());
    document.write(&mut out)?;
    Some(out)
}

enum Node<'t> {
    /// A number, `true`, `false` or `null`, as written in the document.
    Literal(&'t str),
    Text(String),
    Array(Vec<Node<'t>>),
    Object(BTreeMap<String, Node<'t>>),
}

impl Node<'_> {
    fn write(&self, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Literal(text) => out.extend(text.as_bytes()),
            Self::Text(text) => write_text(text, out)?,
            Self::Array(items) => {
                out.push(b'[');
                for item in items {
                    item.write(out)?;
                    out.push(b',');
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (name, value) in members {
                    write_text(name, out)?;
                    out.push(b':');
                    value.write(out)?;
                    out.push(b',');
                }
                out.push(b'}');
            }
        }
        Some(())
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) -> Option<()> {
    serde_json::to_writer(out, text).ok()
}

/// Reads the grammar of RFC 8259 from the front of a text.
struct Reader<'t> {
    text: &'t str,
    depth: u32,
}

impl<'t> Reader<'t> {
    fn value(&mut self) -> Option<Node<'t>> {
        self.skip_space();
        match self.text.as_bytes().first()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(Node::Text),
            b't' => self.literal("true".len(), |text| text == "true"),
            b'f' => self.literal("false".len(), |text| text == "false"),
            b'n' => self.literal("null".len(), |text| text == "null"),
            _ => {
                let is_part =
                    |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
                let end = self.text.find(|c| !is_part(c)).unwrap_or(self.text.len());
                self.literal(end, is_number)
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Node<'t>>) -> Option<Node<'t>> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return None;
        }
        let node = read(self);
        self.depth = self.depth.saturating_sub(1);
        node
    }

    fn object(&mut self) -> Option<Node<'t>> {
        let mut members = BTreeMap::new();
        self.take('{')?;
        if self.take('}').is_some() {
            return Some(Node::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.take(':')?;
            match members.entry(name) {
                Entry::Occupied(_) => return None,
                Entry::Vacant(member) => _ = member.insert(self.value()?),
            }
            if self.take(',').is_none() {
                self.take('}')?;
                return Some(Node::Object(members));
            }
        }
    }

    fn array(&mut self) -> Option<Node<'t>> {
        let mut items = Vec::new();
        self.take('[')?;
        if self.take(']').is_some() {
            return Some(Node::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.take(',').is_none() {
                self.take(']')?;
                return Some(Node::Array(items));
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut bytes = self.text.bytes().enumerate();
        if bytes.next()?.1 != b'"' {
            return None;
        }
        loop {
            match bytes.next()? {
                (_, b'\\') => _ = bytes.next()?,
                (end, b'"') => {
                    let (token, rest) = self.text.split_at_checked(end.saturating_add(1))?;
                    self.text = rest;
                    return serde_json::from_str(token).ok();
                }
                _ => {}
            }
        }
    }

    fn literal(&mut self, length: usize, is_valid: fn(&str) -> bool) -> Option<Node<'t>> {
        let (literal, rest) = self.text.split_at_checked(length)?;
        self.text = rest;
        is_valid(literal).then_some(Node::Literal(literal))
    }

    /// Skips white space and takes `token`, or returns `None` if another token follows.
    fn take(&mut self, token: char) -> Option<()> {
        self.skip_space();
        self.text = self.text.strip_prefix(token)?;
        Some(())
    }

    fn skip_space(&mut self) {
        self.text = self.text.trim_start_matches([' ', '\t', '\n', '\r']);
    }
}

/// Returns whether the text is a number of RFC 8259.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let has_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    has_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(has_digits)
        && exponent.is_none_or(|it| has_digits(it.strip_prefix(['+', '-']).unwrap_or(it)))
}
