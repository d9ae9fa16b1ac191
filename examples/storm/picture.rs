//! The picture of a storm: load, goodput and circuit of each stack, and the latencies of all.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::scenario::Scenario;
use crate::simulation::{Run, Second, percentile};
use crate::stacks::{Circuit, STACKS, Stack};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

const WIDTH: u32 = 1000;
const LEGEND_HEIGHT: u32 = 44;
const CELL_HEIGHT: u32 = 236;
const LATENCY_HEIGHT: u32 = 290;

const TEXT: RGBColor = RGBColor(40, 44, 52);
const GRID: RGBColor = RGBColor(225, 228, 232);
const SLOW: RGBColor = RGBColor(246, 238, 232);
const STILL: RGBColor = RGBColor(250, 220, 212);
const GOODPUT: RGBColor = RGBColor(0, 140, 100);
const FALLBACK: RGBColor = RGBColor(150, 200, 235);
const LOAD: RGBColor = RGBColor(200, 50, 30);
const CAPACITY: RGBColor = RGBColor(90, 96, 106);
const OPEN: RGBColor = RGBColor(60, 64, 72);
const HALF_OPEN: RGBColor = RGBColor(230, 159, 0);
/// The colors of the stacks in the chart of the latencies.
const STACK_COLORS: [RGBColor; 6] = [
    RGBColor(200, 50, 30),
    RGBColor(230, 159, 0),
    RGBColor(150, 70, 150),
    RGBColor(0, 140, 100),
    RGBColor(0, 114, 178),
    RGBColor(40, 44, 52),
];

fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT)
}

/// Draws the runs of all stacks as SVG.
pub(crate) fn draw(scenario: &Scenario, runs: &[Run]) -> Result<String, Box<dyn Error>> {
    let rows = u32::try_from(runs.len().div_ceil(2))?;
    let mut svg = String::new();
    {
        let size = (WIDTH, LEGEND_HEIGHT + rows * CELL_HEIGHT + LATENCY_HEIGHT);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        let (legend, charts) = root.split_vertically(LEGEND_HEIGHT);
        draw_legend(&legend)?;
        let (cells, latencies) = charts.split_vertically(rows * CELL_HEIGHT);
        let peak = runs.iter().flat_map(|run| run.arrived.iter().copied()).max().unwrap_or(1);
        let highest = 1.2 * f64::from(peak.max(scenario.capacity));
        let cells = cells.split_evenly((usize::try_from(rows)?, 2));
        for (cell, (stack, run)) in cells.iter().zip(STACKS.iter().zip(runs)) {
            draw_cell(cell, scenario, stack, run, highest)?;
        }
        draw_latencies(&latencies, scenario, runs)?;
        root.present()?;
    }
    Ok(svg)
}

fn draw_legend(area: &Area<'_>) -> Drawn {
    let entries = [
        (LOAD, "requests/s at the service", 4),
        (GOODPUT, "calls/s answered", 14),
        (FALLBACK, "by the fallback", 14),
        (CAPACITY, "capacity", 2),
        (SLOW, "slow", 14),
        (STILL, "standstill", 14),
        (OPEN, "circuit open", 8),
        (HALF_OPEN, "half-open", 8),
    ];
    let mut x = 24;
    for (color, name, height) in entries {
        let y = 22;
        let swatch = [(x, y - height / 2), (x + 18, y + (height + 1) / 2)];
        area.draw(&Rectangle::new(swatch, color.filled()))?;
        area.draw(&Text::new(name, (x + 24, y - 7), font(14)))?;
        x += 36 + 7 * i32::try_from(name.len())?;
    }
    Ok(())
}

/// The middle of each second with a value.
fn points(values: impl IntoIterator<Item = f64>) -> impl Iterator<Item = (f64, f64)> {
    (0_u32..).map(|second| f64::from(second) + 0.5).zip(values)
}

/// The polygon between the values and zero.
fn below(values: &[f64]) -> Vec<(f64, f64)> {
    let mut corners: Vec<_> = points(values.iter().copied()).collect();
    if let (Some(first), Some(last)) = (corners.first().copied(), corners.last().copied()) {
        corners.extend([(last.0, 0.0), (first.0, 0.0)]);
    }
    corners
}

