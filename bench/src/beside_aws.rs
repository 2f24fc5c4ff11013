//! The same bytes up and down by this service and by `aws s3 cp`, on the same embedded S3.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Method;
use share_e2e::samples::noise;
use share_e2e::{World, send};
use tokio::task::spawn_blocking;

use crate::client::{archive, digest, download, upload};
use crate::{ROUNDS, mib_per_second, percentiles};

/// Where `scripts/tools awscli` puts it.
const AWS: &str = ".tools/awscli/bin/aws";

const PIECE_BYTES: usize = 64 * 1024 * 1024;
const PIECES: usize = 16;

pub(crate) async fn measure() -> anyhow::Result<()> {
    let world = World::start().await;
    let source = world.data.path().join("source.zip");
    let received = world.data.path().join("received.zip");
    let size = archive(&source, &noise(PIECE_BYTES), PIECES)?;
    let expected = digest(&source)?;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let object = format!("s3://{}/bench.zip", world.server.backend().variables["FILES_BUCKET"]);
    let (source_name, received_name) = (name(&source)?, name(&received)?);
    let [mut up, mut available, mut aws_up, mut down, mut aws_down, mut start] =
        [(); 6].map(|()| Vec::new());
    for round in 0..ROUNDS {
        // Who is first changes, as the first one meets what the last one left to be written.
        for ours in [round % 2 == 0, round % 2 == 1] {
            if ours {
                let uploaded = upload(&world, &ops, &source).await?;
                up.push(uploaded.took);
                available.push(uploaded.available);
                let mut file = File::create(&received)?;
                let started = Instant::now();
                let length =
                    download(&world, &client, &uploaded.id, |piece| file.write_all(piece)).await?;
                down.push(started.elapsed());
                anyhow::ensure!(length == size);
                let path = format!("/api/files/{}", uploaded.id);
                let deleted = send(world.request(Method::DELETE, &path).bearer_auth(&ops)).await;
                anyhow::ensure!(deleted.status == 204, "{deleted:?}");
            } else {
                start.push(aws(&world, &["--version"]).await?);
                aws_up.push(aws(&world, &["s3", "cp", source_name, &object]).await?);
                aws_down.push(aws(&world, &["s3", "cp", &object, received_name]).await?);
                aws(&world, &["s3", "rm", &object]).await?;
            }
            anyhow::ensure!(digest(&received)? == expected, "other bytes came");
            fs::remove_file(&received)?;
        }
    }
    let median = |times| percentiles(times).0;
    let [up, available, aws_up, down, aws_down, start] =
        [up, available, aws_up, down, aws_down, start].map(median);
    println!("{size} bytes, medians of {ROUNDS}; aws --version alone takes {start:.2?}");
    let line = |what: &str, took: Duration| {
        println!("{what}: {took:.2?}, {:.0} MiB/s", mib_per_second(size, took));
    };
    line("upload, until it is complete   ", up);
    line("upload, until it is available  ", available);
    line("aws s3 cp to S3                ", aws_up);
    line("download to a file             ", down);
    line("aws s3 cp from S3              ", aws_down);
    for (what, ours, theirs) in [("upload", up, aws_up), ("download", down, aws_down)] {
        let whole = theirs.as_secs_f64() / ours.as_secs_f64();
        let running = theirs.saturating_sub(start).as_secs_f64() / ours.as_secs_f64();
        println!("{what}: {whole:.2} times as fast; {running:.2} without the start of aws");
    }
    Ok(())
}

/// Runs `aws` to its end, and gives how long it took.
async fn aws(world: &World, arguments: &[&str]) -> anyhow::Result<Duration> {
    let variables = &world.server.backend().variables;
    let mut command = Command::new(AWS);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_DEFAULT_REGION", "us-east-1");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"] {
        command.env(name, &variables[name]);
    }
    let started = Instant::now();
    let status = spawn_blocking(move || command.status()).await?;
    let status = status.context("this needs scripts/tools awscli")?;
    anyhow::ensure!(status.success(), "aws {arguments:?}: {status}");
    Ok(started.elapsed())
}

fn name(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the temporary folder's name is not UTF-8")
}
