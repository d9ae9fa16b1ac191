//! Media types of `Content-Type`.

/// A media type: names in lower case, parameters sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    /// The type and the subtype, such as `application/json`.
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Parses a header line, or returns `None` for a malformed line.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = core::str::from_utf8(line).ok()?;
        let (essence, mut rest) = match line.split_once(';') {
            Some((essence, rest)) => (essence, Some(rest)),
            None => (line, None),
        };
        let essence = essence.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut parameters = Vec::new();
        while let Some(text) = rest {
            let parameter;
            (parameter, rest) = next_parameter(text)?;
            parameters.extend(parameter);
        }
        parameters.sort();
        let mut media_type = Self { essence, parameters };
        media_type.remove_default_charset();
        Some(media_type)
    }

    /// Removes `charset=utf-8` where the parameter has no meaning: JSON and HTML forms are UTF-8.
    fn remove_default_charset(&mut self) {
        if self.is_json() || self.essence == "application/x-www-form-urlencoded" {
            let is_default = |(name, value): &(String, String)| {
                name == "charset" && value.eq_ignore_ascii_case("utf-8")
            };
            self.parameters.retain(|parameter| !is_default(parameter));
        }
    }

    /// Returns whether the content is JSON: `application/json`, or a suffix `+json`.
    pub(super) fn is_json(&self) -> bool {
        self.essence == "application/json" || self.essence.ends_with("+json")
    }

    /// Returns the boundary of a multipart type, and the type without the boundary.
    pub(super) fn split_boundary(&self) -> Option<(String, Self)> {
        if !self.essence.starts_with("multipart/") {
            return None;
        }
        let mut rest = self.clone();
        let at = rest.parameters.iter().position(|(name, _)| name == "boundary")?;
        let (_, boundary) = rest.parameters.remove(at);
        (!boundary.is_empty()).then_some((boundary, rest))
    }

    /// Returns the parts of the type, for the fingerprint.
    pub(super) fn parts(&self) -> (&str, &[(String, String)]) {
        (&self.essence, &self.parameters)
    }
}

type Parameter = Option<(String, String)>;

/// Reads one parameter. Returns the parameter, if not empty, and the text after the next semicolon.
fn next_parameter(text: &str) -> Option<(Parameter, Option<&str>)> {
    let text = text.trim_start();
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.contains(';')) else {
        // An empty parameter, such as after a final semicolon.
        let (empty, rest) = match text.split_once(';') {
            Some((empty, rest)) => (empty, Some(rest)),
            None => (text, None),
        };
        return empty.trim().is_empty().then_some((None, rest));
    };
    let name = name.trim().to_ascii_lowercase();
    let (value, rest) = if let Some(quoted) = value.strip_prefix('"') {
        unquote(quoted)?
    } else {
        let end = value.find(';').unwrap_or(value.len());
        (value.get(..end)?.trim().to_owned(), value.get(end..)?)
    };
    let rest = rest.trim_start();
    let rest = if rest.is_empty() { None } else { Some(rest.strip_prefix(';')?) };
    is_token(&name).then_some((Some((name, value)), rest))
}

/// Reads a quoted string after the first quotation mark. Returns the content and the rest.
fn unquote(text: &str) -> Option<(String, &str)> {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    loop {
        match characters.next()? {
            (_, '\\') => value.push(characters.next()?.1),
            (end, '"') => return Some((value, text.get(end.saturating_add(1)..)?)),
            (_, character) => value.push(character),
        }
    }
}

/// Returns whether the text is a token of RFC 9110.
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}
