//! The command line.

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand};
use jiff::{Span, SpanRelativeTo};
use share_model::{LinkId, Role};

use crate::commands::{
    audit, certificate, disable, get, groups, import, invite, link, links, login, logout, ls,
    manual, receipts, revoke, rm, sessions, set, upload, users, verify, whoami,
};
use crate::output::Output;
use crate::profile;

/// Hand files to people outside, once.
///
/// share is the command line of Secure File Share. Ops upload files, Clients get them by links that
/// work once, admins say who may come in.
#[derive(Debug, Parser)]
#[command(name = "share", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  share login https://files.example.com    Asks for name and password
  share upload report.pdf --to rosa        Ops: a file for the Client rosa
  share get report.pdf                     Client: download it, and check it
  share link report.pdf                    Client: a link that works once
  share get                                Anyone: by a link; asks for it
  share upload --help                      All about one command

Exit status:
  0    done
  1    failed
  2    wrong arguments
  3    not logged in, or not allowed
  4    not there, or not there any more
  5    refused by the service
  6    the service cannot be reached, or is busy
  7    a local file or folder is in the way
  130  interrupted

A transfer that was interrupted continues when the same command is given again.";

const COMPLETIONS: &str = "\
Examples:
  share completions bash > ~/.local/share/bash-completion/completions/share
  share completions zsh > ~/.zfunc/_share       With ~/.zfunc in fpath
  share completions fish > ~/.config/fish/completions/share.fish";

/// The heading of what every command takes.
const EVERY_COMMAND: &str = "Options of every command";

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = EVERY_COMMAND)]
pub(crate) struct Common {
    /// Which login to use, of several.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "SHARE_PROFILE",
        default_value = profile::DEFAULT,
        value_parser = profile::name
    )]
    pub(crate) profile: String,
    /// Address of the service; after a login, the profile has it.
    #[arg(long, global = true, value_name = "URL", env = "SHARE_URL")]
    pub(crate) url: Option<String>,
    /// An access token in place of a login. It comes from the environment alone: arguments can be
    /// seen by others.
    #[arg(skip)]
    pub(crate) token: Option<OsString>,
    /// Print one JSON document in place of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results and errors alone.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Login(login::Login),
    Logout(logout::Logout),
    Whoami(whoami::Whoami),
    Sessions(sessions::Sessions),
    Ls(ls::Ls),
    Upload(upload::Upload),
    Import(import::Import),
    Set(set::Set),
    Rm(rm::Rm),
    Get(get::Get),
    Link(link::MakeLink),
    Links(links::Links),
    Revoke(revoke::Revoke),
    Receipts(receipts::Receipts),
    Certificate(certificate::SaveCertificate),
    Verify(verify::Verify),
    Users(users::Users),
    Invite(invite::Invite),
    Disable(disable::Disable),
    Enable(disable::Enable),
    Groups(groups::Groups),
    Audit(audit::Audit),
    /// Print the completions for a shell.
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    #[command(name = "man")]
    Manual(manual::Manual),
}

/// The arguments of this process, as clap is to read them. Ids of links can begin with a hyphen, and
/// stand behind `--` then, where a command takes them.
pub(crate) fn given(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let arguments: Vec<_> = arguments.collect();
    if !arguments.iter().any(|it| it == "revoke" || it == "certificate") {
        return arguments;
    }
    let is_id = |it: &OsString| {
        it.to_str().is_some_and(|text| text.starts_with('-') && LinkId::parse(text).is_ok())
    };
    let (ids, mut others): (Vec<_>, Vec<_>) = arguments.into_iter().partition(is_id);
    if !ids.is_empty() && !others.iter().any(|it| it == "--") {
        others.push("--".into());
    }
    others.extend(ids);
    others
}

impl Common {
    pub(crate) fn output(&self) -> Output {
        Output { json: self.json, quiet: self.quiet }
    }
}

/// A role, as the API says it.
pub(crate) fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).map_err(|reason| reason.to_string())
}

/// A time such as `30m`, `12h`, `7d` or `2w`, in seconds.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || "give a number and a unit: 90s, 30m, 12h, 7d or 2w".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if duration.is_negative() { Err(wrong()) } else { Ok(duration.as_secs()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_command_has_an_argument_in_place_of_one_that_every_command_has() {
        let mut share = Arguments::command().disable_help_subcommand(true);
        share.build();
        for name in ["profile", "url", "json", "quiet"] {
            for command in share.get_subcommands() {
                let argument = command.get_arguments().find(|it| it.get_id() == name);
                assert!(argument.is_some_and(clap::Arg::is_global_set), "{name} of {command}");
            }
        }
    }

    #[test]
    fn every_command_has_examples_that_fit_into_80_columns() {
        for command in Arguments::command().get_subcommands() {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(text.starts_with("Examples:\n  "), "{command}");
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn an_id_of_a_link_can_begin_with_a_hyphen() {
        let parse = |line: &str| {
            Arguments::try_parse_from(given(line.split(' ').map(OsString::from)))
                .map(|it| format!("{:?}", it.command))
                .map_err(|error| error.to_string())
        };
        for id in ["-".repeat(43), format!("-q{}", "q".repeat(41)), format!("-o{}", "a".repeat(41))]
        {
            for line in [
                format!("share revoke {id}"),
                format!("share revoke {id} --json"),
                format!("share revoke -- {id}"),
                format!("share certificate {id} -o a.jwt"),
                format!("share --quiet certificate -o a.jwt {id}"),
            ] {
                let parsed = parse(&line);
                assert!(parsed.as_ref().is_ok_and(|it| it.contains(&id)), "{line}: {parsed:?}");
            }
            let both = parse(&format!("share revoke {id} -- x")).expect("both");
            assert!(both.contains(&id) && both.contains("\"x\""), "{both}");
        }
        for line in ["share revoke --jsno", "share certificate --jsno", "share revoke x --jsno"] {
            let refused = parse(line).expect_err("an unknown flag");
            assert!(refused.contains("a similar argument exists: '--json'"), "{refused}");
        }
    }

    #[test]
    fn a_time_has_a_unit() {
        for (text, expected) in
            [("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604_800), ("2w", 1_209_600)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "7", "d", "-7d", "1mo", "tomorrow"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
