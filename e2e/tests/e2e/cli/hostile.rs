//! Hostile services, lost answers, and what else must not lead `share` astray.

use std::fs;

use serde_json::{Value, json};
use share_e2e::command::Machine;
use share_e2e::proxy::Proxy;
use share_e2e::samples::zip_of_size;
use share_e2e::scene::count;
use share_e2e::{World, routes};

use crate::SHARE;

const DOWNLOAD: &str = "GET /api/file/download";
const FORM: &str = "POST /api/files/upload HTTP";

/// A service behind a proxy to whose requests with this mark something can happen, and a machine of
/// this role.
async fn behind_proxy(marked: &'static str, role: &str) -> (World, Proxy, Machine) {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, marked).await;
    let mut machine = Machine::of(SHARE, &world, role).await;
    machine.set("SHARE_URL", &proxy.url);
    (world, proxy, machine)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_whose_every_answer_is_cut_goes_on_from_the_byte_that_it_reached() {
    const SIZE: usize = 1_000_000;
    const PASSING: usize = 100_000;
    let (world, proxy, machine) = behind_proxy(DOWNLOAD, "client").await;
    let content = zip_of_size(SIZE);
    let file = world.upload("a.zip", &content).await.is(201).id();
    let before = proxy.passed();
    proxy.cut(1000, PASSING..PASSING + 1, 0);
    machine.run(&["get", "a.zip"]).await.is(0);
    assert!(machine.read("a.zip") == content);
    // Each head is of less than 2,000 bytes, and no byte of the file comes twice.
    let answers = proxy.seen();
    assert_eq!(answers, SIZE.div_ceil(PASSING - 2000));
    assert!(proxy.passed() - before < SIZE + (answers + 10) * 2000, "{}", proxy.passed());
    let rows = world.all(&routes::receipts(&file), 100, &world.token("ops").await).await;
    let receipts: Vec<Value> = rows.into_iter().map(|row| row["receipt"].clone()).collect();
    let counts = (count(&receipts, "redeemed"), count(&receipts, "resumed"));
    assert_eq!(counts, (1, answers - 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_failed_at_first_is_not_taken_for_one_with_other_recipients() {
    let (world, proxy, machine) = behind_proxy(FORM, "ops").await;
    machine.write("c.txt", b"the same bytes");
    let upload = async |recipients: &str| {
        let upload = ["upload", "c.txt", "--json", "--to", recipients];
        machine.run(&upload).await.json()[0]["id"].as_str().unwrap().to_owned()
    };
    let first = upload("client").await;
    proxy.refuse(1);
    let second = upload("eva@example.org").await;
    proxy.lose(1);
    let third = upload("client@example.com").await;
    let ops = world.token("ops").await;
    for (id, recipients) in
        [(&first, "client"), (&second, "eva@example.org"), (&third, "client@example.com")]
    {
        assert_eq!(world.file(id, &ops).await["recipients"], json!([recipients]));
    }
    assert_eq!(world.all(routes::LIST_UPLOADED, 100, &ops).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_a_session_go_to_no_service_but_the_one_that_gave_them() {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "uthorization: Bearer|/api/sessions/").await;
    let machine = Machine::new(SHARE);
    let password = share_e2e::api::local_password("client");
    machine.log_in(&[&proxy.url], "client", &password).await.is(0);
    machine.run(&["whoami"]).await.is(0);
    let path = machine.settings().join("session-default.json");
    let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    kept["service"] = json!("https://files.example.com/");
    fs::write(&path, kept.to_string()).unwrap();
    let before = proxy.seen();
    assert!(before > 0);
    for command in [&["whoami"][..], &["ls"], &["get", "a.zip"]] {
        machine.run(command).await.fails(3, "Nobody is logged in").says("share login");
    }
    assert_eq!(proxy.seen(), before);
}
