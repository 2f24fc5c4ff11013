//! The local server as a process of its own, for tests that kill it.
//!
//! `share-e2e-server` is `share-local`. `share-e2e-server front ADDR:PORT DIR VARIABLES` is a server
//! with variables of the test's choice, a JSON object, and so over a store of another process.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

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
    let server = Server::start(Settings {
        listen: listen.parse()?,
        data_dir: data_dir.into(),
        overrides: serde_json::from_str::<BTreeMap<String, String>>(variables)?,
        clock: Arc::new(share_e2e::world::real_time),
    })
    .await?;
    println!("http://{}", server.address);
    std::future::pending().await
}
