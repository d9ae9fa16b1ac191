//! `<name> <subject>`: allocations per call. A separate program, because the counting allocator is
//! slow and must not influence the timing.

use allocation_counter::measure;
use peers::rows;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, subject] = arguments.as_slice() else { panic!("a row: its name and its subject") };
    let mut rows = rows();
    let row = rows.find(|row| row.name == name && row.subject == subject).expect("a row");
    // The difference of two runs cancels the setup allocations.
    let [fewer, more] = [1_000, 11_000].map(|calls| measure(|| (row.run)(calls)).count_total);
    println!("{:.1}", more.saturating_sub(fewer) as f64 / 10_000.0);
}
