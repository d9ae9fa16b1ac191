//! Texts by `Display` and `Debug` of the user.

use core::fmt::{self, Write};

use crate::process_hooks::contained;

/// The text after the part that was written before a panic.
const PANICKED: &str = "(the text panicked)";

/// Runs code of the user that writes a text. A panic ends the text only: a text for a log, a source
/// or a label does not replace the outcome of a call.
#[cold]
pub(crate) fn write_contained<W: Write>(
    to: &mut W,
    write: impl FnOnce(&mut W) -> fmt::Result,
) -> fmt::Result {
    let mut written = Ok(());
    if contained(|| written = write(to)) { written } else { to.write_str(PANICKED) }
}
