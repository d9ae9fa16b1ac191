//! One outage, seen by a plain caller and by a caller with attributes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use plotters::coord::Shift;
use plotters::prelude::*;
use resilience::{Classify, Rejected, circuit_breaker, fallback, retry, timeout};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use crate::Result;
use crate::style::{BLUE, DEEP_SHADE, GREEN, GRID, ORANGE, RED, SHADE, TEXT, font, seconds};

/// Length of the simulation in seconds.
const END: f64 = 60.0;
/// Start and end, in seconds, of the time with failures and of the time without answers.
const FAILING: (f64, f64) = (10.0, 20.0);
const HANGING: (f64, f64) = (20.0, 40.0);
const CALLS_PER_SECOND: u32 = 4;
/// Calls in 60 s.
const CALLS: u32 = 60 * CALLS_PER_SECOND;
/// The timeout of the HTTP client in both runs.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

// ── The two callers ─────────────────────────────────────────────────────────────────────────────

/// Calls the shop and nothing more.
async fn plain(shop: &Shop) -> std::result::Result<Price, ShopError> {
    shop.ask().await
}

#[fallback(value = Price::LastKnown)]
#[retry(attempts = 3, base_delay = "100ms")]
#[circuit_breaker(failure_threshold = 5, reset_timeout = "5s")]
#[timeout("1s")]
async fn annotated(shop: &Shop) -> std::result::Result<Price, ShopError> {
    shop.ask().await
}

#[derive(Clone, Copy, PartialEq)]
enum Price {
    Fresh,
    LastKnown,
}

#[derive(Debug, Classify)]
enum ShopError {
    #[transient]
    Unavailable,
    #[forward]
    Rejected(Rejected),
}

impl From<Rejected> for ShopError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

// ── The service ─────────────────────────────────────────────────────────────────────────────────

struct Shop {
    start: Instant,
    calls: Cell<u32>,
    in_flight: Cell<u32>,
    /// Seconds and calls in flight, at each change.
    load: RefCell<Vec<(f64, f64)>>,
}

impl Shop {
    fn new() -> Self {
        let load = RefCell::new(vec![(0.0, 0.0)]);
        Self { start: Instant::now(), calls: Cell::new(0), in_flight: Cell::new(0), load }
    }

    async fn ask(&self) -> std::result::Result<Price, ShopError> {
        let _in_flight = InFlight::enter(self);
        let call = self.calls.get();
        self.calls.set(call + 1);
        let now = self.seconds();
        if within(now, HANGING) {
            sleep(CLIENT_TIMEOUT).await;
            return Err(ShopError::Unavailable);
        }
        sleep(Duration::from_millis(60 + u64::from(call * 37 % 50))).await;
        let is_failing = within(now, FAILING) && call.rem_euclid(3) == 0;
        if is_failing { Err(ShopError::Unavailable) } else { Ok(Price::Fresh) }
    }

    fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn count(&self, in_flight: u32) {
        let (now, before) = (self.seconds(), f64::from(self.in_flight.replace(in_flight)));
        self.load.borrow_mut().extend([(now, before), (now, f64::from(in_flight))]);
    }
}

fn within(second: f64, (start, end): (f64, f64)) -> bool {
    (start..end).contains(&second)
}

/// Counts a call that the shop works on.
struct InFlight<'a>(&'a Shop);

impl<'a> InFlight<'a> {
    fn enter(shop: &'a Shop) -> Self {
        shop.count(shop.in_flight.get() + 1);
        Self(shop)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.count(self.0.in_flight.get() - 1);
    }
}

// ── The simulation ──────────────────────────────────────────────────────────────────────────────

struct Call {
    start: f64,
    duration: f64,
    price: Option<Price>,
}

#[derive(Default)]
struct Run {
    calls: Vec<Call>,
    load: Vec<(f64, f64)>,
}

impl Run {
    fn count(&self, price: Option<Price>) -> usize {
        self.calls.iter().filter(|call| call.price == price).count()
    }
}

/// Starts a call at a steady rate and returns the outcome of each call, under a paused clock.
fn simulate(is_annotated: bool) -> Result<Run> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build()?;
    let _draws = resilience::testing::draws([0.5]);
    Ok(LocalSet::new().block_on(&runtime, async {
        let shop = Rc::new(Shop::new());
        let mut tasks = Vec::new();
        for _ in 0..CALLS {
            let shop = Rc::clone(&shop);
            tasks.push(tokio::task::spawn_local(async move {
                let start = shop.seconds();
                let price =
                    if is_annotated { annotated(&shop).await } else { plain(&shop).await }.ok();
                Call { start, duration: shop.seconds() - start, price }
            }));
            sleep(Duration::from_secs(1) / CALLS_PER_SECOND).await;
        }
        let mut run = Run::default();
        for task in tasks {
            run.calls.extend(task.await);
        }
        run.load = shop.load.take();
        run
    }))
}

