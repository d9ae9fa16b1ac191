//! Diagrams as link definitions for rustdoc, where a relative path leads to no file.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::Result;

/// Returns one link reference definition per diagram, with the diagram as a data URI.
pub(crate) fn definitions(folder: &Path, diagrams: &[&str]) -> Result<String> {
    let mut text = String::new();
    for name in diagrams {
        let svg = fs::read(folder.join(name))?;
        writeln!(text, "[{name}]: data:image/svg+xml;base64,{}", base64(&svg))?;
    }
    text.push('\n');
    Ok(text)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            let sextet = (group >> (18 - 6 * position)) & 63;
            let is_padding = position > chunk.len();
            text.push(if is_padding { '=' } else { char::from(ALPHABET[sextet as usize]) });
        }
    }
    text
}
