//! The time of a call under each library, from the results of `scripts/peers`.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Result;
use crate::style::{BLUE, GRID, ORANGE, TEXT, font};

/// The drawn rows of each column.
const COLUMNS: [&[&str]; 2] = [
    &[
        "breaker closed, failures in a row",
        "breaker closed, half of 100 calls",
        "breaker open",
        "breaker open, async",
        "retry, the first call succeeds",
        "retry, the first call succeeds, async",
        "bulkhead of 10 calls",
    ],
    &[
        "breaker closed, failures in a row, async",
        "breaker closed, half in 10 s, async",
        "shared breaker, closed, two threads",
        "rate limit, a permit is there",
        "rate limit, a permit is there, 1000 keys",
        "hedge, the first attempt waits once",
        "idempotency, a POST with a new key",
    ],
];

const WIDTH: i32 = 1000;
const COLUMN: i32 = WIDTH / 2;
const TOP: i32 = 44;
const HEADING: i32 = 26;
const ROW: i32 = 19;
const GAP: i32 = 12;
/// The place of 1 ns in a column, and the pixels of a factor of ten.
const ORIGIN: i32 = 206;
const DECADE: f64 = 44.0;
const DECADES: i32 = 5;
const HAND: RGBColor = RGBColor(150, 156, 166);

struct Row {
    name: String,
    subject: String,
    nanoseconds: f64,
}

/// Draws the rows of a file that `scripts/peers` has written.
pub(crate) fn draw(results: &Path) -> Result<String> {
    let rows = read(&std::fs::read_to_string(results)?)?;
    let columns = COLUMNS.map(|names| names.iter().map(|name| group(&rows, name)));
    let [left, right] = columns.map(|groups| groups.collect::<Result<Vec<_>>>());
    let columns = [left?, right?];
    let bottom = columns.iter().map(|groups| height(groups)).max().unwrap_or_default() + TOP;
    let mut svg = String::new();
    {
        let size = (u32::try_from(WIDTH)?, u32::try_from(bottom + 24)?);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        let title = "nanoseconds of a call (logarithmic; includes 3 ns of the loop)";
        let style = font(17).pos(Pos::new(HPos::Center, VPos::Top));
        root.draw(&Text::new(title, (WIDTH / 2, 12), style))?;
        for (left, groups) in [0, COLUMN].into_iter().zip(&columns) {
            draw_grid(&root, left, bottom)?;
            let mut top = TOP;
            for rows in groups {
                draw_group(&root, (left, top), rows)?;
                top += height(std::slice::from_ref(rows));
            }
        }
        root.present()?;
    }
    Ok(svg)
}

fn read(text: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let mut cells = cells(line).into_iter();
        let mut next = || cells.next().ok_or_else(|| format!("a cell is missing: {line}"));
        rows.push(Row { name: next()?, subject: next()?, nanoseconds: next()?.parse()? });
    }
    Ok(rows)
}

/// Returns the cells of a line. A cell with a comma is in quotation marks.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match (letter, cells.last_mut()) {
            ('"', _) => is_quoted = !is_quoted,
            (',', _) if !is_quoted => cells.push(String::new()),
            (_, Some(cell)) => cell.push(letter),
            (_, None) => {}
        }
    }
    cells
}

fn group<'a>(rows: &'a [Row], name: &str) -> Result<Vec<&'a Row>> {
    let group: Vec<_> = rows.iter().filter(|row| row.name == name).collect();
    if group.is_empty() {
        Err(format!("the results lack the row {name}").into())
    } else {
        Ok(group)
    }
}

fn height(groups: &[Vec<&Row>]) -> i32 {
    groups.iter().map(|rows| (0..).zip(rows).fold(HEADING + GAP, |height, _| height + ROW)).sum()
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Returns the place of a time in a column.
fn place(nanoseconds: f64) -> i32 {
    let decades = nanoseconds.log10().clamp(0.0, f64::from(DECADES));
    ORIGIN + (decades * DECADE).round() as i32
}

fn draw_grid(area: &Area<'_>, left: i32, bottom: i32) -> Result<()> {
    for (decade, name) in (0..=DECADES).zip(["1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs"])
    {
        let x = left + place(10_f64.powi(decade));
        area.draw(&PathElement::new([(x, TOP), (x, bottom)], GRID))?;
        let style = font(12).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(name, (x, bottom + 4), style))?;
    }
    Ok(())
}

fn draw_group(area: &Area<'_>, (left, top): (i32, i32), rows: &[&Row]) -> Result<()> {
    for (number, row) in (0..).zip(rows) {
        if number == 0 {
            area.draw(&Text::new(row.name.clone(), (left + 12, top + 6), font(14)))?;
        }
        let color = match row.subject.as_str() {
            subject if subject.starts_with("resilience") => BLUE,
            subject if subject.starts_with("by hand") => HAND,
            _ => ORANGE,
        };
        let y = top + HEADING + number * ROW;
        let end = left + place(row.nanoseconds);
        let bar = [(left + ORIGIN, y + 2), (end, y + ROW - 2)];
        area.draw(&Rectangle::new(bar, color.filled()))?;
        let style = font(12).pos(Pos::new(HPos::Right, VPos::Center)).color(&TEXT);
        let subject = row.subject.replace('`', "");
        area.draw(&Text::new(subject, (left + ORIGIN - 8, y + ROW / 2), style))?;
        let style = font(12).pos(Pos::new(HPos::Left, VPos::Center)).color(&TEXT);
        let text = format!("{:.*}", usize::from(row.nanoseconds < 99.95), row.nanoseconds);
        area.draw(&Text::new(text, (end + 5, y + ROW / 2), style))?;
    }
    Ok(())
}
