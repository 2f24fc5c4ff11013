//! Lines that are cut, answers that are lost, and servers that are killed: transfers go on by
//! themselves, and a command that gives up continues when it is given again.

use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use share_e2e::api::Api;
use share_e2e::command::Machine;
use share_e2e::proxy::Proxy;
use share_e2e::samples::{sha256, zip_of_size};
use share_e2e::scene::{Link, count};
use share_e2e::uploads::PART;
use share_e2e::{World, routes};
use tempfile::TempDir;

use super::stage::Stage;
use crate::{MIB, SERVER, SHARE};

const CREATE: &str = "POST /api/uploads HTTP";
const FORM: &str = "POST /api/files/upload HTTP";
const COMPLETE: &str = "/complete HTTP";
const SIGN: &str = "/parts HTTP";
const SHOW: &str = "GET /api/files/0";
const LINK: &str = "POST /api/file/generate-load";
const DOWNLOAD: &str = "GET /api/file/download";

fn large() -> Vec<u8> {
    zip_of_size(2 * PART + 10)
}

/// That the service has this one file and no other; gives its id.
async fn only_file(world: &World, content: &[u8]) -> String {
    let files = world.all(routes::LIST_UPLOADED, 100, &world.token("ops").await).await;
    assert_eq!(files.len(), 1, "{files:?}");
    let file = &files[0];
    assert_eq!((&file["state"], &file["sha256"]), (&json!("available"), &json!(sha256(content))));
    file["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_when_an_answer_of_the_service_is_lost() {
    for (marked, content) in [
        (CREATE, large()),
        (FORM, zip_of_size(1000)),
        (SIGN, large()),
        (COMPLETE, large()),
        (SHOW, large()),
    ] {
        let stage = Stage::start(marked, &[]).await;
        let machine = stage.machine("ops").await;
        machine.write("a.zip", &content);
        stage.api.lose(2);
        stage.with_checks(machine.run(&["upload", "a.zip"])).await.is(0);
        assert_eq!(stage.api.left(), 0, "{marked}");
        assert!(stage.api.seen() >= 3, "{marked}: {}", stage.api.seen());
        only_file(&stage.world, &content).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_when_lines_to_s3_are_cut() {
    let stage = Stage::start("", &[]).await;
    let machine = stage.machine("ops").await;
    let content = large();
    machine.write("a.zip", &content);
    stage.s3.lose(4);
    stage.with_checks(machine.run(&["upload", "a.zip"])).await.is(0);
    assert_eq!((stage.s3.left(), stage.s3.seen()), (0, 3 + 4));
    only_file(&stage.world, &content).await;
}

/// A file of three chunks at a service to whose requests with this mark something can happen, and a
/// Client's machine.
async fn file(marked: &'static str, delivery: &str) -> (Stage, Machine, Vec<u8>, String) {
    let stage = Stage::start(marked, &[("DOWNLOAD_DELIVERY", delivery)]).await;
    let content = zip_of_size(33 * MIB);
    let ops = stage.world.token("ops").await;
    let upload = async {
        let file = stage.world.upload_in_parts(&ops, "large.zip", &content).await;
        while stage.world.file(&file, &ops).await["state"] != "available" {
            tokio::task::yield_now().await;
        }
        file
    };
    let file = stage.with_checks(upload).await;
    let machine = stage.machine("client").await;
    (stage, machine, content, file)
}

/// How often links to the file have been redeemed.
async fn redeemed(world: &World, file: &str) -> usize {
    let ops = world.token("ops").await;
    let rows = world.all(&routes::receipts(file), 100, &ops).await;
    let receipts: Vec<Value> = rows.into_iter().map(|row| row["receipt"].clone()).collect();
    count(&receipts, "redeemed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_when_an_answer_of_the_service_is_lost() {
    for (marked, delivery) in [(LINK, "stream"), (DOWNLOAD, "stream"), (DOWNLOAD, "presigned")] {
        let (stage, machine, content, file) = Box::pin(file(marked, delivery)).await;
        stage.api.lose(2);
        let mut ended = machine.run(&["get", "large.zip"]).await;
        // A link is not made again by itself.
        for _ in 0..2 {
            if ended.status.code() == Some(6) {
                ended = machine.run(&["get", "large.zip"]).await;
            }
        }
        ended.is(0);
        assert_eq!(stage.api.left(), 0, "{marked}");
        assert!(machine.read("large.zip") == content, "{marked} {delivery}");
        assert_eq!(redeemed(&stage.world, &file).await, 1, "{marked} {delivery}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_whose_line_is_cut_at_random_bytes_ends_with_the_same_bytes() {
    let after: Range<usize> = 0..20 * MIB;
    for (delivery, seed) in [("stream", 1), ("stream", 2), ("presigned", 3), ("presigned", 4)] {
        let (stage, machine, content, file) = Box::pin(file(DOWNLOAD, delivery)).await;
        stage.api.cut(600, after.clone(), seed);
        stage.s3.cut(600, after.clone(), seed);
        machine.run(&["get", "large.zip"]).await.is(0);
        assert!(machine.read("large.zip") == content, "{delivery} {seed}");
        assert_eq!(redeemed(&stage.world, &file).await, 1, "{delivery} {seed}");
    }
}

/// A server as a process, behind a proxy.
struct Killable {
    data: TempDir,
    server: share_e2e::process::Process,
    address: std::net::SocketAddr,
    proxy: Proxy,
}

impl Killable {
    async fn start(marked: &'static str) -> Self {
        let data = TempDir::new().unwrap();
        let server = SERVER.start(data.path());
        let address = server.address().parse().unwrap();
        let proxy = Proxy::start(&server.api.base, marked).await;
        Self { data, server, address, proxy }
    }

    async fn machine(&self, role: &str) -> Machine {
        let mut machine = Machine::of(SHARE, &self.server.api, role).await;
        machine.set("SHARE_URL", &self.proxy.url);
        machine
    }

    /// Gives a command, and kills the server at the first marked request.
    async fn run_and_kill(&mut self, machine: &Machine, arguments: &[&str]) {
        self.proxy.hold();
        let command = machine.start(arguments);
        self.proxy.held().await;
        self.server.kill();
        self.server = SERVER.start_at(self.address, self.data.path());
        self.proxy.release();
        command.end().await.is(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_when_the_server_is_killed_and_started_again() {
    // Not while the file is checked: what another run has claimed is left to it for a quarter of an hour.
    for (marked, content) in
        [(CREATE, large()), (SIGN, large()), (COMPLETE, large()), (FORM, zip_of_size(1000))]
    {
        let mut killable = Killable::start(marked).await;
        let machine = killable.machine("ops").await;
        machine.write("a.zip", &content);
        killable.run_and_kill(&machine, &["upload", "a.zip"]).await;
        let api: &Api = &killable.server.api;
        let files = api.all(routes::LIST_UPLOADED, 100, &api.token("ops").await).await;
        assert_eq!(files.len(), 1, "{marked}: {files:?}");
        assert_eq!(files[0]["sha256"], sha256(&content), "{marked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_when_the_server_is_killed_and_started_again() {
    let mut killable = Killable::start(DOWNLOAD).await;
    let content = zip_of_size(3 * MIB);
    let file = killable.server.api.upload("a.zip", &content).await.is(201).id();
    let machine = killable.machine("client").await;
    killable.run_and_kill(&machine, &["get", "a.zip"]).await;
    assert!(machine.read("a.zip") == content);
    let api = &killable.server.api;
    let rows = api.all(&routes::receipts(&file), 100, &api.token("ops").await).await;
    let receipts: Vec<Value> = rows.into_iter().map(|row| row["receipt"].clone()).collect();
    assert_eq!(count(&receipts, "redeemed"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_asks_again_when_the_service_says_so_and_says_until_when_it_waits() {
    const SECONDS: u64 = 2;
    let stage = Stage::start("POST /api/files/upload HTTP|GET /api/file/download", &[]).await;
    let (ops, client) = (stage.machine("ops").await, stage.machine("client").await);
    ops.write("a.zip", &zip_of_size(1000));
    for (machine, command) in [(&ops, ["upload", "a.zip"]), (&client, ["get", "a.zip"])] {
        let (begun, seen) = (Instant::now(), stage.api.seen());
        stage.api.refuse_for(1, SECONDS);
        let ended = machine.run(&command).await;
        ended.is(0).says("The service answered 503 Service Unavailable. Waiting until 2");
        assert!(begun.elapsed() >= Duration::from_secs(SECONDS), "{command:?}");
        assert_eq!(stage.api.seen() - seen, 2, "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_does_not_wait_for_longer_than_it_is_patient_and_says_when_to_try_again() {
    const DAY: u64 = 24 * 60 * 60;
    for (seconds, said) in [(3600, 3600), (DAY, DAY), (DAY + 1, DAY), (u64::MAX, DAY)] {
        let stage = Stage::start("", &[]).await;
        let machine = stage.machine("ops").await;
        machine.write("a.zip", &zip_of_size(1000));
        machine.run(&["ls"]).await.is(0);
        stage.api.refuse_for(1, seconds);
        let ended = machine.run(&["ls"]).await;
        ended.fails(6, "503").says(&format!("Try again in {said} seconds."));
        stage.s3.refuse_for(10, seconds);
        machine.write("large.zip", &large());
        let ended = machine.run(&["upload", "large.zip"]).await;
        ended.fails(6, "503").says(&format!("Give the same command again in {said} seconds."));
        stage.s3.refuse(0);
        stage.with_checks(machine.run(&["upload", "large.zip"])).await.is(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_said_with_what_to_do() {
    let world = World::start().await;
    let machine = Machine::of(SHARE, &world, "client").await;
    let id = world.some_file().await;
    let link = Link::of(&world.link_with(&id, &world.token("client").await, &json!({})).await);
    world.stop().await;
    machine.run(&["ls"]).await.fails(6, "The service did not answer").says("give the same command");
    let ended = machine.run_with_input(&["get", "-"], link.url.as_bytes()).await;
    ended.fails(6, "The service did not answer");
    assert!(!ended.err.contains(link.token()), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_whoever_gave_the_command_ignores_does_not_end_it() {
    let stage = Stage::start("", &[]).await;
    let machine = stage.machine("ops").await;
    let content = large();
    machine.write("a.zip", &content);
    stage.s3.hold();
    // As nohup does, and a shell with a command that runs in the background of a script.
    let command = machine.start_after("trap '' HUP INT", &["upload", "a.zip"]);
    stage.s3.held().await;
    command.signal("HUP");
    command.signal("INT");
    stage.s3.release();
    stage.with_checks(command.end()).await.is(0);
    only_file(&stage.world, &content).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_transfer_and_the_same_command_continues_it() {
    let stage = Stage::start("", &[]).await;
    let machine = stage.machine("ops").await;
    let content = large();
    machine.write("a.zip", &content);
    stage.s3.hold();
    let command = machine.start(&["upload", "a.zip"]);
    stage.s3.held().await;
    command.interrupt();
    command.end().await.fails(130, "Interrupted");
    stage.s3.release();
    stage.with_checks(machine.run(&["upload", "a.zip"])).await.is(0);
    only_file(&stage.world, &content).await;
}
