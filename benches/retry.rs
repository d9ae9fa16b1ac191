//! Annotated functions and hand-written code on the happy path: time per call.
#![allow(missing_docs, reason = "the macro of criterion writes functions without")]

use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion, criterion_group, criterion_main};

#[path = "instructions/rows/mod.rs"]
mod rows;

fn time(bencher: &mut Bencher<'_>, side: fn(u64)) {
    bencher.iter_custom(|calls| {
        let start = Instant::now();
        side(calls);
        start.elapsed()
    });
}

fn benches(criterion: &mut Criterion) {
    for row in rows::ROWS {
        let mut group = criterion.benchmark_group(row.name);
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
        group.bench_function("by hand", |bencher| time(bencher, row.by_hand));
        group.bench_function("annotated", |bencher| time(bencher, row.annotated));
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
