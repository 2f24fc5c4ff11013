//! The local server as a process of its own: a list that many ask for at once, and its memory.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use share_e2e::api::{Api, form_with};
use share_e2e::routes;
use tempfile::TempDir;

use crate::{ROUNDS, redemptions};

/// Files on the list.
const FILES: usize = 20;
/// Uploads at once.
const UPLOADS: usize = 64;
/// With how many threads and connections wrk asks, and for how long.
const WRK: [&str; 3] = ["-t2", "-c16", "-d5s"];

/// Asks for the list as fast as the answers come, then redeems links; and prints what memory the
/// server has before and after.
pub(crate) async fn measure() -> anyhow::Result<()> {
    let data = TempDir::new()?;
    let server = Server::start(&data).await?;
    println!("the server, idle: {} MiB resident", server.resident_mib()?);
    let ops = server.api.token("ops").await;
    for number in 0..FILES {
        let form = share_e2e::api::form_with(&format!("{number}.txt"), b"a note");
        anyhow::ensure!(server.api.upload_as(&ops, form).await.status == 201);
    }
    let authorization = format!("Authorization: Bearer {}", server.api.token("client").await);
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let mut wrk = Command::new("wrk");
        let wrk = wrk.args(WRK).args(["-H", &authorization, &server.api.url(routes::LIST_FILES)]);
        rates.push(rate(&wrk.output().context("this needs wrk")?.stdout)?);
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "list of {FILES} files, wrk {}: median of {ROUNDS} {:.0} requests a second",
        WRK.join(" "),
        rates[ROUNDS / 2]
    );
    redemptions(&server.api).await?;
    println!("the server, after all this: {} MiB resident", server.resident_mib()?);
    Ok(())
}

/// Uploads of the largest size, all at once, and what memory they leave behind.
pub(crate) async fn uploads() -> anyhow::Result<()> {
    let data = TempDir::new()?;
    let server = Server::start(&data).await?;
    let ops = server.api.token("ops").await;
    println!("the server, idle: {} MiB resident", server.resident_mib()?);
    let content = b"0123456789abcdef".repeat(4 * 1024 * 1024 / 16);
    for _ in 0..3 {
        let upload = || server.api.upload_as(&ops, form_with("large.txt", &content));
        let answers = join_all((0..UPLOADS).map(|_| upload())).await;
        anyhow::ensure!(answers.iter().all(|answer| answer.status == 201));
        tokio::time::sleep(Duration::from_secs(1)).await;
        println!(
            "a second after {UPLOADS} uploads of 4 MiB at once: {} MiB resident, at most {} MiB",
            server.resident_mib()?,
            server.peak_kib()? / 1024
        );
    }
    Ok(())
}

/// Requests a second, from what wrk prints.
fn rate(output: &[u8]) -> anyhow::Result<f64> {
    let text = String::from_utf8_lossy(output);
    anyhow::ensure!(!text.contains("Non-2xx"), "not every answer was good: {text}");
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    Ok(line.with_context(|| format!("wrk says: {text}"))?.trim().parse()?)
}

/// A server process. Its console goes to a file, as nobody reads along here.
pub(crate) struct Server {
    process: Child,
    pub(crate) api: Api,
}

impl Server {
    pub(crate) async fn start(data: &TempDir) -> anyhow::Result<Self> {
        let console = data.path().join("console");
        let mut command = Command::new(std::env::current_exe()?);
        let command = command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path());
        let mut process = command.stdout(File::create(&console)?).stdin(Stdio::null()).spawn()?;
        loop {
            let text = fs::read_to_string(&console)?;
            if let Some((first, _)) = text.split_once('\n') {
                let url = first.split(' ').find(|word| word.starts_with("http://"));
                let url = url.context("the server did not start")?.to_owned();
                return Ok(Self { process, api: Api::new(url) });
            }
            anyhow::ensure!(process.try_wait()?.is_none(), "the server did not start");
            tokio::task::yield_now().await;
        }
    }

    fn resident_mib(&self) -> anyhow::Result<u64> {
        Ok(self.resident_kib()? / 1024)
    }

    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        self.status_kib("VmRSS:")
    }

    /// The most that was resident since the start, or since [`Self::forget_peak`].
    pub(crate) fn peak_kib(&self) -> anyhow::Result<u64> {
        self.status_kib("VmHWM:")
    }

    /// As proc(5) has it.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5")?)
    }

    fn status_kib(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no such line")?;
        Ok(kib.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
