//! Retries at several layers multiply; retries at one layer do not.

use std::cell::Cell;

use resilience::{retry, testing};

use crate::table::Table;

/// The dependency below all layers: always fails.
fn leaf(calls: &Cell<u32>) -> Result<(), ()> {
    calls.set(calls.get() + 1);
    Err(())
}

/// Every layer retries.
#[retry(attempts = 4)]
fn four_each(layers: u32, calls: &Cell<u32>) -> Result<(), ()> {
    if layers == 1 { leaf(calls) } else { four_each(layers - 1, calls) }
}

#[retry(attempts = 3)]
async fn three_each(layers: u32, calls: &Cell<u32>) -> Result<(), ()> {
    if layers == 1 { leaf(calls) } else { Box::pin(three_each(layers - 1, calls)).await }
}

fn blocking_three_each(layers: u32, calls: &Cell<u32>) -> Result<(), ()> {
    futures::executor::block_on(three_each(layers, calls))
}

/// Layers that pass results on.
fn plain(layers: u32, calls: &Cell<u32>) -> Result<(), ()> {
    if layers == 0 { leaf(calls) } else { plain(layers - 1, calls) }
}

#[retry(attempts = 4)]
fn four_at_the_top(layers: u32, calls: &Cell<u32>) -> Result<(), ()> {
    plain(layers - 1, calls)
}

#[retry(attempts = 3)]
fn three_at_the_top(layers: u32, calls: &Cell<u32>) -> Result<(), ()> {
    plain(layers - 1, calls)
}

/// Only the lowest layer retries.
fn three_at_the_bottom(layers: u32, calls: &Cell<u32>) -> Result<(), ()> {
    if layers == 1 { three_at_the_top(1, calls) } else { three_at_the_bottom(layers - 1, calls) }
}

#[test]
fn only_one_layer_should_retry() {
    type Layers = fn(u32, &Cell<u32>) -> Result<(), ()>;
    let rows: [(&str, Layers, u32, u32); 5] = [
        ("4 attempts at each of 3 layers", four_each, 3, 64),
        ("3 attempts at each of 5 layers, async", blocking_three_each, 5, 243),
        ("4 attempts at the first of 3 layers", four_at_the_top, 3, 4),
        ("3 attempts at the first of 5 layers", three_at_the_top, 5, 3),
        ("3 attempts at the last of 5 layers", three_at_the_bottom, 5, 3),
    ];
    let _no_waits = testing::no_waits();
    let mut table = Table::default();
    table.line("Calls of a leaf that always fails: found (published)");
    for (name, call, layers, published) in rows {
        let calls = Cell::new(0);
        table.hold(call(layers, &calls).is_err(), format_args!("{name}: a success"));
        let found = calls.get();
        table.row(name, [format!("{found} ({published})")]);
        table.hold(found == published, format_args!("{name}: {found}, not {published}"));
    }
    table.finish();
}
