//! The command `share` as a process, with a home folder of its own, with or without a terminal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::{block_in_place, spawn_blocking};

use crate::api::{Api, local_password};

/// Where somebody works who uses `share`.
pub struct Machine {
    program: &'static str,
    home: TempDir,
    variables: BTreeMap<&'static str, String>,
}

/// A command that runs. Dropping it kills it, as `kill -9` does.
pub struct Running(Option<Child>);

/// What a command that has ended leaves.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// On a terminal all that is shown, prompts and errors too.
    pub out: String,
    pub err: String,
}

/// What somebody types at a prompt.
pub enum Typed<'a> {
    /// As it is typed, the terminal shows it.
    Shown(&'a str, &'a str),
    /// The terminal shows nothing of it.
    Hidden(&'a str, &'a str),
}

impl Machine {
    /// One on which nobody is logged in.
    pub fn new(program: &'static str) -> Self {
        let home = TempDir::new().unwrap();
        for folder in ["work", "tmp"] {
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        Self { program, home, variables: BTreeMap::new() }
    }

    /// One for a script, with an access token of the local account of this role.
    pub async fn of(program: &'static str, api: &Api, role: &str) -> Self {
        let mut machine = Self::new(program);
        machine.set("SHARE_URL", &api.base);
        machine.set("SHARE_TOKEN", &api.token(role).await);
        machine
    }

    /// One on which the local account of this role is logged in.
    pub async fn logged_in(program: &'static str, api: &Api, role: &str) -> Self {
        let machine = Self::new(program);
        machine.log_in(&[&api.base], role, &local_password(role)).await.is(0);
        machine
    }

    /// Logs in with name and password, on a terminal.
    pub async fn log_in(&self, arguments: &[&str], name: &str, password: &str) -> Ended {
        let arguments = [&["login"], arguments].concat();
        let typed = [Typed::Shown("address: ", name), Typed::Hidden(": ", password)];
        self.type_into(&arguments, &typed).await
    }

    /// Sets an environment variable for the commands that follow.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.variables.insert(name, value.to_owned());
    }

    /// Where commands are given.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("work")
    }

    /// Where `share` keeps logins.
    pub fn settings(&self) -> PathBuf {
        self.home.path().join(".config/secure-file-share")
    }

    /// Where `share` keeps what is not finished.
    pub fn state(&self) -> PathBuf {
        self.home.path().join(".local/state/secure-file-share")
    }

    /// Writes a file, by its path in [`Self::folder`].
    pub fn write(&self, path: &str, content: &[u8]) {
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The bytes of a file in [`Self::folder`].
    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.folder().join(path)).unwrap()
    }

    /// The names in [`Self::folder`], sorted.
    pub fn names(&self) -> Vec<String> {
        names_in(&self.folder())
    }

    /// A command that has not begun.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(self.program), arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(self.folder()).env_clear().envs(&self.variables);
        command.env("HOME", self.home.path());
        if !self.variables.contains_key("TMPDIR") {
            command.env("TMPDIR", self.home.path().join("tmp"));
        }
        // No keyring of the machine on which the tests run.
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins a command.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running(Some(self.command(arguments).spawn().unwrap()))
    }

    /// As [`Self::start`], after a line for the shell.
    pub fn start_after(&self, line: &str, arguments: &[&str]) -> Running {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("{line}; exec \"$0\" \"$@\""), self.program]);
        Running(Some(self.prepared(shell, arguments).spawn().unwrap()))
    }

    /// Gives a command without a terminal, and waits for its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end().await
    }

    /// Begins a command with standard input.
    pub fn start_with_input(&self, arguments: &[&str], input: &[u8]) -> Running {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let (mut pipe, input) = (child.stdin.take().unwrap(), input.to_vec());
        // A command may end before it has read all.
        std::thread::spawn(move || drop(pipe.write_all(&input)));
        Running(Some(child))
    }

    /// As [`Self::run`], with standard input.
    pub async fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ended {
        self.start_with_input(arguments, input).end().await
    }

    /// Gives a command on a terminal, and types at its prompts.
    pub async fn type_into(&self, arguments: &[&str], typed: &[Typed<'_>]) -> Ended {
        let mut terminal = Terminal::open();
        let mut command = self.command(arguments);
        command.stdin(terminal.end()).stdout(terminal.end()).stderr(terminal.end());
        let mut child = command.env("TERM", "xterm").spawn().unwrap();
        // What this process has of the other end: or the terminal would not end with the command.
        drop(command);
        terminal.other = None;
        let out = block_in_place(|| terminal.type_all(typed));
        let status = spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        Ended { status, out, err: String::new() }
    }
}

