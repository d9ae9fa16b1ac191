//! The rows of the guides for users of other libraries: `docs/from-rust.md`,
//! `docs/from-resilience4j.md` and `docs/from-polly.md`.
//!
//! `waits` runs the attributes of the tables with waits, and compares the waits with the page.
//! `accepted` compiles the other attributes. `benches/peers` runs the other side of the tables of
//! `docs/from-rust.md`.

mod accepted;
mod waits;

const PAGES: [&str; 3] = [
    include_str!("../../docs/from-rust.md"),
    include_str!("../../docs/from-resilience4j.md"),
    include_str!("../../docs/from-polly.md"),
];

/// A row of a table with an attribute.
struct Row {
    attribute: String,
    /// The third cell: the shortest and the longest waits in seconds.
    waits: Option<[Vec<f64>; 2]>,
}

/// Returns the rows with an attribute in the second cell.
fn rows() -> Vec<Row> {
    let lines = PAGES.iter().flat_map(|page| page.lines());
    lines.filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let attribute = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
    attribute.starts_with("#[").then(|| Row {
        attribute: attribute.to_owned(),
        waits: cells.get(2).map(|cell| ranges(cell)),
    })
}

/// Parses waits, such as `1 2–4`.
fn ranges(cell: &str) -> [Vec<f64>; 2] {
    let ends = cell.split(' ').map(|wait| wait.split_once('–').unwrap_or((wait, wait)));
    let parse = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let (shortest, longest) = ends.map(|(from, to)| (parse(from), parse(to))).unzip();
    [shortest, longest]
}

/// Removes the layout from code.
fn bare(code: &str) -> String {
    code.split_whitespace().collect::<String>().replace(",)", ")")
}

#[test]
fn every_attribute_of_the_guides_is_tested() {
    let tested = [include_str!("waits.rs"), include_str!("accepted.rs")].map(bare);
    let rows = rows();
    assert!(rows.len() > 50, "{}", rows.len());
    for Row { attribute, waits } in rows {
        let tests = if waits.is_some() { &tested[0] } else { &tested[1] };
        assert!(tests.contains(&bare(&attribute)), "not tested: {attribute}");
    }
}
