//! How fast the local front is: a warm request, and a large download.
//!
//! `cargo run --profile bench -p share-bench`. Client and server share this process and its two
//! or more cores, so memory growth is that of both.
#![expect(clippy::print_stdout, reason = "it prints its results")]
#![expect(clippy::indexing_slicing, reason = "a benchmark that fails stops")]

use std::fs::{self, File};
use std::io::Write;
use std::time::{Duration, Instant};

use aws_config::BehaviorVersion;
use aws_sdk_s3::presigning::PresigningConfig;
use futures_util::StreamExt;
use share_auth::random_bytes;
use share_e2e::samples::noise;
use share_e2e::{World, store};
use share_model::{ContentDigest, Environment, FileId, FileName, FileRecord, Username};
use share_store::{Files, Platform};

const MIB: u64 = 1024 * 1024;
const LARGE_BYTES: u64 = 1024 * MIB;
const LIST_REQUESTS: usize = 1000;
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let world = World::start().await;
    let files = files(&world).await?;
    list_of_fifty(&world, &files).await?;
    large_download(&world, &files).await
}

/// The Files table of the world's server.
async fn files(world: &World) -> anyhow::Result<Files> {
    let variables = world.server.variables.clone();
    let credentials = aws_sdk_s3::config::Credentials::new(
        &variables["AWS_ACCESS_KEY_ID"],
        &variables["AWS_SECRET_ACCESS_KEY"],
        None,
        None,
        "bench",
    );
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(credentials);
    let platform = Platform::load(variables.into_iter().collect::<Environment>(), loader).await;
    Ok(Files::connect(&platform)?)
}

fn record(world: &World, size: u64) -> anyhow::Result<FileRecord> {
    Ok(FileRecord {
        id: FileId::new(world.now(), random_bytes()),
        filename: FileName::parse("large.zip")?,
        size,
        content_type: "application/zip".to_owned(),
        sha256: ContentDigest::of(b""),
        uploaded_by: Username::parse("ops")?,
        uploaded_at: world.now(),
    })
}

/// Median, and the 99th percentile.
fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

async fn list_of_fifty(world: &World, files: &Files) -> anyhow::Result<()> {
    for _ in 0..50 {
        files.shelve(&record(world, 1)?, vec![]).await?;
    }
    let token = world.token("client").await;
    let mut times = Vec::with_capacity(LIST_REQUESTS);
    for _ in 0..LIST_REQUESTS + 100 {
        let started = Instant::now();
        let answer = world.get("/api/files/list", &token).await;
        times.push(started.elapsed());
        anyhow::ensure!(answer.status == 200);
    }
    let (median, high) = percentiles(times.split_off(100));
    println!(
        "list of 50 files, {LIST_REQUESTS} warm requests: median {median:.2?}, 99 % {high:.2?}"
    );
    Ok(())
}

async fn large_download(world: &World, files: &Files) -> anyhow::Result<()> {
    let record = record(world, LARGE_BYTES)?;
    let s3 = store::s3(&world.server.variables).await;
    let (bucket, key) = (&world.server.variables["FILES_BUCKET"], record.id.to_string());
    // Not through the API, so that the memory of putting it does not hide that of getting it.
    let mut file = File::create(world.data.path().join("objects").join(bucket).join(&key))?;
    let piece = noise(usize::try_from(MIB)?);
    for _ in 0..LARGE_BYTES / MIB {
        file.write_all(&piece)?;
    }
    file.flush()?;
    files.shelve(&record, vec![]).await?;
    let token = world.token("client").await;
    let (mut through, mut direct) = (Vec::new(), Vec::new());
    let before = resident_bytes()?;
    let mut peak = before;
    for _ in 0..ROUNDS {
        let link = world.link(&record.id.to_string(), &token).await;
        through.push(read(world, &link, &mut peak).await?);
        let lifetime = PresigningConfig::expires_in(Duration::from_mins(10))?;
        let presigned = s3.get_object().bucket(bucket).key(&key).presigned(lifetime).await?;
        direct.push(read(world, presigned.uri(), &mut 0).await?);
    }
    let (through, direct) = (percentiles(through).0, percentiles(direct).0);
    let speed = |took: Duration| f64::from(1024) / took.as_secs_f64();
    println!("1 GiB through download_file: median of {ROUNDS} {:.0} MiB/s", speed(through));
    println!("1 GiB by presigned URL:      median of {ROUNDS} {:.0} MiB/s", speed(direct));
    println!("ratio {:.2}", direct.as_secs_f64() / through.as_secs_f64());
    let grown = peak.saturating_sub(before) / MIB;
    println!("resident memory: {} MiB before, grown by {grown} MiB at most", before / MIB);
    Ok(())
}

/// Reads `url` to its end, dropping the bytes, and notes the most memory seen on the way.
async fn read(world: &World, url: &str, peak: &mut u64) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let mut body = world.http.get(url).send().await?.error_for_status()?.bytes_stream();
    let (mut seen, mut looked) = (0, 0);
    while let Some(piece) = body.next().await {
        seen += piece?.len() as u64;
        if seen - looked > 16 * MIB {
            looked = seen;
            *peak = (*peak).max(resident_bytes()?);
        }
    }
    anyhow::ensure!(seen == LARGE_BYTES, "{seen} bytes came");
    Ok(started.elapsed())
}

/// Resident memory of this process, from `/proc/self/statm` in pages of 4 KiB.
fn resident_bytes() -> anyhow::Result<u64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).unwrap_or_default();
    Ok(pages.parse::<u64>()? * 4096)
}
