//! Requests during which a link or a lease ends.

use serde_json::json;
use share_e2e::proxy::Proxy;
use share_e2e::scene::Link;
use share_e2e::{Answer, Scene, World, send};

/// A scene whose S3 can be held up.
async fn with_slow_s3() -> (Scene, Proxy, World) {
    let world = World::start().await;
    let variables = &world.server.backend().variables;
    let proxy = Proxy::start(&variables["AWS_ENDPOINT_URL_S3"], "GET /").await;
    let front = World::start_with(&[
        ("AWS_ENDPOINT_URL_S3", &proxy.url),
        ("AWS_ACCESS_KEY_ID", &variables["AWS_ACCESS_KEY_ID"]),
        ("AWS_SECRET_ACCESS_KEY", &variables["AWS_SECRET_ACCESS_KEY"]),
    ])
    .await;
    (Scene::in_world(front).await, proxy, world)
}

/// The answer to a download that waits for S3 while so many seconds pass.
async fn download_for(
    scene: &Scene,
    proxy: &Proxy,
    link: &Link,
    lease: Option<&str>,
    seconds: i64,
) -> Answer {
    proxy.hold();
    let download = scene.download_request(link);
    let download = match lease {
        Some(lease) => download.header("download-lease", lease),
        None => download,
    };
    let download = tokio::spawn(send(download));
    proxy.held().await;
    scene.pass(seconds);
    proxy.release();
    download.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_ends_while_a_request_waits_is_not_redeemed() {
    let (scene, proxy, _world) = with_slow_s3().await;
    for (seconds, status) in [(58, 200), (60, 410)] {
        let link = scene.link(&json!({"expires_in": 60})).await;
        let before = scene.stored().await;
        let answer = download_for(&scene, &proxy, &link, None, seconds).await;
        if status == 200 {
            answer.is_whole();
        } else {
            answer.refused(410, "link_expired");
            scene.unchanged(&before).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ends_while_a_request_waits_resumes_nothing() {
    let (scene, proxy, _world) = with_slow_s3().await;
    let link = scene.plain_link().await;
    let lease = scene.begin(&link).await;
    let before = scene.stored().await;
    let answer = download_for(&scene, &proxy, &link, Some(&lease), 600).await;
    answer.refused(410, "lease_ended");
    scene.unchanged(&before).await;
}
