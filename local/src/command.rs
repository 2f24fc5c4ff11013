//! The command line: `cargo run`, and what follows `cargo run --`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it says where it listens, and why not"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use serde_json::{Map, Value};
use share_contract::settings;
use share_model::FileId;
use share_store::ChainReport;

use crate::console;
use crate::server::{Server, Settings, create_account, verify_certificate, verify_receipts};

/// Secure File Share on this machine: API, DynamoDB, S3 and mail in one process.
#[derive(Parser)]
#[command(name = "share-local", version)]
struct Arguments {
    /// Address and port; port 0 picks a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Folder for all data.
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Invites somebody: creates an account and shows the mail with the link to set its password.
    CreateAccount {
        /// Name of the account.
        username: String,
        /// Address of its owner.
        email: String,
        /// What it may do.
        #[arg(long, default_value = "ops", value_parser = ["ops", "client", "admin"])]
        role: String,
    },
    /// Checks that the receipts of a file's links are complete and as they were written.
    VerifyReceipts {
        /// Id of the file.
        file_id: FileId,
    },
    /// Checks a delivery certificate: its signature, its chain of receipts, and that these tell what
    /// it says.
    VerifyCertificate {
        /// The certificate.
        file: PathBuf,
        /// The public keys, as GET /.well-known/jwks.json gives them; or else those of the data
        /// folder.
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
}

/// Threads that serve requests.
const THREADS: usize = 8;

/// The command `share-local`.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // More threads than cores, because the embedded engines do their work on the thread that asks.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let result = runtime
        .context("cannot start the async runtime")
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("share-local: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    console::start();
    let settings = Settings {
        listen: arguments.listen,
        data_dir: arguments.data_dir,
        overrides: overrides(),
        clock: Arc::new(share_runtime::clock),
    };
    match arguments.command {
        None => serve(settings).await,
        Some(Command::CreateAccount { username, email, role }) => {
            let input = [("username", username), ("email", email), ("role", role)];
            let input = input.map(|(name, value)| (name.to_owned(), value.into()));
            let answer = create_account(&settings, Map::from_iter(input)).await?;
            println!("{}", answer.get("message").and_then(Value::as_str).unwrap_or_default());
            Ok(())
        }
        Some(Command::VerifyCertificate { file, keys }) => {
            let certificate = verify_certificate(&settings.data_dir, &file, keys.as_deref())?;
            print!("{}", certificate.summary());
            Ok(())
        }
        Some(Command::VerifyReceipts { file_id }) => {
            let reports = verify_receipts(&settings, file_id).await?;
            anyhow::ensure!(!reports.is_empty(), "there are no links to the file {file_id}");
            for ChainReport { link, receipts, problem } in &reports {
                match problem {
                    None => println!("link {link}: receipts {receipts}, all as they were written"),
                    Some(problem) => println!("link {link}: {problem}"),
                }
            }
            let broken = reports.iter().filter(|report| report.problem.is_some()).count();
            anyhow::ensure!(
                broken == 0,
                "the receipts of {broken} of {} links do not hold",
                reports.len()
            );
            Ok(())
        }
    }
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let data_dir = settings.data_dir.clone();
    let server = Server::start(settings).await?;
    // Before anybody can know that it is there, and stop it.
    let stop = stop_signal()?;
    greet(&server, &data_dir);
    stop.await;
    println!("Stopping …");
    server.stop().await;
    println!("Stopped. Data stay in {}.", data_dir.display());
    Ok(())
}

/// The settings that this process has been given. An empty one counts as unset.
fn overrides() -> BTreeMap<String, String> {
    let environment = share_runtime::environment();
    let given = settings::ALL.iter().filter_map(|about| {
        Some((about.name.to_owned(), environment.optional(about.name)?.to_owned()))
    });
    given.collect()
}

fn greet(server: &Server, data_dir: &Path) {
    let url = console::paint("1;36", &format!("http://{}", server.address));
    println!("Secure File Share is at {url}  (data: {}, stop: Ctrl-C)", data_dir.display());
    if server.address.ip().is_loopback() {
        println!("Accounts: admin, ops and client, with the passwords local-admin-password,");
        println!("local-ops-password and local-client-password. Mails appear here.");
        if server.is_elsewhere() {
            println!(
                "PUBLIC_BASE_URL names another host. Everybody knows these passwords, so let no"
            );
            println!("proxy pass on the requests of others to this server.");
        }
    } else {
        println!("No accounts were made: their passwords are well known, and this is not a");
        println!("loopback address. Mails that this machine causes appear here.");
    }
}

/// Takes signals from now on, and waits for one to stop.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let catch = |kind| signal(kind).context("cannot wait for signals");
    let (mut interrupt, mut terminate) =
        (catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    })
}
