//! The text for Prometheus, read by a parser of the format.

use std::collections::BTreeMap;

use resilience::export::{prometheus_keys_text, prometheus_name, prometheus_text};
use resilience::{FigureInfo, FigureKind, policies_matching};

use crate::{Exported, LABEL, PARTS, add, check, figures};

/// Reads `name{label="value",…} number`. Returns the name, the labels and the number.
fn parse(line: &str) -> (String, Vec<(String, String)>, f64) {
    let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("{line}"));
    let mut labels = Vec::new();
    let mut chars = rest.chars();
    loop {
        let label: String = chars.by_ref().take_while(|char| *char != '=').collect();
        assert_eq!(chars.next(), Some('"'), "{line}");
        let mut value = String::new();
        loop {
            match chars.next().expect("a quote ends the value") {
                '"' => break,
                '\\' => value.push(match chars.next() {
                    Some('n') => '\n',
                    Some(char @ ('"' | '\\')) => char,
                    other => panic!("unknown escape {other:?} in {line}"),
                }),
                char => value.push(char),
            }
        }
        labels.push((label, value));
        match chars.next() {
            Some(',') => {}
            Some('}') => break,
            other => panic!("{other:?} in {line}"),
        }
    }
    let number = chars.as_str().strip_prefix(' ').expect("a space before the number");
    (name.to_owned(), labels, number.parse().expect("a number"))
}

/// Returns the names of the series of a figure, each with the dotted name.
fn dotted_names(info: &FigureInfo) -> Vec<(String, String)> {
    let name = prometheus_name(info);
    if info.kind != FigureKind::Histogram {
        return vec![(name, info.name.to_owned())];
    }
    let part = |part: &str| (name.clone() + &part.replace('.', "_"), info.name.to_owned() + part);
    PARTS.map(part).to_vec()
}

fn kind(info: &FigureInfo) -> &'static str {
    match info.kind {
        FigureKind::Counter => "counter",
        FigureKind::Histogram => "histogram",
        _ => "gauge",
    }
}

#[test]
fn the_text_shows_each_series_once() {
    figures();
    let text = prometheus_text();
    let dotted: BTreeMap<_, _> =
        FigureInfo::all().iter().flat_map(|info| dotted_names(info)).collect();
    let label_names: BTreeMap<_, _> = FigureInfo::all()
        .iter()
        .flat_map(|info| info.labels.iter().chain(&FigureInfo::POLICY_LABELS))
        .chain(&["le"])
        .map(|label| (label.replace('.', "_"), *label))
        .collect();
    let mut exported = Exported::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels, value) = parse(line);
        let labels = labels.iter().map(|(name, value)| (label_names[name], value.as_str()));
        add(&mut exported, &dotted[&name], labels, value);
    }
    check(&exported);
}

#[test]
fn each_series_follows_its_help_and_its_type() {
    figures();
    let text = prometheus_text();
    let mut current: Option<&FigureInfo> = None;
    let mut seen = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and a text");
            let infos = FigureInfo::all().iter();
            let info = infos.copied().find(|info| prometheus_name(info) == name).expect("a figure");
            assert_eq!(help, info.help);
            let kind = kind(info);
            assert_eq!(lines.next(), Some(format!("# TYPE {name} {kind}").as_str()));
            assert!(!seen.contains(&name), "{name} is there twice");
            seen.push(name);
            current = Some(info);
        } else {
            let names = current.map(dotted_names).expect("help stands first");
            let (name, _) = line.split_once('{').expect("labels");
            assert!(names.iter().any(|(known, _)| known == name), "{line} below {names:?}");
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
    assert!(text.ends_with('\n'));
}

#[test]
fn names_for_prometheus_are_valid_and_distinct() {
    let mut names: Vec<_> = FigureInfo::all().iter().map(|info| prometheus_name(info)).collect();
    for name in &names {
        assert!(name.chars().all(|char| char.is_ascii_lowercase() || char == '_'), "{name}");
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn no_key_is_a_label() {
    figures();
    let reports = policies_matching("labels");
    let keys = reports.iter().find_map(|report| report.keys.as_ref()).expect("keys");
    assert_eq!((keys.keys, keys.rejecting[0].key.contains(LABEL)), (2, true));
    let text = prometheus_text();
    assert!(text.contains("resilience_policy_name=\"labels\""));
    assert!(!text.contains(LABEL), "{text}");
}

#[test]
fn keys_are_labels_where_asked_for() {
    figures();
    let text = prometheus_keys_text();
    let series: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(parse).collect();
    let of = |name: &str, key: &str| {
        let found: Vec<_> = series
            .iter()
            .filter(|(known, labels, _)| {
                let has = |label: &str, value: &str| {
                    labels.iter().any(|known| known.0 == label && known.1 == value)
                };
                known == name
                    && has("resilience_policy_name", "asked")
                    && has("resilience_key", key)
            })
            .map(|(_, _, number)| *number)
            .collect();
        found
    };
    let shown = policies_matching("asked")[0].keys.clone().expect("keys").rejecting[0].key.clone();
    assert_eq!(of("resilience_key_calls", &shown), [6.0]);
    assert_eq!(of("resilience_key_rejected_calls", &shown), [4.0]);
    let calls = series.iter().filter(|(name, labels, _)| {
        name == "resilience_key_calls" && labels.iter().any(|label| label.1 == "asked")
    });
    assert_eq!(calls.count(), 10, "{text}");
}
