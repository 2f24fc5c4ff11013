//! Random histories of one link each, checked against what a link promises.
//!
//! In a history up to 64 clients ask for one link's file at the same time. Their connections are
//! cut at random bytes, answers of DynamoDB are lost, its transactions collide, answers of S3 are
//! cut short, the server is killed (`kill -9`) and started again, and some links are revoked
//! meanwhile. However it goes:
//!
//! - exactly `max_downloads` clients win, or all of them when there are fewer. Only a client whose
//!   connection was cut before it knew its lease, and that brought none, may have won in vain;
//! - each winner ends with the file's very bytes, unless its link was revoked meanwhile;
//! - no other client gets one byte;
//! - every byte that a client has is accounted for in the link's receipts, and their chain holds.
//!
//! A seed decides everything but the order in which machine and network let things happen. A
//! failure prints it; `HISTORY_SEED=<seed> cargo test -p share-e2e histories` runs that history
//! fifty times. `HISTORIES=<count>` runs so many different ones in place of 200.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use self::plan::Plan;
use self::stage::Stage;

mod check;
mod plan;
mod stage;

/// How many histories run when nothing else is asked for.
const HISTORIES: u64 = 200;
/// Histories that run at the same time, over one server.
const AT_ONCE: usize = 12;
/// For how long a history may run.
const LONGEST: Duration = Duration::from_mins(2);

#[expect(clippy::disallowed_methods, reason = "the two settings of this test")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_history_a_link_gives_whole_files_to_as_many_as_it_says_and_nothing_to_others() {
    let replayed = setting("HISTORY_SEED");
    let seeds: Vec<_> = match replayed {
        Some(seed) => vec![seed; 50],
        None => (0..setting("HISTORIES").unwrap_or(HISTORIES)).collect(),
    };
    let stage = Arc::new(Stage::start(seeds[0]).await);
    let failures: Vec<_> = stream::iter(&seeds)
        .map(|seed| {
            let stage = Arc::clone(&stage);
            async move {
                let history = tokio::time::timeout(LONGEST, stage.run(*seed)).await;
                let history = history.unwrap_or_else(|_| Err("it does not end".to_owned()));
                let wrong = history.err()?;
                Some(format!("HISTORY_SEED={seed}: {wrong}; {:?}", Plan::of(*seed)))
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|failure| async { failure })
        .take(5)
        .collect()
        .await;
    let (requests, collisions, kills) = stage.counts();
    println!(
        "{} histories, {requests} requests, {collisions} collisions, {kills} kills",
        seeds.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(collisions > 0, "no transaction collided");
    assert!(kills > 0 || replayed.is_some(), "the server was never killed");
}
