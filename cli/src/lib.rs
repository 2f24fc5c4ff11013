//! `share`, the command line of Secure File Share for Ops, Clients and admins.
//!
//! It asks the API by the operations of `share-contract`, and knows no route of its own. A command is
//! a file in `commands/`; what moves large files is in `transfers/`.

mod api;
mod arguments;
mod commands;
mod context;
mod failure;
mod folders;
mod output;
mod profile;
mod prompt;
mod results;
mod secrets;
mod transfers;

use std::pin::pin;
use std::process::ExitCode;

use clap::Parser;
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Arguments;
use crate::failure::{Failure, Status, unexpected};
use crate::output::Output;

/// Runs the command that the arguments of this process say.
#[must_use]
pub fn main() -> ExitCode {
    let given = arguments::given(std::env::args_os());
    let mut arguments = match Arguments::try_parse_from(given) {
        Ok(arguments) => arguments,
        Err(error) => return wrong_arguments(&error),
    };
    without_core_dumps();
    // The one variable that clap must not show.
    arguments.common.token = std::env::var_os("SHARE_TOKEN");
    let output = arguments.common.output();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let result = match runtime {
        Err(error) => Err(unexpected("The async runtime cannot be started", error)),
        Ok(runtime) => {
            let result = runtime.block_on(async {
                let mut command = pin!(commands::run(arguments));
                tokio::select! {
                    // First, so that it counts from the beginning on.
                    biased;
                    () = interrupted() => {
                        tokio::select! {
                            () = api::refreshed() => {}
                            _ = &mut command => {}
                        }
                        Err(Failure::new(Status::Interrupted, "Interrupted"))
                    }
                    result = &mut command => result,
                }
            });
            // A file that is being read or hashed is not waited for.
            runtime.shutdown_background();
            result
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.status as u8)
        }
    }
}

/// Waits for Ctrl-C, or for whoever ends this program in another way.
async fn interrupted() {
    let ended = async |kind| {
        if is_ignored(kind) {
            return std::future::pending().await;
        }
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ended(SignalKind::interrupt()) => {}
        () = ended(SignalKind::terminate()) => {}
        () = ended(SignalKind::hangup()) => {}
    }
}

/// Whether this program was started with the signal ignored, as nohup does. Only Linux says so, in
/// `/proc`.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|it| u64::from_str_radix(it.trim(), 16).ok()).unwrap_or_default();
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

/// A crash leaves no image of the memory, which holds secrets.
fn without_core_dumps() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Where it is refused, the administrator has decided otherwise.
    let _ = setrlimit(Resource::Core, none);
}

/// Prints what is wrong with the arguments, or the help that they ask for.
fn wrong_arguments(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let (first, _) = text.split_once("\n\n").unwrap_or((&text, ""));
        let failure = Failure::new(Status::Usage, first.trim_start_matches("error: "));
        Output { json: true, quiet: true }.failure(&failure);
        return ExitCode::from(Status::Usage as u8);
    }
    error.exit()
}
