//! The server as a process, to be killed and started again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::api::Api;

/// The server program, by its path.
pub struct Program(&'static str);

/// A server process. Dropping it kills it, as `kill -9` does.
pub struct Process {
    pub api: Api,
    child: Child,
    /// Reads the console, so that the server never waits for it.
    console: Option<JoinHandle<Vec<String>>>,
    /// What it says after the first line, and where a front is told what to do.
    said: UnboundedReceiver<String>,
    orders: Option<ChildStdin>,
}

/// What a program that has ended leaves.
pub struct Finished {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Program {
    pub const fn at(path: &'static str) -> Self {
        Self(path)
    }

    /// Starts a server on the folder `data`, and waits until it listens.
    pub fn start(&self, data: &Path) -> Process {
        self.start_at("127.0.0.1:0".parse().unwrap(), data)
    }

    /// Starts a server on the folder `data` that listens on `address`, and waits until it does.
    pub fn start_at(&self, address: SocketAddr, data: &Path) -> Process {
        let mut command = Command::new(self.0);
        let command = command.args(["--listen", &address.to_string(), "--data-dir"]).arg(data);
        spawn(command)
    }

    /// As [`Self::start`], with these environment variables.
    pub fn start_with(&self, variables: &[(&str, &str)], data: &Path) -> Process {
        let mut command = Command::new(self.0);
        let command = command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
        spawn(command.envs(variables.iter().copied()))
    }

    /// Starts a server that listens on `address` and has `variables` in place of its own, which
    /// can name the store of another.
    pub fn front(
        &self,
        address: SocketAddr,
        data: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Process {
        let variables = serde_json::to_string(variables).unwrap();
        let mut command = Command::new(self.0);
        let command = command.args(["front", &address.to_string()]).arg(data).arg(variables);
        spawn(command.stdin(Stdio::piped()))
    }

    /// Runs the program on the folder `data` to its end.
    pub fn run(&self, arguments: &[&str], data: &Path) -> Finished {
        self.run_with(&[], arguments, data)
    }

    /// Runs the program with these environment variables to its end.
    pub fn run_with(
        &self,
        variables: &[(&str, &str)],
        arguments: &[&str],
        data: &Path,
    ) -> Finished {
        let mut command = Command::new(self.0);
        command.arg("--data-dir").arg(data).args(arguments).envs(variables.iter().copied());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn spawn(command: &mut Command) -> Process {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let url = first.split_whitespace().find(|word| word.starts_with("http://"));
    let url = url.unwrap_or_else(|| unstarted(&first)).to_owned();
    let (say, said) = unbounded_channel();
    let console = std::thread::spawn(move || {
        // Nobody may be listening.
        lines.inspect(|line| drop(say.send(line.clone()))).collect()
    });
    let orders = child.stdin.take();
    Process { api: Api::new(url), child, console: Some(console), said, orders }
}

impl Process {
    /// Where it listens.
    pub fn address(&self) -> &str {
        self.api.base.trim_start_matches("http://")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets time pass for a front.
    pub async fn pass(&mut self, seconds: i64) {
        self.order(&format!("pass {seconds}")).await.unwrap();
    }

    /// Has a front invoke a function without a route; gives its answer. None when it is killed
    /// meanwhile, or the function fails.
    pub async fn invoke_job(&mut self, function: &str, event: &Value) -> Option<Value> {
        serde_json::from_str(&self.order(&format!("{function} {event}")).await?).ok()
    }

    async fn order(&mut self, line: &str) -> Option<String> {
        writeln!(self.orders.as_mut().unwrap(), "{line}").ok()?;
        loop {
            // Whatever else it says stands beside its answers.
            if let Some(answer) = self.said.recv().await?.strip_prefix("done: ") {
                return Some(answer.to_owned());
            }
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ctrl-C; gives the exit code and what the console shows after the first line.
    pub fn interrupt(mut self) -> (Option<i32>, Vec<String>) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, self.console.take().unwrap().join().unwrap())
    }

    /// Stops it, and gives the mails that its console shows.
    pub fn mails(self) -> Vec<String> {
        let (code, console) = self.interrupt();
        assert_eq!(code, Some(0), "{console:#?}");
        let mails = console.split(|line| line.starts_with("┌─ mail")).skip(1);
        let lines = |mail: &[String]| mail.iter().position(|line| line.starts_with('└'));
        mails.map(|mail| mail[..lines(mail).unwrap()].join("\n")).collect()
    }
}

#[expect(clippy::panic, reason = "says why the server did not start")]
fn unstarted(line: &str) -> &str {
    panic!("the server did not start: {line}")
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
