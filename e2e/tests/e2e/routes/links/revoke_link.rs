//! `DELETE /api/links/{id}`.

use reqwest::Method;
use serde_json::json;
use share_e2e::bad_input::{MALFORMED_IDS, swap_a_letter};
use share_e2e::matchers::case;
use share_e2e::scene::{OTHER, count};
use share_e2e::{Scene, routes, send};

#[tokio::test]
async fn a_revoked_link_answers_410_at_once_and_revoking_it_again_changes_nothing() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"expires_in": 60})).await;
    scene.revoke(&link).await.is_empty(204);
    assert_eq!(scene.listed(&link).await["state"], "revoked");
    let before = scene.stored().await;
    scene.revoke(&link).await.is(204);
    scene.download(&link, "", "").await.refused(410, "link_revoked");
    scene.download(&link, OTHER, "").await.refused(410, "link_revoked");
    send(scene.http.head(&link.url)).await.is(410);
    let page = send(scene.download_request(&link).header("accept", "text/html")).await.is_page(410);
    assert!(page.contains("This link has been revoked"), "{page}");
    scene.pass(60);
    scene.revoke(&link).await.is(204); // after its time, too
    scene.download(&link, "", "").await.refused(410, "link_revoked");
    // It is recorded only once.
    scene.unchanged(&before).await;
    assert_eq!(count(&scene.receipts().await, "revoked"), 1);
}

#[tokio::test]
async fn only_the_client_that_made_a_link_can_revoke_it() {
    let scene = Scene::start().await;
    let other = scene.another_client("rosa").await;
    let links = scene.links_of_every_state().await;
    let before = scene.stored().await;
    for (link, _) in &links {
        scene.world.revoke(&link.id, &other).await.refused(404, "link_unknown");
    }
    // Its token does not revoke a link, and its id does not download through it.
    let live = &links[1].0;
    for unknown in [live.token(), &"A".repeat(43)] {
        scene.world.revoke(unknown, &scene.client).await.refused(404, "link_unknown");
    }
    let by_id = live.url.replace(live.token(), &live.id);
    scene.open(&by_id).await.refused(404, "link_unknown");
    scene.unchanged(&before).await;
}

#[tokio::test]
async fn a_used_or_expired_link_can_be_revoked_and_its_lease_ends() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"expires_in": 60})).await;
    let lease = scene.download(&link, "", "bytes=0-4").await.lease().to_owned();
    scene.download(&link, &lease, "bytes=5-5").await.is(206);
    scene.revoke(&link).await.is(204);
    scene.download(&link, &lease, "bytes=6-").await.refused(410, "link_revoked");
    scene.download(&link, "", "").await.refused(410, "link_revoked");
    let expired = scene.link(&json!({"expires_in": 60, "max_downloads": 2})).await;
    let lease = scene.download(&expired, "", "bytes=0-4").await.lease().to_owned();
    scene.pass(60);
    scene.download(&expired, &lease, "bytes=5-5").await.is(206);
    scene.revoke(&expired).await.is(204);
    scene.download(&expired, &lease, "bytes=6-").await.refused(410, "link_revoked");
}

#[tokio::test]
async fn the_remaining_downloads_of_a_link_can_be_revoked() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 3})).await;
    let lease = scene.download(&link, "", "bytes=0-4").await.lease().to_owned();
    scene.revoke(&link).await.is(204);
    let before = scene.stored().await;
    scene.download(&link, "", "").await.refused(410, "link_revoked");
    scene.download(&link, &lease, "bytes=5-").await.refused(410, "link_revoked");
    scene.unchanged(&before).await;
    let listed = scene.listed(&link).await;
    assert_eq!((&listed["state"], &listed["downloads"]), (&json!("revoked"), &json!(1)));
}

#[tokio::test]
async fn a_malformed_link_id_answers_400_and_an_unknown_one_404() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await.id;
    let revoke = |id: &str| {
        scene.world.request(Method::DELETE, &routes::link(id)).bearer_auth(&scene.client)
    };
    let mut cases = Vec::new();
    for malformed in MALFORMED_IDS.into_iter().chain([
        &link[1..],
        &format!("{link}A"),
        &format!("{link}%3D"),
        &format!("%20{}", &link[1..]),
        &format!("{}%2B", &link[1..]),
        &format!("link%23{link}"),
        &scene.file,
        &"A".repeat(8000),
    ]) {
        let name = format!("DELETE {}", &malformed[..malformed.len().min(60)]);
        cases.push(case(name, revoke(malformed), 400, "invalid_parameter"));
    }
    let unknown = revoke(&swap_a_letter(&link, 20));
    cases.push(case("an unknown link", unknown, 404, "link_unknown"));
    scene.refuses(cases).await;
    send(revoke(&link)).await.is(204);
}
