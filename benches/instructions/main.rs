//! Runs one side of a row for the given number of calls, so that `scripts/instructions` can count
//! instructions. Without arguments, prints the names of the rows. Sides beside `by-hand` and
//! `annotated` are the annotated function in a process with a reader, a hook, settings or a deadline
//! (`deadlines`), or below a deadline (`below`).
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
    if side == "below" {
        return deadline().run(|| (row.annotated)(calls));
    }
    prepare(side);
    if side == "by-hand" { (row.by_hand)(calls) } else { (row.annotated)(calls) }
}

/// Installs what the side measures.
fn prepare(side: &str) {
    match side {
        "counted" => resilience::count_successes(),
        #[cfg(feature = "prometheus")]
        "prometheus" => drop(resilience::export::prometheus_text()),
        #[cfg(feature = "metrics")]
        "metrics" => resilience::export::record_metrics(),
        #[cfg(feature = "opentelemetry")]
        "opentelemetry" => {
            let meter = opentelemetry::global::meter("resilience");
            resilience::export::register_instruments(&meter);
        }
        "deadlines" => deadline().run(|| {}),
        "hook" => resilience::on_event(|_| ()),
        "settings of others" => set("other::*", "retry.attempts", "5"),
        "own settings" => {
            set("*", "retry.attempts", "5");
            set("*", "circuit_breaker.success_threshold", "2");
            set("*", "timeout.limit", "4s");
            set("*", "bulkhead.max", "11");
            set("*", "rate_limit.burst", "1001");
            set("*", "hedge.after", "60ms");
        }
        _ => {}
    }
}

fn deadline() -> Context {
    Context::new().deadline(Duration::from_secs(3600), "bench")
}

fn set(name: &str, setting: &str, value: &str) {
    resilience::control(name).set(setting, value).expect("a valid setting");
}