fn draw_cell(
    area: &Area<'_>,
    scenario: &Scenario,
    stack: &Stack,
    run: &Run,
    highest: f64,
) -> Drawn {
    let summary = run.summary(scenario);
    let recovery = match summary.recovery {
        Some(seconds) => format!("recovers in {seconds} s"),
        None => format!("no recovery in {:.0?}", Scenario::AFTER),
    };
    let Stack { name, attributes, .. } = stack;
    let answered = 100.0 * summary.fresh;
    let title = format!("{name} ({attributes}): {answered:.0} % answered, {recovery}");
    let end = scenario.end().as_secs_f64();
    let mut chart = ChartBuilder::on(area)
        .caption(title, font(14))
        .margin(4)
        .margin_right(18)
        .x_label_area_size(24)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..end, 0.0..highest)?;
    chart.draw_series(shades(scenario, 0.0, highest))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .y_labels(5)
        .y_label_formatter(&|value| format!("{value:.0}"))
        .x_label_formatter(&|value| format!("{value:.0} s"))
        .label_style(font(12))
        .axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    let count = |of: fn(&Second) -> u32| -> Vec<f64> {
        run.seconds.iter().map(|second| f64::from(of(second))).collect()
    };
    let with_fallbacks = count(|second| second.fresh + second.fallbacks);
    chart.draw_series([Polygon::new(below(&with_fallbacks), FALLBACK)])?;
    chart.draw_series([Polygon::new(below(&count(|second| second.fresh)), GOODPUT)])?;
    let capacity = f64::from(scenario.capacity);
    chart.draw_series([PathElement::new([(0.0, capacity), (end, capacity)], CAPACITY)])?;
    let load = points(run.arrived.iter().map(|count| f64::from(*count)));
    chart.draw_series(LineSeries::new(load, LOAD.stroke_width(2)))?;
    chart.draw_series(circuit(run, end).into_iter().filter_map(|(from, to, state)| {
        let color = match state {
            Circuit::Closed => return None,
            Circuit::Open => OPEN,
            Circuit::HalfOpen => HALF_OPEN,
        };
        Some(Rectangle::new([(from, 0.94 * highest), (to, highest)], color.filled()))
    }))?;
    Ok(())
}

/// The times of the outage, in the background.
fn shades(scenario: &Scenario, lowest: f64, highest: f64) -> [Rectangle<(f64, f64)>; 2] {
    let [slow, still, recovered] = [Scenario::BEFORE, scenario.standstill(), scenario.recovery()]
        .map(|time| time.as_secs_f64());
    [(slow, still, SLOW), (still, recovered, STILL)]
        .map(|(from, to, color)| Rectangle::new([(from, lowest), (to, highest)], color.filled()))
}

/// The states of the circuit with their start and end. A state is at least a tenth of a second
/// wide, so that half-open states are visible.
fn circuit(run: &Run, end: f64) -> Vec<(f64, f64, Circuit)> {
    let ends = run.circuit.iter().skip(1).map(|(time, _)| *time).chain([end]);
    let states = run.circuit.iter().zip(ends);
    states.map(|((from, state), to)| (*from, to.max(from + 0.1).min(end), *state)).collect()
}

fn draw_latencies(area: &Area<'_>, scenario: &Scenario, runs: &[Run]) -> Drawn {
    const SHORTEST: f64 = 0.01;
    const LONGEST: f64 = 10.0;
    let end = scenario.end().as_secs_f64();
    let mut chart = ChartBuilder::on(area)
        .caption("99th percentile of the time until an outcome, by start of the call", font(16))
        .margin(4)
        .margin_right(18)
        .x_label_area_size(24)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..end, (SHORTEST..LONGEST).log_scale())?;
    chart.draw_series(shades(scenario, SHORTEST, LONGEST))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_label_formatter(&|value| format!("{value:.0} s"))
        .y_label_formatter(&|value| match *value {
            value if value < 0.999 => format!("{:.0} ms", 1000.0 * value),
            value => format!("{value:.0} s"),
        })
        .label_style(font(12))
        .axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for ((stack, run), color) in STACKS.iter().zip(runs).zip(STACK_COLORS) {
        let latencies = run.seconds.iter().map(|second| percentile(&second.latencies, 99));
        let line = points(latencies.map(|latency| latency.clamp(SHORTEST, LONGEST)));
        chart
            .draw_series(LineSeries::new(line, color.stroke_width(2)))?
            .label(stack.name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 2), (x + 16, y + 2)], color.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::Coordinate(470, 86))
        .background_style(WHITE)
        .border_style(GRID)
        .label_font(font(10))
        .draw()?;
    Ok(())
}
