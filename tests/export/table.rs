//! The tables of the documentation against the table of figures.

use resilience::export::prometheus_name;
use resilience::{FigureInfo, FigureKind};

const PAGE: &str = include_str!("../../docs/observability.md");

/// Returns the rows of the table below this head, as cells.
fn rows(head: &str) -> Vec<Vec<String>> {
    let (_, table) = PAGE.split_once(&format!("{head}\n")).unwrap_or_else(|| panic!("{head}"));
    let lines = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect();
    lines.map(cells).collect()
}

fn code(name: &str) -> String {
    format!("`{name}`")
}

#[test]
fn the_page_states_each_figure_with_type_unit_and_labels() {
    let documented: Vec<_> = rows("| figure | type | unit | labels | kinds | meaning |")
        .into_iter()
        .map(|row| row[..4].to_vec())
        .collect();
    let expected: Vec<_> = FigureInfo::all()
        .iter()
        .map(|info| {
            let kind = match info.kind {
                FigureKind::Counter => "counter",
                FigureKind::Histogram => "histogram",
                _ => "gauge",
            };
            let labels: Vec<_> = info.labels.iter().map(|label| code(label)).collect();
            vec![code(info.name), kind.to_owned(), code(info.unit), labels.join(", ")]
        })
        .collect();
    assert_eq!(documented, expected);
    for label in FigureInfo::POLICY_LABELS {
        assert!(PAGE.contains(&code(label)), "{label}");
    }
}

#[test]
fn the_page_states_each_name_for_prometheus() {
    let documented: Vec<_> =
        rows("| figure | Prometheus | Polly | resilience4j | `MicroProfile` |")
            .into_iter()
            .map(|row| row[..2].to_vec())
            .collect();
    let expected: Vec<_> = FigureInfo::all()
        .iter()
        .map(|info| vec![code(info.name), code(&prometheus_name(info))])
        .collect();
    assert_eq!(documented, expected);
}