impl Running {
    /// Waits for its end.
    pub async fn end(mut self) -> Ended {
        let child = self.0.take().unwrap();
        let output = spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { status: output.status, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends the signal of this name.
    pub fn signal(&self, name: &str) {
        let id = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// `kill -9`. It may have ended before; says whether it has.
    pub fn kill(mut self) -> Option<ExitStatus> {
        let mut child = self.0.take().unwrap();
        let _ = child.kill();
        let status = child.wait().unwrap();
        status.code().is_some().then_some(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The names in a folder, sorted; none when it is not there.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Ended {
    /// That it has ended with this exit status.
    #[track_caller]
    pub fn is(&self, status: i32) -> &Self {
        assert_eq!(self.status.code(), Some(status), "{self}");
        self
    }

    /// That it has failed with this exit status, has said these words, and nothing as a result.
    #[track_caller]
    pub fn fails(&self, status: i32, words: &str) -> &Self {
        self.is(status).says(words);
        assert_eq!(self.out, "", "{self}");
        self
    }

    /// That these words are in a remark or an error.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.err.contains(words), "{words:?} is not said: {self}");
        self
    }

    /// That these words are in the result, or on the screen.
    #[track_caller]
    pub fn shows(&self, words: &str) -> &Self {
        assert!(self.out.contains(words), "{words:?} is not shown: {self}");
        self
    }

    /// The one JSON document that it has printed.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.is(0);
        serde_json::from_str(&self.out).unwrap()
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, out, err } = self;
        write!(formatter, "{status}\n--- out\n{out}\n--- err\n{err}")
    }
}

/// A pseudo-terminal.
struct Terminal {
    own: File,
    /// That of the command, until it has it.
    other: Option<File>,
}

impl Terminal {
    fn open() -> Self {
        let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&own).unwrap();
        unlockpt(&own).unwrap();
        let path = ptsname(&own, vec![]).unwrap().into_string().unwrap();
        let flags =
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        let other = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).unwrap();
        Self { own: own.into(), other: Some(other.into()) }
    }

    fn end(&self) -> Stdio {
        self.other.as_ref().unwrap().try_clone().unwrap().into()
    }

    /// Types each answer after its prompt, and gives all that the terminal has shown at the end.
    fn type_all(&mut self, typed: &[Typed<'_>]) -> String {
        let (mut screen, mut seen) = (Vec::new(), 0);
        let mut left = typed.iter();
        let mut next = left.next();
        let mut piece = [0; 4096];
        // It fails when nobody has the other end any more.
        while let Ok(length @ 1..) = self.own.read(&mut piece) {
            screen.extend_from_slice(&piece[..length]);
            let Some(Typed::Shown(prompt, text) | Typed::Hidden(prompt, text)) = next else {
                continue;
            };
            if !String::from_utf8_lossy(&screen[seen..]).ends_with(prompt) {
                continue;
            }
            let hides = matches!(next, Some(Typed::Hidden(..)));
            while hides && tcgetattr(&self.own).unwrap().local_modes.contains(LocalModes::ECHO) {
                // The prompt comes a moment before the terminal hides what is typed.
                std::thread::yield_now();
            }
            writeln!(self.own, "{text}").unwrap();
            seen = screen.len();
            next = left.next();
        }
        String::from_utf8(screen).unwrap()
    }
}
