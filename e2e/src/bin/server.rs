//! The local server as a process of its own, for tests that kill it.
//!
//! `share-e2e-server` is `share-local`. `share-e2e-server front ADDR:PORT DIR VARIABLES` is a server
//! with variables of the test's choice, a JSON object, and so over a store of another process. On its
//! standard input it takes `pass SECONDS`, which moves its clock, and `FUNCTION EVENT`, which invokes
//! a function without a route; it answers each with a line that begins with `done: `.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::collections::BTreeMap;
use std::io::stdin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use tokio::sync::mpsc::unbounded_channel;

use share_local::{Server, Settings};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[..] {
        [_, mode, listen, data_dir, variables] if mode == "front" => {
            match front(listen, data_dir, variables) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    println!("{error:#}");
                    ExitCode::FAILURE
                }
            }
        }
        _ => share_local::main(),
    }
}

#[tokio::main]
async fn front(listen: &str, data_dir: &str, variables: &str) -> anyhow::Result<()> {
    let passed = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&passed);
    let server = Server::start(Settings {
        listen: listen.parse()?,
        data_dir: data_dir.into(),
        overrides: serde_json::from_str::<BTreeMap<String, String>>(variables)?,
        clock: Arc::new(move || {
            share_e2e::world::real_time() + SignedDuration::from_secs(clock.load(Ordering::Relaxed))
        }),
    })
    .await?;
    println!("http://{}", server.address);
    let (sender, mut orders) = unbounded_channel();
    // Fails only when the server has ended.
    std::thread::spawn(move || {
        stdin().lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    while let Some(order) = orders.recv().await {
        let (name, rest) = order.split_once(' ').unwrap_or_default();
        if name == "pass" {
            passed.fetch_add(rest.parse()?, Ordering::Relaxed);
            println!("done: null");
        } else {
            match server.invoke_job(name, serde_json::from_str(rest)?).await {
                Ok(answer) => println!("done: {answer}"),
                Err(error) => println!("done: it failed: {error:#}"),
            }
        }
    }
    std::future::pending().await
}
