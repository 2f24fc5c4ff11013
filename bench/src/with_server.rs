//! A command beside a server with a fresh store, and with what it needs to ask the API and S3.

use anyhow::Context;
use share_e2e::World;
use tokio::process::Command;

/// Runs the command that the arguments say, with `SHARE_URL`, `BUCKET`, and what S3's own clients read.
pub(crate) async fn run(arguments: &[String]) -> anyhow::Result<()> {
    let (program, rest) = arguments.split_first().context("say which command")?;
    let world = World::start().await;
    let variables = &world.server.backend().variables;
    let mut command = Command::new(program);
    command.args(rest).env("SHARE_URL", world.url("")).env("BUCKET", &variables["FILES_BUCKET"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"] {
        command.env(name, &variables[name]);
    }
    let status = command.status().await?;
    anyhow::ensure!(status.success(), "{program}: {status}");
    Ok(())
}
