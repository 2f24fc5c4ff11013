//! Random histories of one upload each, checked against what an upload promises.
//!
//! In a history up to four actors send parts, good and bad ones, complete the upload, abort it,
//! delete the file, and run jobs, all at the same time. Connections are cut, answers of DynamoDB and
//! S3 are lost, transactions collide, and the server is killed (`kill -9`) and started again.
//! However it goes:
//!
//! - a file is listed only when its upload was completed with all its bytes, and under their digest;
//! - what was answered with 202 is never lost, unless it was not what was promised, or was deleted;
//! - what was answered with 204 of an abort is never listed;
//! - the counters are those of the records, and once time has passed and the jobs have run, no byte
//!   and no upload is left of what has ended.
//!
//! A seed decides everything but the order in which machine and network let things happen. A
//! failure prints it; `UPLOAD_HISTORY_SEED=<seed> cargo test -p share-e2e upload_histories` runs that
//! history fifty times. `UPLOAD_HISTORIES=<count>` runs so many different ones in place of 500.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use self::plan::Plan;
use self::stage::Stage;

mod plan;
mod stage;

/// How many histories run when nothing else is asked for.
const HISTORIES: u64 = 500;
/// Histories that run at the same time, over one server.
const AT_ONCE: usize = 12;
/// For how long a history may run.
const LONGEST: Duration = Duration::from_mins(2);

#[expect(clippy::disallowed_methods, reason = "the two settings of this test")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_history_an_upload_becomes_its_file_or_nothing_as_its_clients_were_told() {
    let replayed = setting("UPLOAD_HISTORY_SEED");
    let seeds: Vec<_> = match replayed {
        Some(seed) => vec![seed; 50],
        None => (0..setting("UPLOAD_HISTORIES").unwrap_or(HISTORIES)).collect(),
    };
    let stage = Arc::new(Stage::start(seeds[0]).await);
    let failures: Vec<_> = stream::iter(&seeds)
        .map(|seed| {
            let stage = Arc::clone(&stage);
            async move {
                let history = tokio::time::timeout(LONGEST, stage.run(*seed)).await;
                let history = history.unwrap_or_else(|_| Err("it does not end".to_owned()));
                let wrong = history.err()?;
                Some(format!("UPLOAD_HISTORY_SEED={seed}: {wrong}; {:?}", Plan::of(*seed)))
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|failure| async { failure })
        .take(5)
        .collect()
        .await;
    let stage = Arc::into_inner(stage).unwrap();
    println!("{} histories, {}", seeds.len(), stage.counts());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(replayed.is_some() || stage.was_eventful(), "{}", stage.counts());
    let faults = stage.end().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
