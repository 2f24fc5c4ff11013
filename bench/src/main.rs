//! How fast the local front is: a warm request, a large download, and redeeming links; and what a
//! redemption costs in DynamoDB.
//!
//! `cargo run --profile bench -p share-bench`. Client and server share this process and its two
//! or more cores, so memory growth is that of both.
//!
//! `cargo run --profile bench -p share-bench front` measures a server that is a process of its own,
//! which this program is, too: with the arguments of `share-local`, it is `share-local`.
//! In the place of `front`, `uploads` measures what uploads leave in its memory, and `huge-file` what
//! memory it has while 10 GiB go up and down. Without a process of its own, `large-file` measures
//! the large download only, `beside-aws` transfers beside those of `aws s3 cp`, and `long-list` a page
//! among 100,000 files. `with-server COMMAND` runs a command beside a server, for the benchmarks that
//! are programs of their own.
#![expect(clippy::print_stdout, reason = "it prints its results")]
#![expect(clippy::indexing_slicing, reason = "a benchmark that fails stops")]

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::{join_all, ready};
use futures_util::stream::{self, StreamExt};
use reqwest::Method;
use serde_json::json;
use share_auth::random_bytes;
use share_e2e::api::Api;
use share_e2e::{World, send, store};
use share_model::{
    Content, ContentDigest, File, FileId, FileName, FileState, Recipients, Username,
};
use share_store::{Actor, Clock, Created, FileChanges, RequestContext};

mod beside_aws;
mod client;
mod front;
mod huge_file;
mod large_file;
mod long_list;
mod with_server;

const MIB: u64 = 1024 * 1024;
const LIST_REQUESTS: usize = 1000;
const ROUNDS: usize = 5;
const REDEMPTIONS: u16 = 640;

/// As the local server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let measured = match arguments.first().map(String::as_str) {
        None => run(in_process()),
        Some("front") => run(front::measure()),
        Some("uploads") => run(front::uploads()),
        Some("huge-file") => run(huge_file::measure()),
        Some("beside-aws") => run(beside_aws::measure()),
        Some("with-server") => run(with_server::run(arguments.get(1..).unwrap_or_default())),
        Some("long-list") => run(long_list::measure()),
        Some("large-file") => run(large_file::measure()),
        Some(_) => return share_local::main(),
    };
    if let Err(error) = measured {
        println!("{error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(measurements: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(measurements)
}

async fn in_process() -> anyhow::Result<()> {
    let world = World::start().await;
    let platform = world.server.backend().platform().await;
    let files = FileChanges::connect(&platform)?;
    list_of_fifty(&world, &files).await?;
    let other = World::start().await;
    redemptions(&other).await?;
    write_units().await?;
    large_file::download(&world, &files).await?;
    println!("client and server, after all this: {} MiB resident", resident_bytes()? / MIB);
    Ok(())
}

/// Puts the record of a file that is available to everyone. Its bytes are the caller's.
async fn create(
    world: &World,
    files: &FileChanges,
    name: &str,
    size: u64,
) -> anyhow::Result<FileId> {
    let content = Content {
        content_type: "application/zip".to_owned(),
        sha256: ContentDigest::of(b""),
        uploaded_at: world.now(),
    };
    let file = File {
        id: FileId::new(world.now(), random_bytes()),
        filename: FileName::parse(name)?,
        size: Some(size),
        promised_sha256: None,
        uploaded_by: Username::parse("ops")?,
        uploader: None,
        recipients: Recipients::Everyone,
        notify_recipients: false,
        notify: false,
        note: None,
        expires_at: None,
        state: FileState::Available(content),
        revision: 1,
    };
    let now = world.now();
    let clock: Clock = Arc::new(move || now);
    let actor =
        Actor { user: None, context: RequestContext { clock: &clock, request_id: "bench" } };
    anyhow::ensure!(matches!(files.create(&file, None, actor).await?, Created::Now));
    Ok(file.id)
}

fn mib_per_second(bytes: u64, took: Duration) -> f64 {
    f64::from(u32::try_from(bytes / MIB).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// Median, and the 99th percentile.
fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

async fn list_of_fifty(world: &World, files: &FileChanges) -> anyhow::Result<()> {
    for _ in 0..50 {
        create(world, files, "small.zip", 1).await?;
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

/// Links redeemed in a second, a small file each, by 1, 8 and 64 clients at the same time.
async fn redemptions(api: &Api) -> anyhow::Result<()> {
    let (file, token) = (api.some_file().await, api.token("client").await);
    for clients in [1, 8, 64] {
        let mut rates = Vec::with_capacity(ROUNDS);
        for round in 0..ROUNDS {
            // One account makes only so many links in a day.
            let token = api.another_client(&format!("client-{clients}-{round}")).await;
            let mut links = Vec::with_capacity(REDEMPTIONS.into());
            for _ in 0..REDEMPTIONS {
                links.push(api.link(&file, &token).await);
            }
            let started = Instant::now();
            let answers = stream::iter(&links).map(|link| api.open(link));
            let won =
                answers.buffer_unordered(clients).filter(|it| ready(it.status == 200)).count();
            anyhow::ensure!(won.await == usize::from(REDEMPTIONS));
            rates.push(started.elapsed());
        }
        let rate = f64::from(REDEMPTIONS) / percentiles(rates).0.as_secs_f64();
        println!("{clients:>2} clients: median of {ROUNDS} {rate:.0} redemptions a second");
    }
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let path = format!("/api/files/generate-download-link/{file}");
        let request = api.request(Method::POST, &path).bearer_auth(&token);
        let link = send(request.json(&json!({"max_downloads": 64}))).await.json();
        let url = link["download_url"].as_str().unwrap_or_default();
        let started = Instant::now();
        let answers = join_all((0..64).map(|_| api.open(url))).await;
        anyhow::ensure!(answers.iter().all(|answer| answer.status == 200));
        times.push(started.elapsed());
    }
    println!(
        "64 clients, one link of 64 downloads: median of {ROUNDS} {:.2?}",
        percentiles(times).0
    );
    Ok(())
}

/// What a redemption writes, and what that costs: a transaction takes 2 write units for each KB, or
/// part of one, of every record that it writes, deletes or checks.
async fn write_units() -> anyhow::Result<()> {
    let world = World::start().await;
    let (file, token) = (world.some_file().await, world.token("client").await);
    let answer = world.open(&world.link(&file, &token).await).await;
    anyhow::ensure!(answer.status == 200);
    let dynamodb = store::dynamodb(world.server.backend()).await;
    for (table, kind) in [("LinksTable", "pk"), ("AuditTable", "at_id")] {
        let items = dynamodb.scan().table_name(table).send().await?.items.unwrap_or_default();
        for item in items {
            let key = item[kind].as_s().map_or("", String::as_str);
            let Some((name, _)) = key.split_once('#').filter(|(name, _)| !name.contains('T'))
            else {
                continue;
            };
            let size: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
            println!(
                "a record {name}# of {table}: {size} bytes, {} units",
                2 * size.div_ceil(1024)
            );
        }
    }
    Ok(())
}

/// As DynamoDB counts ("Item sizes and formats").
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        _ => 1,
    }
}

/// Resident memory of this process, from `/proc/self/statm` in pages of 4 KiB.
fn resident_bytes() -> anyhow::Result<u64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).unwrap_or_default();
    Ok(pages.parse::<u64>()? * 4096)
}
