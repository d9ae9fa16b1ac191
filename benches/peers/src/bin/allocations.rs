//! `<name> <subject>`: allocations for one call. A program of its own, because what counts them is an
//! allocator that costs something, and must not be in what is timed.

use allocation_counter::measure;
use peers::rows;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, subject] = arguments.as_slice() else { panic!("a row: its name and its subject") };
    let mut rows = rows();
    let row = rows.find(|row| row.name == name && row.subject == subject).expect("a row");
    // The difference of two runs, so that what is allocated once cancels out.
    let [fewer, more] = [1_000, 11_000].map(|calls| measure(|| (row.run)(calls)).count_total);
    println!("{:.1}", more.saturating_sub(fewer) as f64 / 10_000.0);
}
