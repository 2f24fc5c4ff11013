//! The commands, a file each: its arguments, and what it does in the order in which it happens.

pub(crate) mod audit;
pub(crate) mod certificate;
pub(crate) mod disable;
pub(crate) mod get;
pub(crate) mod groups;
pub(crate) mod import;
pub(crate) mod invite;
pub(crate) mod link;
pub(crate) mod links;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod ls;
pub(crate) mod manual;
pub(crate) mod receipts;
pub(crate) mod revoke;
pub(crate) mod rm;
pub(crate) mod sessions;
pub(crate) mod set;
pub(crate) mod upload;
pub(crate) mod users;
pub(crate) mod verify;
pub(crate) mod whoami;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::{Arguments, Command};
use crate::context::Context;
use crate::failure::Failure;
use crate::folders::forget_old_transfers;
use crate::output;

/// Runs a command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let context = Context::new(arguments.common)?;
    forget_old_transfers(&context.folders);
    match arguments.command {
        Command::Login(command) => command.run(&context).await,
        Command::Logout(command) => command.run(&context).await,
        Command::Whoami(command) => command.run(&context).await,
        Command::Sessions(command) => command.run(&context).await,
        Command::Ls(command) => command.run(&context).await,
        Command::Upload(command) => command.run(&context).await,
        Command::Import(command) => command.run(&context).await,
        Command::Set(command) => command.run(&context).await,
        Command::Rm(command) => command.run(&context).await,
        Command::Get(command) => command.run(&context).await,
        Command::Link(command) => command.run(&context).await,
        Command::Links(command) => command.run(&context).await,
        Command::Revoke(command) => command.run(&context).await,
        Command::Receipts(command) => command.run(&context).await,
        Command::Certificate(command) => command.run(&context).await,
        Command::Verify(command) => command.run(&context),
        Command::Users(command) => command.run(&context).await,
        Command::Invite(command) => command.run(&context).await,
        Command::Disable(command) => command.run(&context).await,
        Command::Enable(command) => command.run(&context).await,
        Command::Groups(command) => command.run(&context).await,
        Command::Audit(command) => command.run(&context).await,
        Command::Completions { shell } => completions(shell),
        Command::Manual(command) => command.run(&context),
    }
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Arguments::command(), "share", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
