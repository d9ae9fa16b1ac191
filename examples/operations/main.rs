//! A service under changing faults, with the admin page, metrics and health.
//!
//! `cargo run --example operations` prints the address of the page. Every 15 s the bank of the
//! service changes: healthy, slow, down, or overloaded. `--seconds 60` ends the service after a
//! minute, `--fault down` keeps a fault. Settings come from `examples/operations/settings.toml`, or
//! the file of `--settings`, which is loaded again when it changes.
//!
//! Controls need a secret token of the process. The printed address sets the token as a cookie.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

mod bank;
mod login;
mod settings;
mod shop;
mod traffic;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use clap::Parser;
use resilience::admin::Admin;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::bank::Fault;
use crate::login::Operators;

/// A service under changing faults, with an admin page.
#[derive(Parser)]
struct Flags {
    /// The address of the page.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The time of the service in seconds; without the flag, until Ctrl-C.
    #[arg(long)]
    seconds: Option<u64>,
    /// Keeps one fault: healthy, slow, down or overloaded.
    #[arg(long)]
    fault: Option<Fault>,
    /// The file with settings, in TOML or JSON.
    #[arg(long, default_value = SETTINGS)]
    settings: PathBuf,
}

const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/operations/settings.toml");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Flags { listen, seconds, fault, settings } = Flags::parse();
    let operators = Operators::new();
    // The hook reads the cookie of the login below.
    let login = operators.clone();
    let admin =
        Admin::new().authorize(move |request| login.knows(&request.headers).then_some("operator"));
    let app = Router::new()
        .route("/", get(async || Redirect::to("/admin")))
        .route("/login/{token}", get(login::login))
        .with_state(operators.clone())
        .nest("/admin", admin.router());

    let listener = TcpListener::bind(listen).await.map_err(|error| format!("{listen}: {error}"))?;
    let address = listener.local_addr()?;
    println!("page, with controls: http://{address}/login/{}", operators.token());
    println!("page, to read:       http://{address}/admin");
    println!("Prometheus:          http://{address}/admin/metrics");
    println!("health:              http://{address}/admin/health");

    let settings = tokio::spawn(settings::follow(settings));
    let faults = tokio::spawn(bank::change_faults(fault));
    let traffic = tokio::spawn(traffic::run());
    let end = async {
        match seconds {
            Some(seconds) => sleep(Duration::from_secs(seconds)).await,
            None => drop(tokio::signal::ctrl_c().await),
        }
    };
    // Open connections do not delay the end.
    tokio::select! {
        served = axum::serve(listener, app).into_future() => served?,
        () = end => {}
    }
    settings.abort();
    faults.abort();
    traffic.abort();
    println!("\n{}", shop::summary());
    Ok(())
}
