//! Colors, fonts and axis labels that the pictures share.

use plotters::prelude::*;

pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(crate) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(crate) const GREEN: RGBColor = RGBColor(0, 140, 100);
pub(crate) const RED: RGBColor = RGBColor(200, 50, 30);
pub(crate) const PURPLE: RGBColor = RGBColor(150, 70, 150);
pub(crate) const TEXT: RGBColor = RGBColor(40, 44, 52);
pub(crate) const GRID: RGBColor = RGBColor(225, 228, 232);
pub(crate) const SHADE: RGBColor = RGBColor(246, 238, 232);
pub(crate) const DEEP_SHADE: RGBColor = RGBColor(250, 220, 212);

/// Returns the font of a text of this size.
pub(crate) fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT)
}

/// Formats seconds for an axis: `100 ms`, `2 s`.
pub(crate) fn seconds(value: &f64) -> String {
    match *value {
        0.0 => "0".to_owned(),
        value if value < 0.999 => format!("{:.0} ms", value * 1000.0),
        value => format!("{value:.0} s"),
    }
}
