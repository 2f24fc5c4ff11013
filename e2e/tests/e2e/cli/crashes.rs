//! The command is killed (`kill -9`) at random points, and given again until it ends.
//!
//! However it goes:
//!
//! - the service, or the disk, has the very bytes;
//! - no file is at the service twice, and no link is redeemed twice;
//! - what had arrived is neither sent nor fetched again: beyond the whole, at most what was on its way
//!   at each kill.
//!
//! A seed decides when it is killed. `COMMAND_HISTORIES=<count>` runs so many of uploads, and as many
//! of downloads, in place of 6; `COMMAND_HISTORY_SEED=<seed>` runs that one twenty times.

use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use share_e2e::command::{Machine, names_in};
use share_e2e::samples::{sha256, zip_of_size};
use share_e2e::scene::count;
use share_e2e::uploads::PART;
use share_e2e::{Ops, routes};

use super::stage::Stage;
use crate::MIB;

/// How many histories run when nothing else is asked for.
const HISTORIES: u64 = 6;
/// Parts that are on their way at once.
const PARTS: usize = 4;
/// Small files that are on their way at once.
const FILES_AT_ONCE: usize = 8;
/// Chunks that are on their way at once.
const CHUNKS: usize = 4;
/// Bytes that are fetched at once.
const CHUNK: usize = 16 * MIB;
/// What sockets hold of an answer that nobody reads any more, and heads.
const UNREAD: usize = 8 * MIB;

#[expect(clippy::disallowed_methods, reason = "the two settings of these tests")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

fn seeds() -> Vec<u64> {
    match setting("COMMAND_HISTORY_SEED") {
        Some(seed) => vec![seed; 20],
        None => (0..setting("COMMAND_HISTORIES").unwrap_or(HISTORIES)).collect(),
    }
}

