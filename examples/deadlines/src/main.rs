//! Deadlines and nested retries between two processes, over HTTP and gRPC.
//!
//! `cargo run -p deadlines` starts a second process with the server, and calls the server. The
//! server calls itself over the same protocol. A second of the text is 100 ms of the program.
#![allow(clippy::print_stdout, reason = "an example prints results")]

mod calls;
mod grpc;
mod server;
mod text;

use std::error::Error;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use resilience::context::{self, Context, Priority};
use resilience::timeout;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::calls::{Failure, Protocol, call, outer_only_3, outer_only_4, retried_3, retried_4};

const SECOND: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("server") {
        return server::run().await;
    }
    let (mut server, address) = start_server().await?;
    for protocol in [Protocol::Http(address), Protocol::Grpc(address)] {
        show(&protocol).await?;
    }
    server.kill().await?;
    Ok(())
}

/// Starts this program as a server. The first line of its output is the address.
async fn start_server() -> Result<(Child, SocketAddr), Box<dyn Error>> {
    let mut server = Command::new(std::env::current_exe()?)
        .arg("server")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = server.stdout.take().ok_or("no output")?;
    let line = BufReader::new(output).lines().next_line().await?.ok_or("no address")?;
    Ok((server, line.parse()?))
}

async fn show(protocol: &Protocol) -> Result<(), Failure> {
    println!("{protocol}");
    println!(
        "  30 s, 7 s of work, 4 s of work: the callees see {} s",
        seven_of_thirty(protocol).await?
    );

    let error = eight_of_ten(protocol).await.err().map_or("none".into(), |error| error.to_string());
    println!("  10 s, 8 s of work, a callee that hangs: {error}");
    println!("  started after the deadline: {}", call(protocol, "starts").await?);

    println!(
        "  three layers of 4 attempts: {} calls",
        count(protocol, retried_4(protocol, 2)).await?
    );
    println!("  the same, outer only: {} calls", count(protocol, outer_only_4(protocol, 2)).await?);
    println!(
        "  five layers of 3 attempts: {} calls",
        count(protocol, retried_3(protocol, 4)).await?
    );
    println!("  the same, outer only: {} calls", count(protocol, outer_only_3(protocol, 4)).await?);

    let sheddable = Context::current().priority(Priority::Sheddable);
    let seen = sheddable.scope(call(protocol, "priority")).await?;
    println!("  priority on the server: {seen}");
    Ok(())
}

#[timeout(30 * SECOND)]
async fn seven_of_thirty(protocol: &Protocol) -> Result<String, Failure> {
    sleep(7 * SECOND).await;
    call(protocol, "second").await
}

#[timeout(10 * SECOND, name = "eight_of_ten")]
async fn eight_of_ten(protocol: &Protocol) -> Result<String, Failure> {
    sleep(8 * SECOND).await;
    call(protocol, "hang").await
}

/// Returns the number of calls of the leaf, which always fails.
async fn count(
    protocol: &Protocol,
    calls: impl Future<Output = Result<String, Failure>>,
) -> Result<String, Failure> {
    call(protocol, "reset").await?;
    calls.await.err();
    call(protocol, "leaf_calls").await
}

/// Returns the time left, in seconds of the text, rounded.
fn seconds_left() -> String {
    let left = context::remaining().unwrap_or_default();
    let seconds = (left + SECOND / 2).as_millis() / SECOND.as_millis();
    seconds.to_string()
}
