//! When a lease ends.

use serde_json::{Value, json};
use share_e2e::samples::noise;
use share_e2e::scene::{CHOSEN, OTHER};
use share_e2e::{Scene, send};

use crate::MIB;

#[tokio::test]
async fn a_lease_lives_for_its_time_from_the_redemption_and_not_a_second_longer() {
    for (variables, lifetime) in [(vec![], 600), (vec![("LEASE_TTL_SECONDS", "60")], 60)] {
        let scene = Scene::start_with(&variables).await;
        let link = scene.plain_link().await;
        let lease = scene.begin(&link).await;
        let redeemed = scene.last("redeemed").await;
        for later in [lifetime / 2, lifetime - 1] {
            scene.pass_until(redeemed + later);
            scene.download(&link, &lease, "bytes=3-5").await.is_part(3..6);
        }
        scene.pass_until(redeemed + lifetime);
        let before = scene.stored().await;
        scene.download(&link, &lease, "bytes=5-").await.refused(410, "lease_ended");
        scene.unchanged(&before).await;
    }
}

#[tokio::test]
async fn a_lease_lives_for_a_second_more_for_each_mib_of_its_file() {
    for (size, lifetime) in [
        (MIB - 1, 600),
        (MIB, 601),
        (MIB + 1, 601),
        (2 * MIB - 1, 601),
        (2 * MIB, 602),
        (4 * MIB, 604),
    ] {
        let mut scene = Scene::start().await;
        let text: Vec<_> = noise(size).iter().map(|byte| byte % 26 + b'a').collect();
        scene.file = scene.upload("large.txt", &text).await.is(201).id();
        let link = scene.plain_link().await;
        let lease = scene.download(&link, "", "bytes=0-9").await.is(206).lease().to_owned();
        let redeemed = scene.last("redeemed").await;
        scene.pass_until(redeemed + lifetime - 1);
        let last = scene.download(&link, &lease, &format!("bytes={}-", size - 1)).await;
        assert_eq!(last.is(206).bytes, &text[size - 1..]);
        scene.pass_until(redeemed + lifetime);
        let before = scene.stored().await;
        scene.download(&link, &lease, "bytes=5-").await.refused(410, "lease_ended");
        scene.unchanged(&before).await;
    }
}

#[tokio::test]
async fn a_download_of_1_tib_can_be_resumed_for_12_days() {
    let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", "presigned")]).await;
    scene.resize(MIB * MIB).await;
    let link = scene.plain_link().await;
    let lease = scene.download(&link, "", "").await.is(303).lease().to_owned();
    let redeemed = scene.last("redeemed").await;
    for later in [12 * 86_400, 600 + 1_048_575] {
        scene.pass_until(redeemed + later);
        scene.download(&link, &lease, "bytes=1099511627775-").await.is(303);
    }
    scene.pass_until(redeemed + 600 + 1_048_576);
    scene.download(&link, &lease, "").await.refused(410, "lease_ended");
}

#[tokio::test]
async fn after_the_last_byte_a_lease_lives_for_its_grace_which_the_next_one_does_not_prolong() {
    for (variables, grace) in [(vec![], 300), (vec![("LEASE_GRACE_SECONDS", "5")], 5)] {
        let scene = Scene::start_with(&variables).await;
        let link = scene.plain_link().await;
        let lease = scene.begin(&link).await;
        scene.pass(100);
        scene.download(&link, &lease, "bytes=5-").await.is_part(5..10);
        let completed = scene.last("ended").await;
        scene.pass_until(completed + grace - 1);
        scene.download(&link, &lease, "").await.is_whole();
        scene.pass_until(completed + grace);
        let before = scene.stored().await;
        scene.download(&link, &lease, "").await.refused(410, "lease_ended");
        scene.unchanged(&before).await;
    }
}

#[tokio::test]
async fn a_grace_does_not_make_a_lease_live_longer_than_its_time() {
    let variables = [("LEASE_TTL_SECONDS", "60"), ("LEASE_GRACE_SECONDS", "3600")];
    let scene = Scene::start_with(&variables).await;
    let link = scene.plain_link().await;
    let lease = scene.download(&link, "", "").await.lease().to_owned();
    scene.pass_until(scene.last("redeemed").await + 60);
    scene.download(&link, &lease, "").await.refused(410, "lease_ended");
}

#[tokio::test]
async fn without_grace_a_lease_ends_with_the_last_byte_that_was_missing_and_no_earlier() {
    for mode in ["stream", "buffered"] {
        let variables = [("LEASE_GRACE_SECONDS", "0"), ("DOWNLOAD_DELIVERY", mode)];
        let scene = Scene::start_with(&variables).await;
        let link = scene.plain_link().await;
        let lease = scene.begin(&link).await;
        // The file's last bytes are not its last missing ones.
        for (range, part) in [("bytes=-2", 8..10), ("bytes=9-", 9..10), ("bytes=6-7", 6..8)] {
            scene.download(&link, &lease, range).await.is_part(part);
        }
        scene.download(&link, &lease, "bytes=5-5").await.is_part(5..6);
        let before = scene.stored().await;
        scene.download(&link, &lease, "bytes=5-5").await.refused(410, "lease_ended");
        scene.unchanged(&before).await;
        let outcomes: Vec<_> =
            scene.receipts().await.into_iter().map(|it| it["outcome"].clone()).collect();
        let outcomes: Vec<_> = outcomes.iter().filter_map(Value::as_str).collect();
        assert_eq!(outcomes, ["partial", "partial", "partial", "partial", "completed"]);
    }
}

#[tokio::test]
async fn an_ended_lease_does_not_take_another_download_of_its_link() {
    let scene = Scene::start_with(&[("LEASE_GRACE_SECONDS", "0")]).await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    scene.download(&link, CHOSEN, "").await.is_whole();
    let before = scene.stored().await;
    scene.download(&link, CHOSEN, "").await.refused(410, "lease_ended");
    let post = scene.http.post(&link.url).header("download-lease", CHOSEN);
    send(post).await.refused(410, "lease_ended");
    scene.unchanged(&before).await;
    scene.download(&link, OTHER, "").await.is_whole();
    assert_eq!(scene.listed(&link).await["downloads"], 2);
}

#[tokio::test]
async fn a_lease_outlives_its_link() {
    let scene = Scene::start().await;
    for max_downloads in [1, 2] {
        let link = scene.link(&json!({"expires_in": 60, "max_downloads": max_downloads})).await;
        let lease = scene.begin(&link).await;
        scene.pass(60);
        let code = if max_downloads == 1 { "link_used" } else { "link_expired" };
        scene.download(&link, "", "").await.refused(410, code);
        scene.download(&link, &lease, "bytes=5-").await.is_part(5..10);
    }
}
