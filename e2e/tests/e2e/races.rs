//! One-time means once: whoever races, whatever is lost on the way, and when the server is killed.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;
use share_e2e::World;
use share_e2e::proxy::Proxy;

use crate::access::assert_refused;
use crate::links::{DIGITS, Scene, count};

/// How many ask at the same moment.
const RIVALS: usize = 64;

/// A lease that a client chose: 32 bytes in base64url.
const CHOSEN: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_downloads_exactly_one_gets_the_bytes_fifty_links_in_a_row() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    for round in 0..50 {
        let url = world.link(&id, &token).await;
        let answers = join_all((0..RIVALS).map(|_| world.open(&url))).await;
        let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(winners[0].bytes, b"a note");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (410, "link_used"));
        }
    }
    let redeemed = world.stored().await.tables["AuditTable"]
        .iter()
        .filter(|record| record.contains("\\\"redeemed\\\""))
        .count();
    assert_eq!(redeemed, 50, "one audit event for each link");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_requests_with_one_lease_21_are_served_and_are_one_download() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 10})).await;
    let answers = join_all((0..RIVALS).map(|_| scene.get(&link, CHOSEN, "bytes=0-4"))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 206);
    for answer in refused {
        assert_refused(answer, 410, "lease_ended");
    }
    let leases: BTreeSet<_> = served.iter().map(|it| it.header("download-lease")).collect();
    assert_eq!((served.len(), leases), (21, BTreeSet::from([CHOSEN])));
    assert_eq!(scene.listed(&link).await["downloads"], 1);
    let receipts = scene.receipts().await;
    assert_eq!((count(&receipts, "redeemed"), count(&receipts, "resumed")), (1, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_verifications_exactly_one_succeeds() {
    let world = World::start().await;
    for round in 0..10 {
        let url = world.sign_up(&format!("racer{round}")).await;
        let answers = join_all((0..RIVALS).map(|_| world.open(&url))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let lost = answers.iter().filter(|answer| answer.code() == "verification_used").count();
        assert_eq!((won, lost), (1, RIVALS - 1), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_sign_ups_with_one_name_exactly_one_gets_it() {
    let world = World::start().await;
    let bodies = (0..RIVALS).map(|rival| {
        let name = if rival % 2 == 0 { "Contested" } else { "contested" };
        serde_json::json!({"username": name, "email": format!("rival{rival}@example.org"),
            "password": "correct horse battery"})
    });
    let bodies: Vec<_> = bodies.collect();
    let answers = join_all(bodies.iter().map(|body| world.post("/api/users/signup", body))).await;
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    let lost = answers.iter().filter(|answer| answer.code() == "username_taken").count();
    assert_eq!((won, lost), (1, RIVALS - 1));
    let stored = world.stored().await;
    // The three local accounts and the winner, each with a claim of its name and of its address.
    assert_eq!(stored.count("UsersTable"), 4 * 3);
    assert_eq!(stored.count("TokensTable"), 1);
}

/// A second front whose DynamoDB answers can be lost, over the store of the first.
async fn behind_proxy(world: &World) -> (World, Proxy) {
    let variables = &world.server.variables;
    let marked = "DynamoDB_20120810.TransactWriteItems";
    let proxy = Proxy::start(&variables["AWS_ENDPOINT_URL_DYNAMODB"], marked).await;
    let names = ["AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let mut overrides: Vec<_> = names.map(|name| (name, variables[name].as_str())).to_vec();
    overrides.push(("AWS_ENDPOINT_URL_DYNAMODB", proxy.url.as_str()));
    (World::start_with(&overrides).await, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_commit_neither_burns_nor_doubles_a_link() {
    let world = World::start().await;
    let (front, proxy) = behind_proxy(&world).await;
    let token = front.token("client").await;
    let id = front.some_file().await;
    for lost in [1, 2] {
        let url = front.link(&id, &token).await;
        proxy.lose(lost);
        let answer = front.open(&url).await;
        assert_eq!(proxy.left(), 0, "the answers were lost");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.bytes, b"a note");
        assert_eq!(front.open(&url).await.code(), "link_used");
    }
    let redeemed = world.stored().await.tables["AuditTable"]
        .iter()
        .filter(|record| record.contains("\\\"redeemed\\\""))
        .count();
    assert_eq!(redeemed, 2, "one audit event for each link");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_dynamodb_costs_who_chooses_a_lease_nothing() {
    let world = World::start().await;
    let (front, proxy) = behind_proxy(&world).await;
    let file = front.upload("digits.txt", DIGITS).await.id();
    let (client, ops) = (front.token("client").await, front.token("ops").await);
    let scene = Scene { world: front, client, ops, file };
    // The SDK asks three times: with as many answers lost, the service does not know.
    for (lost, answers) in [(1, vec![200]), (2, vec![200]), (3, vec![503, 200])] {
        let link = scene.link(&json!({"max_downloads": 2})).await;
        proxy.lose(lost);
        for status in answers {
            let answer = scene.get(&link, CHOSEN, "").await;
            assert_eq!((proxy.left(), answer.status.as_u16()), (0, status), "{answer:?}");
            assert!(status != 200 || answer.bytes == DIGITS, "{answer:?}");
        }
        assert_eq!(scene.listed(&link).await["downloads"], 1, "{lost} answers lost");
    }
    assert_eq!(count(&scene.receipts().await, "redeemed"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_commit_neither_burns_nor_doubles_a_sign_up_or_verification() {
    let world = World::start().await;
    let (front, proxy) = behind_proxy(&world).await;
    proxy.lose(1);
    let url = front.sign_up("unlucky").await;
    assert_eq!(proxy.left(), 0);
    proxy.lose(1);
    assert_eq!(front.open(&url).await.status, 200);
    assert_eq!(proxy.left(), 0);
    assert_eq!(front.open(&url).await.code(), "verification_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_could_not_be_served_is_not_spent() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    let url = world.link(&id, &token).await;
    // The same store, but an S3 that refuses every connection.
    let variables = &world.server.variables;
    let broken = World::start_with(&[
        ("AWS_ENDPOINT_URL_DYNAMODB", &variables["AWS_ENDPOINT_URL_DYNAMODB"]),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
    ])
    .await;
    let before = world.stored().await;
    let through_broken = url.replace(&world.url(""), &broken.url(""));
    let answer = broken.open(&through_broken).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "dependency_unavailable"));
    assert_eq!(world.stored().await, before, "nothing was spent or written");
    assert_eq!(world.open(&url).await.status, 200, "the link still works");
}
