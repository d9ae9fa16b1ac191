//! Runs one side of a row for the given number of calls, so that `scripts/instructions` can count
//! instructions. Without arguments, prints the names of the rows. The side `counted` is the annotated
//! function with a reader of the figures, `deadlines` the annotated function in a process that has set a
//! deadline, and `below` the annotated function below a deadline.
#![allow(clippy::print_stdout, reason = "the script reads the names")]

mod rows;

use std::time::Duration;

use resilience::context::Context;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, side, calls] = arguments.as_slice() else {
        for row in rows::ROWS {
            println!("{}", row.name);
        }
        return;
    };
    let row = rows::ROWS.iter().find(|row| row.name == name).expect("the name of a row");
    let calls = calls.parse().expect("a number of calls");
    if side == "counted" {
        resilience::count_successes();
    }
    let deadline = Context::new().deadline(Duration::from_secs(3600), "bench");
    match side.as_str() {
        "deadlines" => deadline.run(|| {}),
        "below" => return deadline.run(|| (row.annotated)(calls)),
        _ => {}
    }
    if side == "by-hand" { (row.by_hand)(calls) } else { (row.annotated)(calls) }
}
