//! The dashboard: its form, and the names in its queries.

use std::collections::BTreeMap;

use resilience::export::prometheus_name;
use resilience::{FigureInfo, FigureKind};
use serde::Deserialize;

/// The parts of the schema of Grafana that the dashboard needs. An unknown field in a panel is an
/// error, so that a wrong name of a field cannot hide.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dashboard {
    title: String,
    uid: String,
    schema_version: u32,
    time: BTreeMap<String, String>,
    templating: Templating,
    panels: Vec<Panel>,
}

#[derive(Deserialize)]
struct Templating {
    list: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    r#type: String,
    query: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Panel {
    id: u32,
    title: String,
    description: String,
    r#type: String,
    datasource: Source,
    grid_pos: Place,
    field_config: FieldConfig,
    #[serde(rename = "options")]
    _options: serde_json::Map<String, serde_json::Value>,
    targets: Vec<Target>,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Source {
    r#type: String,
    uid: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct Place {
    h: u32,
    w: u32,
    x: u32,
    y: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldConfig {
    defaults: Defaults,
    overrides: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Defaults {
    unit: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Target {
    ref_id: String,
    datasource: Source,
    expr: String,
    legend_format: String,
}

fn dashboard() -> Dashboard {
    let text = include_str!("../../docs/grafana.json");
    serde_json::from_str(text).expect("the form of a dashboard")
}

/// Returns the names in a query that start with the prefix of the library, without texts in quotes.
fn names(query: &str) -> Vec<&str> {
    let code = query.split('"').step_by(2);
    let words =
        code.flat_map(|code| code.split(|char: char| !char.is_alphanumeric() && char != '_'));
    words.filter(|word| word.starts_with("resilience_")).collect()
}

#[test]
fn the_dashboard_has_the_form_of_grafana() {
    let dashboard = dashboard();
    assert_eq!((dashboard.title.as_str(), dashboard.uid.as_str()), ("Resilience", "resilience-rs"));
    assert!(dashboard.schema_version >= 36);
    assert!(dashboard.time.contains_key("from") && dashboard.time.contains_key("to"));
    let variables: Vec<_> =
        dashboard.templating.list.iter().map(|it| (it.name.as_str(), it.r#type.as_str())).collect();
    assert_eq!(variables, [("datasource", "datasource"), ("policy", "query")]);
    let source = Source { r#type: "prometheus".into(), uid: "${datasource}".into() };
    for (index, panel) in dashboard.panels.iter().enumerate() {
        let title = &panel.title;
        assert!(
            ["stat", "state-timeline", "timeseries"].contains(&panel.r#type.as_str()),
            "{title}"
        );
        assert!(!title.is_empty() && !panel.description.is_empty());
        assert!(
            !panel.field_config.defaults.unit.is_empty() && panel.field_config.overrides.is_empty()
        );
        assert_eq!(panel.datasource, source);
        assert!(!panel.targets.is_empty(), "{title} has no query");
        for target in &panel.targets {
            assert_eq!(target.datasource, source, "{title}");
            assert!(!target.legend_format.is_empty(), "{title}");
        }
        let mut refs: Vec<_> = panel.targets.iter().map(|target| &target.ref_id).collect();
        refs.dedup();
        assert_eq!(refs.len(), panel.targets.len(), "{title}");
        let Place { h, w, x, y } = panel.grid_pos;
        assert!(h > 0 && w > 0 && x + w <= 24, "{title} is outside the grid of 24 columns");
        for other in &dashboard.panels[index + 1..] {
            let at = other.grid_pos;
            let is_apart = x + w <= at.x || at.x + at.w <= x || y + h <= at.y || at.y + at.h <= y;
            assert!(is_apart, "{title} covers {}", other.title);
            assert!(panel.id != other.id && *title != other.title, "{title}");
        }
    }
}

#[test]
fn each_query_uses_figures_and_labels_that_exist() {
    // A query reads the buckets of a histogram.
    let series = |info: &FigureInfo| match info.kind {
        FigureKind::Histogram => prometheus_name(info) + "_bucket",
        _ => prometheus_name(info),
    };
    let figures: BTreeMap<_, _> =
        FigureInfo::all().iter().map(|info| (series(info), *info)).collect();
    let mut used = Vec::new();
    let dashboard = dashboard();
    let targets = dashboard.panels.iter().flat_map(|panel| &panel.targets);
    let queries = targets.flat_map(|target| [target.expr.clone(), target.legend_format.clone()]);
    let of_variables = dashboard.templating.list.iter().map(|variable| variable.query.to_string());
    let of_variables = of_variables.map(|query| query.replace(['"', '\\'], " "));
    for query in queries.chain(of_variables) {
        let names = names(&query);
        let metrics: Vec<_> = names.iter().filter_map(|name| figures.get(*name)).collect();
        used.extend(metrics.iter().map(|info| info.name));
        let labels = |info: &FigureInfo| {
            let labels = info.labels.iter().chain(&FigureInfo::POLICY_LABELS);
            labels.map(|label| label.replace('.', "_")).collect::<Vec<_>>()
        };
        // A legend has labels only, so the labels of all figures are allowed there.
        let allowed: Vec<_> = if metrics.is_empty() {
            FigureInfo::all().iter().flat_map(|info| labels(info)).collect()
        } else {
            metrics.iter().flat_map(|info| labels(info)).collect()
        };
        for name in names.iter().filter(|name| !figures.contains_key(**name)) {
            assert!(allowed.contains(&(*name).to_owned()), "`{name}` does not exist: {query}");
        }
    }
    for info in FigureInfo::all() {
        assert!(used.contains(&info.name), "no panel shows {}", info.name);
    }
}

#[test]
fn names_outside_quotes_are_found() {
    let query =
        "sum by (resilience_a) (rate(resilience_b_total{resilience_c=~\"resilience_d\"}[1m]))";
    assert_eq!(names(query), ["resilience_a", "resilience_b_total", "resilience_c"]);
}
