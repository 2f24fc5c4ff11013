//! The server as a process, to be killed and started again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server process. Dropping it kills it, as `kill -9` does.
pub struct Process {
    child: Child,
    /// Where it listens, as a URL.
    pub url: String,
}

impl Process {
    /// Starts the server program `binary` on the folder `data`, and waits until it listens.
    pub fn start(binary: &str, data: &Path) -> Self {
        let mut command = Command::new(binary);
        Self::run(command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data))
    }

    /// Starts a server that listens on `address` and has `variables` in place of its own, which
    /// can name the store of another.
    pub fn front(
        binary: &str,
        address: SocketAddr,
        data: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Self {
        let variables = serde_json::to_string(variables).unwrap();
        let mut command = Command::new(binary);
        Self::run(command.args(["front", &address.to_string()]).arg(data).arg(variables))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let url = first.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| unstarted(&first)).to_owned();
        // Read on, so that the server never waits for its console.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ctrl-C; gives the exit code.
    pub fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
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
