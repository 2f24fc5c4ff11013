//! One-time means once, however many ask at the same moment.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;
use share_e2e::scene::{CHOSEN, count};
use share_e2e::{Scene, World, routes};

/// How many ask at the same moment.
const CLIENTS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_downloads_exactly_one_gets_the_bytes_fifty_links_in_a_row() {
    let scene = Scene::start().await;
    for round in 0..50 {
        let url = scene.plain_link().await.url;
        let answers = join_all((0..CLIENTS).map(|_| scene.open(&url))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
        assert_eq!(won.len(), 1, "round {round}");
        won[0].is_whole();
        for answer in lost {
            answer.refused(410, "link_used");
        }
    }
    assert_eq!(scene.stored().await.receipts("redeemed"), 50, "one for each link");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_downloads_of_a_link_for_ten_exactly_ten_get_the_file_and_a_lease_each() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 10})).await;
    let answers = join_all((0..CLIENTS).map(|_| scene.download(&link, "", ""))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    for answer in lost {
        answer.refused(410, "link_used");
    }
    for answer in &won {
        answer.is_whole();
    }
    let leases: BTreeSet<_> = won.iter().map(|it| it.lease()).collect();
    assert_eq!((won.len(), leases.len()), (10, 10));
    let listed = scene.listed(&link).await;
    assert_eq!((&listed["downloads"], &listed["state"]), (&json!(10), &json!("used")));
    let receipts = scene.receipts().await;
    assert_eq!((count(&receipts, "redeemed"), count(&receipts, "ended")), (10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_requests_with_one_lease_21_are_served_and_are_one_download() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 10})).await;
    let answers = join_all((0..CLIENTS).map(|_| scene.download(&link, CHOSEN, "bytes=0-4"))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 206);
    for answer in refused {
        answer.refused(410, "lease_ended");
    }
    let leases: BTreeSet<_> = served.iter().map(|it| it.lease()).collect();
    assert_eq!((served.len(), leases), (21, BTreeSet::from([CHOSEN])));
    assert_eq!(scene.listed(&link).await["downloads"], 1);
    let receipts = scene.receipts().await;
    assert_eq!((count(&receipts, "redeemed"), count(&receipts, "resumed")), (1, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_concurrent_downloads_none_is_redeemed_after_a_revocation() {
    let scene = Scene::start().await;
    let mut seen = 0;
    for round in 0..20_usize {
        let max_downloads = if round % 2 == 0 { 1 } else { 5 };
        let link = scene.link(&json!({"max_downloads": max_downloads})).await;
        // The revocation comes first, last, or in between.
        let requests = (0..33).map(async |place| {
            let revokes = place == round * 7 % 33;
            let answer = if revokes {
                scene.world.revoke(&link.id, &scene.client).await
            } else {
                scene.download(&link, "", "").await
            };
            (revokes, answer)
        });
        let (mut won, mut used) = (0, false);
        for (revokes, answer) in join_all(requests).await {
            match (revokes, answer.status.as_u16()) {
                (true, status) => assert_eq!(status, 204, "round {round}: {answer:?}"),
                (false, 200) => won += 1,
                (false, _) if answer.code() == "link_used" => used = true,
                (false, _) => answer.refused(410, "link_revoked"),
            }
        }
        let receipts = scene.receipts().await.split_off(seen);
        seen += receipts.len();
        assert_eq!(count(&receipts, "redeemed"), won, "round {round}");
        assert_eq!(count(&receipts, "revoked"), 1, "round {round}");
        let after = receipts.iter().skip_while(|it| it["event"] != "revoked");
        assert!(after.clone().all(|it| it["event"] != "redeemed"), "round {round}: {receipts:?}");
        assert!(won <= max_downloads && (won == max_downloads || !used), "round {round}: {won}");
        assert_eq!(scene.listed(&link).await["state"], "revoked", "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_verifications_exactly_one_succeeds() {
    let world = World::start().await;
    for round in 0..10 {
        let url = world.sign_up(&format!("racer{round}")).await;
        let answers = join_all((0..CLIENTS).map(|_| world.open(&url))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let lost = answers.iter().filter(|answer| answer.code() == "verification_used").count();
        assert_eq!((won, lost), (1, CLIENTS - 1), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_sign_ups_with_one_name_exactly_one_gets_it() {
    let world = World::start().await;
    let bodies = (0..CLIENTS).map(|client| {
        let name = if client % 2 == 0 { "Contested" } else { "contested" };
        json!({"username": name, "email": format!("client{client}@example.org"),
            "password": "correct horse battery"})
    });
    let bodies: Vec<_> = bodies.collect();
    let answers = join_all(bodies.iter().map(|body| world.post(routes::SIGNUP, body))).await;
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    let lost = answers.iter().filter(|answer| answer.code() == "username_taken").count();
    assert_eq!((won, lost), (1, CLIENTS - 1));
    let stored = world.stored().await;
    // The three local accounts, each with its name and its address, and the winner with its name and
    // the record by which its link can be mailed once more.
    assert_eq!(stored.user_records(), 3 * 3 + 3);
    assert_eq!(stored.link_records(), 1, "one verification token");
}