// ── The picture ─────────────────────────────────────────────────────────────────────────────────

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) fn draw() -> Result<String> {
    let (plain, annotated) = (simulate(false)?, simulate(true)?);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (900, 860)).into_drawing_area();
        root.fill(&WHITE)?;
        let (legend, charts) = root.split_vertically(44);
        draw_legend(&legend)?;
        let (first, charts) = charts.split_vertically(280);
        let (second, third) = charts.split_vertically(280);
        draw_calls(&first, "without attributes", &plain)?;
        let stack = "with #[fallback], #[retry], #[circuit_breaker], #[timeout]";
        draw_calls(&second, stack, &annotated)?;
        draw_load(&third, &plain, &annotated)?;
        root.present()?;
    }
    Ok(svg)
}

/// The kinds of outcome, with name and color.
const OUTCOMES: [(Option<Price>, &str, RGBColor); 3] = [
    (Some(Price::Fresh), "fresh answer", GREEN),
    (Some(Price::LastKnown), "fallback", ORANGE),
    (None, "error", RED),
];

fn draw_legend(area: &Area<'_>) -> Result<()> {
    let mut x = 90;
    for (_, name, color) in OUTCOMES {
        area.draw(&Circle::new((x, 25), 6, color.filled()))?;
        area.draw(&Text::new(name, (x + 14, 18), font(16)))?;
        x += 150;
    }
    for (name, color) in [("1 call in 3 fails", SHADE), ("no call is answered", DEEP_SHADE)] {
        area.draw(&Rectangle::new([(x, 16), (x + 24, 34)], color.filled()))?;
        area.draw(&Text::new(name, (x + 32, 18), font(16)))?;
        x += 180;
    }
    Ok(())
}

/// Draws a point for each call: start against time until the caller has an outcome.
fn draw_calls(area: &Area<'_>, title: &str, run: &Run) -> Result<()> {
    let counts = OUTCOMES.map(|(price, name, _)| format!("{} {name}s", run.count(price)));
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{title}: {}", counts.join(", ")), font(18))
        .margin(8)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..END, (0.0006..20.0).log_scale())?;
    let shades = [(FAILING, SHADE), (HANGING, DEEP_SHADE)];
    chart.draw_series(shades.map(|((start, end), color)| {
        Rectangle::new([(start, 0.0006), (end, 20.0)], color.filled())
    }))?;
    chart
        .configure_mesh()
        .x_desc("start of the call (s)")
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_desc("time to the outcome")
        .y_label_formatter(&|value| match seconds(value).as_str() {
            "1 ms" => "≤ 1 ms".to_owned(),
            text => text.to_owned(),
        })
        .label_style(font(14))
        .axis_desc_style(font(15))
        .axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (price, _, color) in OUTCOMES {
        let calls = run.calls.iter().filter(|call| call.price == price);
        let points = calls.map(|call| (call.start, call.duration.max(0.001)));
        chart.draw_series(points.map(|point| Circle::new(point, 3, color.filled())))?;
    }
    Ok(())
}

/// Draws how many calls the service works on at once, in both runs.
fn draw_load(area: &Area<'_>, plain: &Run, annotated: &Run) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .caption("load on the service", font(18))
        .margin(8)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..END, 0.0..45.0)?;
    let shades = [(FAILING, SHADE), (HANGING, DEEP_SHADE)];
    chart.draw_series(shades.map(|((start, end), color)| {
        Rectangle::new([(start, 0.0), (end, 45.0)], color.filled())
    }))?;
    chart
        .configure_mesh()
        .x_desc("time (s)")
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_desc("calls in flight")
        .y_labels(5)
        .y_label_formatter(&|value| format!("{value:.0}"))
        .label_style(font(14))
        .axis_desc_style(font(15))
        .axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (name, run, color) in
        [("without attributes", plain, RED), ("with attributes", annotated, BLUE)]
    {
        let points = run.load.iter().copied().filter(|(second, _)| *second <= END);
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], color.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font(font(15))
        .legend_area_size(32)
        .background_style(WHITE)
        .border_style(GRID)
        .margin(10)
        .draw()?;
    Ok(())
}
