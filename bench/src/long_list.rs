//! A page of a long list beside one of a short list.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use share_e2e::{World, store};
use share_store::FileChanges;

use crate::{create, percentiles};

const SHORT: usize = 100;
const LONG: usize = 100_000;
/// Requests for each page.
const REQUESTS: usize = 300;
/// How many pages are turned to be deep in the list.
const DEEP: usize = 1000;

/// A server with files of its own.
struct List {
    world: World,
    dynamodb: Client,
    client: String,
}

pub(crate) async fn measure() -> anyhow::Result<()> {
    let short = List::of(SHORT).await?;
    let started = Instant::now();
    let long = List::of(LONG).await?;
    println!("{LONG} files made in {:.1?}", started.elapsed());
    for sort in ["-uploaded_at", "filename"] {
        let first = format!("/api/files/list?limit=50&sort={sort}");
        compare(&format!("sort={sort}, first page"), &short, &long, &first, &first).await?;
        let second = short.turn(&first, 1).await?;
        let deep = long.turn(&first, DEEP).await?;
        let what = format!("sort={sort}, page 2, and page {}", DEEP + 1);
        compare(&what, &short, &long, &second, &deep).await?;
    }
    let all = "/api/files/list?limit=50&q=report";
    compare("q=report, which all names have", &short, &long, all, all).await?;
    let none = "/api/files/list?limit=50&q=nothing";
    compare("q=nothing, which none has", &short, &long, none, none).await?;
    for list in [&short, &long] {
        let (started, mut pages, mut next) = (Instant::now(), 0, Some(none.to_owned()));
        while let Some(page) = next {
            let answer = list.world.get(&page, &list.client).await;
            pages += 1;
            next = answer.next().map(|url| list.world.path_of(url).to_owned());
        }
        println!("q=nothing to the end: {pages} pages in {:.2?}", started.elapsed());
    }
    Ok(())
}

/// Medians of the two pages, asked for in turns.
async fn compare(
    what: &str,
    short: &List,
    long: &List,
    short_page: &str,
    long_page: &str,
) -> anyhow::Result<()> {
    let (mut of_short, mut of_long) = (Vec::new(), Vec::new());
    for _ in 0..REQUESTS {
        of_short.push(short.time(short_page).await?);
        of_long.push(long.time(long_page).await?);
    }
    let [of_short, of_long] = [of_short, of_long].map(|times| percentiles(times).0);
    let ratio = of_long.as_secs_f64() / of_short.as_secs_f64();
    println!("{what}: {SHORT} files {of_short:.2?}, {LONG} files {of_long:.2?}, {ratio:.2} times");
    Ok(())
}

impl List {
    async fn of(files: usize) -> anyhow::Result<Self> {
        let world = World::start().await;
        let platform = world.server.backend().platform().await;
        let changes = FileChanges::connect(&platform)?;
        stream::iter(0..files)
            .map(|number| {
                // Names in another order than times.
                let name = format!("{:05} report.zip", number * 7919 % LONG);
                let (world, changes) = (&world, &changes);
                world.pass(1);
                async move { create(world, changes, &name, 1).await }
            })
            .buffer_unordered(8)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        let dynamodb = store::dynamodb(world.server.backend()).await;
        let client = world.token("client").await;
        Ok(Self { world, dynamodb, client })
    }

    /// How long a page takes after a write: answers since the last one are kept, and would say
    /// nothing of the list.
    async fn time(&self, page: &str) -> anyhow::Result<Duration> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = self.dynamodb.put_item().table_name("AuditTable");
        put.item("subject", text("bench")).item("at_id", text("bench")).send().await?;
        let started = Instant::now();
        let answer = self.world.get(page, &self.client).await;
        let took = started.elapsed();
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(took)
    }

    /// The address of the page so many after this one.
    async fn turn(&self, page: &str, pages: usize) -> anyhow::Result<String> {
        let mut page = page.to_owned();
        for _ in 0..pages {
            let answer = self.world.get(&page, &self.client).await;
            let next = answer.next().map(|url| self.world.path_of(url).to_owned());
            page = next.ok_or_else(|| anyhow::anyhow!("the list is too short"))?;
        }
        Ok(page)
    }
}