/// Gives a command until it ends well, and kills it up to three times before; gives how often.
/// `usual` is how long it takes. `has_ended` says whether a command that was killed had done all.
async fn kill_and_repeat(
    random: &mut Rng,
    usual: Duration,
    machine: &Machine,
    command: &[&str],
    has_ended: impl AsyncFn() -> bool,
) -> usize {
    let wished = random.usize(1..=3);
    for kills in 1..=wished {
        let running = machine.start(command);
        tokio::time::sleep(usual.mul_f64(random.f64())).await;
        let ended = running.kill();
        if ended.is_some_and(|status| status.success()) || has_ended().await {
            return kills;
        }
    }
    machine.run(command).await.is(0);
    wished
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_killed_at_any_point_ends_as_one_file_and_sends_again_what_was_on_its_way() {
    let stage = Stage::start("", &[]).await;
    let machine = stage.machine("ops").await;
    let content = zip_of_size(5 * PART + 10);
    let digest = sha256(&content);
    let started = Instant::now();
    machine.write("usual.zip", &content);
    stage.with_checks(machine.run(&["upload", "usual.zip"])).await.is(0);
    let usual = started.elapsed();
    let ops = Ops::of(&stage.world).await.token;
    let named = async |name: &str| -> Vec<Value> {
        let query = format!("{}?q={name}", routes::LIST_UPLOADED);
        stage.world.get(&query, &ops).await.is_json(200).as_array().unwrap().clone()
    };
    for seed in seeds() {
        let random = &mut Rng::with_seed(seed);
        let name = format!("file-{seed}-{}.zip", fastrand::u32(..));
        machine.write(&name, &content);
        let sent_before = stage.s3.seen();
        let has_ended = async || {
            // It forgets an upload last.
            let available = |file: &Value| file["state"] == "available";
            names_in(&machine.state().join("uploads")).is_empty()
                && named(&name).await.iter().any(available)
        };
        let command = ["upload", &name];
        let history = kill_and_repeat(random, usual, &machine, &command, has_ended);
        let kills = stage.with_checks(history).await;
        let files = named(&name).await;
        let [file] = &files[..] else { unreachable!("COMMAND_HISTORY_SEED={seed}: {files:?}") };
        let is = (&file["state"], &file["sha256"]);
        assert_eq!(is, (&json!("available"), &json!(digest)), "COMMAND_HISTORY_SEED={seed}");
        let sent = stage.s3.seen() - sent_before;
        assert!(sent <= 6 + PARTS * kills, "COMMAND_HISTORY_SEED={seed}: {sent} for {kills} kills");
        std::fs::remove_file(machine.folder().join(&name)).unwrap();
        stage.world.delete_file(file["id"].as_str().unwrap(), &ops).await.is(204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_small_files_killed_at_any_point_ends_with_one_of_each_and_sends_again_few() {
    const FILES: usize = 24;
    let stage = Stage::start("POST /api/files/upload", &[]).await;
    let machine = stage.machine("ops").await;
    let ops = stage.world.token("ops").await;
    let mut usual = Duration::ZERO;
    for (history, seed) in [0].into_iter().chain(seeds()).enumerate() {
        let names = (0..FILES).map(|number| format!("{history:04}-{number:02}.txt"));
        let names: Vec<_> = names.collect();
        let folder = format!("folder-{history}");
        for name in &names {
            machine.write(&format!("{folder}/{name}"), name.as_bytes());
        }
        let command = ["upload", &folder, "--recursive"];
        let listed = async || {
            let query =
                format!("{}?q={history:04}-&limit=100&sort=filename", routes::LIST_UPLOADED);
            let files = stage.world.get(&query, &ops).await.is_json(200);
            files.as_array().unwrap().clone()
        };
        let before = stage.api.seen();
        let kills = if history == 0 {
            let started = Instant::now();
            machine.run(&command).await.is(0);
            usual = started.elapsed();
            0
        } else {
            let has_ended = async || {
                names_in(&machine.state().join("uploads")).is_empty()
                    && listed().await.len() == FILES
            };
            let random = &mut Rng::with_seed(seed);
            kill_and_repeat(random, usual, &machine, &command, has_ended).await
        };
        let files = listed().await;
        let there: Vec<_> = files.iter().map(|it| it["filename"].as_str().unwrap()).collect();
        assert_eq!(there, names, "COMMAND_HISTORY_SEED={seed}: each is there, and once");
        for file in &files {
            let digest = sha256(file["filename"].as_str().unwrap().as_bytes());
            let is = (&file["state"], &file["sha256"]);
            assert_eq!(is, (&json!("available"), &json!(digest)), "COMMAND_HISTORY_SEED={seed}");
        }
        let sent = stage.api.seen() - before;
        assert!(sent <= FILES + FILES_AT_ONCE * kills, "COMMAND_HISTORY_SEED={seed}: {sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_killed_at_any_point_ends_with_the_bytes_and_fetches_again_what_was_on_its_way()
{
    let content = zip_of_size(4 * CHUNK + 10);
    for delivery in ["stream", "presigned"] {
        let stage = Stage::start("", &[("DOWNLOAD_DELIVERY", delivery)]).await;
        let ops = stage.world.token("ops").await;
        let file = async {
            let file = stage.world.upload_in_parts(&ops, "large.zip", &content).await;
            while stage.world.file(&file, &ops).await["state"] != "available" {
                tokio::task::yield_now().await;
            }
            file
        };
        let file = stage.with_checks(file).await;
        let redeemed = async || {
            let rows = stage.world.all(&routes::receipts(&file), 100, &ops).await;
            let receipts: Vec<Value> = rows.into_iter().map(|row| row["receipt"].clone()).collect();
            count(&receipts, "redeemed")
        };
        // The service itself fetches from S3 what it streams.
        let passed = || if delivery == "stream" { stage.api.passed() } else { stage.s3.passed() };
        let machine = stage.machine("client").await;
        let target = machine.folder().join("large.zip");
        let command = ["get", "large.zip"];
        let started = Instant::now();
        machine.run(&command).await.is(0);
        let usual = started.elapsed();
        for seed in seeds() {
            std::fs::remove_file(&target).unwrap();
            let random = &mut Rng::with_seed(seed);
            let before = (passed(), redeemed().await);
            let has_ended = async || {
                // It forgets a download last.
                names_in(&machine.state().join("downloads")).is_empty() && target.exists()
            };
            let kills = kill_and_repeat(random, usual, &machine, &command, has_ended).await;
            let what = format!("COMMAND_HISTORY_SEED={seed}: {delivery}, {kills} kills");
            assert!(machine.read("large.zip") == content, "{what}");
            assert_eq!(machine.names(), ["large.zip"], "{what}");
            assert_eq!(redeemed().await - before.1, 1, "{what}");
            let passed = passed() - before.0;
            let again = if delivery == "stream" { CHUNK } else { CHUNKS * CHUNK } + UNREAD;
            let most = content.len() + kills * again;
            assert!(passed <= most, "{what}: {passed} bytes");
        }
    }
}
