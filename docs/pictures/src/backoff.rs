//! The delays of each backoff, and the spread of each jitter.

use std::time::Duration;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use resilience::{Jitter, RetryPolicy, testing};

use crate::Result;
use crate::style::{BLUE, GREEN, GRID, ORANGE, PURPLE, TEXT, font, seconds};

const RETRIES: u32 = 9;
/// Drawn calls per panel of the jitter.
const CALLS: u32 = 36;

pub(crate) fn draw() -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (900, 760)).into_drawing_area();
        root.fill(&WHITE)?;
        let (top, bottom) = root.split_vertically(390);
        draw_backoffs(&top)?;
        let (title, panels) = bottom.split_vertically(34);
        let text = "jitter: delays of 36 calls with exponential backoff";
        let style = font(19).pos(Pos::new(HPos::Center, VPos::Top));
        title.draw(&Text::new(text, (450, 8), style))?;
        let jitters = [
            ("none", Jitter::None, BLUE),
            ("full (default)", Jitter::Full, GREEN),
            ("equal", Jitter::Equal, ORANGE),
            ("decorrelated", Jitter::Decorrelated, PURPLE),
        ];
        for (panel, (name, jitter, color)) in panels.split_evenly((1, 4)).iter().zip(jitters) {
            draw_jitter(panel, name, jitter, color)?;
        }
        root.present()?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws the delays without jitter, on a logarithmic axis.
fn draw_backoffs(area: &Area<'_>) -> Result<()> {
    let policy = || RetryPolicy::new().jitter(Jitter::None);
    let backoffs = [
        ("exponential (default)", delays(&policy().exponential()), BLUE),
        ("linear", delays(&policy().linear()), GREEN),
        ("fibonacci", delays(&policy().fibonacci()), ORANGE),
        ("fixed", delays(&policy().fixed()), PURPLE),
    ];
    let mut chart = ChartBuilder::on(area)
        .caption("backoff: delay before each retry (base_delay 100 ms, max_delay 10 s)", font(19))
        .margin(12)
        .margin_right(24)
        .x_label_area_size(46)
        .y_label_area_size(78)
        .build_cartesian_2d(0.7..f64::from(RETRIES) + 0.3, (0.07..14.0).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("retry")
        .y_desc("delay (logarithmic)")
        .x_labels(RETRIES as usize)
        .x_label_formatter(&|retry| format!("{retry:.0}"))
        .y_label_formatter(&seconds)
        .label_style(font(15))
        .axis_desc_style(font(16))
        .axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(WHITE)
        .draw()?;
    for (name, delays, color) in backoffs {
        chart
            .draw_series(LineSeries::new(delays.clone(), color.stroke_width(3)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], color.stroke_width(3)));
        chart.draw_series(delays.into_iter().map(|point| Circle::new(point, 4, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(font(16))
        .legend_area_size(32)
        .background_style(WHITE)
        .border_style(GRID)
        .margin(12)
        .draw()?;
    Ok(())
}

/// Draws the delays of many calls under one kind of jitter.
fn draw_jitter(area: &Area<'_>, name: &str, jitter: Jitter, color: RGBColor) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .caption(format!("jitter = {name}"), font(15))
        .margin(6)
        .x_label_area_size(42)
        .y_label_area_size(46)
        .build_cartesian_2d(0.4..f64::from(RETRIES) + 0.6, 0.0..10.5)?;
    chart
        .configure_mesh()
        .x_desc("retry")
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&|retry| format!("{retry:.0}"))
        .y_label_formatter(&seconds)
        .label_style(font(13))
        .axis_desc_style(font(14))
        .axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(WHITE)
        .draw()?;
    let policy = RetryPolicy::new().jitter(jitter);
    let _draws = testing::draws(draws(CALLS * RETRIES));
    for call in 0..CALLS {
        // Calls stand side by side, so that equal delays do not hide each other.
        let shift = (f64::from(call) / f64::from(CALLS) - 0.5) * 0.7;
        let points = delays(&policy).into_iter().map(|(retry, delay)| (retry + shift, delay));
        let color = color.mix(0.55);
        chart.draw_series(points.map(|point| Circle::new(point, 2, color.filled())))?;
    }
    Ok(())
}

/// Returns the number and the delay, in seconds, of each retry of one call.
fn delays(policy: &RetryPolicy) -> Vec<(f64, f64)> {
    let mut previous = None;
    let mut next = |retry| {
        let delay: Duration = policy.delay(retry, previous);
        previous = Some(delay);
        (f64::from(retry), delay.as_secs_f64())
    };
    (1..=RETRIES).map(&mut next).collect()
}

/// Returns numbers in `[0, 1)` that do not depend on the random generator of the library
/// (splitmix64, from a constant seed).
fn draws(count: u32) -> Vec<f64> {
    let mut state: u64 = 7;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from((z >> 32) as u32) / 4_294_967_296.0
    };
    (0..count).map(|_| next()).collect()
}
