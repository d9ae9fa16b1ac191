//! The output of the example: two processes, HTTP and gRPC.

use std::process::Command;

#[test]
fn deadlines_and_nested_retries_cross_processes() {
    let output = Command::new(env!("CARGO_BIN_EXE_deadlines")).output().expect("the program runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let protocols: Vec<&str> = text.split("gRPC").collect();
    let [http, grpc] = *protocols else { panic!("two protocols in {text}") };
    for lines in [http, grpc] {
        for line in [
            "started after the deadline: 0",
            "three layers of 4 attempts: 64 calls",
            "three layers of 4 attempts: 64 calls\n  the same, outer only: 4 calls",
            "five layers of 3 attempts: 243 calls\n  the same, outer only: 3 calls",
            "priority on the server: sheddable",
        ] {
            assert!(lines.contains(line), "`{line}` is missing in {lines}");
        }
        // A slow machine leaves less time, never more.
        let seen = lines.split("the callees see ").nth(1).and_then(|rest| rest.split(" s").next());
        let seen = seen.and_then(|seen| seen.split_once(" and ")).expect("two times");
        let (first, second): (u32, u32) =
            (seen.0.parse().unwrap_or(99), seen.1.parse().unwrap_or(99));
        assert!(first <= 23 && second <= 19 && second <= first.saturating_sub(4), "{lines}");
    }
}
