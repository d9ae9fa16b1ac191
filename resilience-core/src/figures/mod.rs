//! The figures of the policies: the table of all figures, and the counters.

pub(crate) mod durations;
mod histogram;
pub(crate) mod numbers;
pub(crate) mod stripes;
pub(crate) mod table;

pub use self::histogram::Histogram;
pub use self::table::{Figure, FigureInfo, FigureKind, FigureValue, Labels};
