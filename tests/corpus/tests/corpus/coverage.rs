//! The coverage regions of the bodies, as the compiler maps them for `-C instrument-coverage`.

use std::fs;

use crate::compiler::{compile, folder, rustc};
use crate::findings::Findings;
use crate::variants::{self, write_crate};

/// Reads `coverage Code { … } => file:line:column: line:column (#0);`.
fn region(line: &str) -> Option<(&str, [usize; 4])> {
    let (_, place) = line.trim().strip_prefix("coverage Code ")?.split_once(" => ")?;
    let (place, _) = place.rsplit_once(" (")?;
    let (start, end) = place.split_once(": ")?;
    let mut start = start.rsplitn(3, ':');
    let (column, line) = (start.next()?.parse().ok()?, start.next()?.parse().ok()?);
    let file = start.next()?;
    let (end_line, end_column) = end.split_once(':')?;
    Some((file, [line, column, end_line.parse().ok()?, end_column.parse().ok()?]))
}

#[test]
fn coverage_regions_are_those_of_the_plain_function() {
    let folder = folder("coverage");
    let root = write_crate(&folder, "");
    let mir = folder.join("out.mir");
    let args = [
        "--crate-type=lib".to_owned(),
        "--cap-lints=allow".to_owned(),
        "-Cinstrument-coverage".to_owned(),
        format!("--emit=mir={}", mir.display()),
    ];
    let output = compile(&rustc(), "2024", &root, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mir = fs::read_to_string(mir).expect("the compiler writes the bodies");
    let mut findings = Findings::default();
    let mut known = std::collections::BTreeSet::new();
    for (file, region @ [line, column, end_line, end_column]) in mir.lines().filter_map(region) {
        // A closure around the body adds a second region for each brace of the body.
        if known.insert((file, region)) {
            let size = if line == end_line { end_column - column } else { usize::MAX };
            let text = format!("{size} letters, to {end_line}:{end_column}");
            findings.add(file, (line, column, text));
        }
    }
    assert!(findings.plain() > 200, "the bodies have regions: {}", findings.plain());
    let report = findings.differences(|file, (line, _, text), without, _| {
        // The closures in the attributes have regions, and so has the `{` of the body.
        let is_attribute = variants::is_attribute(file, *line);
        // Without attributes, a method under `#[async_trait]` has no regions.
        without == 0 && (is_attribute || file == "boxed" || text.starts_with("1 letters"))
    });
    assert!(report.is_empty(), "\n{report}");
}
