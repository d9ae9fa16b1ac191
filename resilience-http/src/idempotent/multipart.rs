//! Bodies of multipart types (RFC 2046): an HTTP library chooses a new boundary for every request.

/// Splits a multipart body at its boundary: the text before the first part, the parts, and the
/// text after the last part. Returns `None` for a body that RFC 2046 does not allow.
pub(super) fn split_parts<'b>(body: &'b [u8], boundary: &str) -> Option<Vec<&'b [u8]>> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    // The first delimiter may stand at the start of the body, without a line break in front.
    let first = delimiter.get(2..)?;
    let (mut rest, mut parts) = if let Some(rest) = body.strip_prefix(first) {
        (rest, vec![&[][..]])
    } else {
        let (preamble, rest) = split_once(body, &delimiter)?;
        (rest, vec![preamble])
    };
    loop {
        if let Some(epilogue) = rest.strip_prefix(b"--") {
            parts.push(epilogue);
            return Some(parts);
        }
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let part = rest.get(padding..)?.strip_prefix(b"\r\n")?;
        // Readers disagree on a delimiter that shares its line break with the delimiter before.
        if part.starts_with(first) {
            return None;
        }
        let (part, after) = split_once(part, &delimiter)?;
        parts.push(part);
        rest = after;
    }
}

fn split_once<'b>(bytes: &'b [u8], separator: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((bytes.get(..at)?, bytes.get(at.saturating_add(separator.len())..)?))
}
