//! How often a link gives its file, and to whom.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use share_e2e::scene::{DIGITS, count};
use share_e2e::{Scene, send};

#[tokio::test]
async fn a_link_for_three_downloads_gives_the_file_exactly_three_times() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 3})).await;
    let mut leases = BTreeSet::new();
    for (downloads, state) in [(1, "live"), (2, "live"), (3, "used")] {
        let answer = scene.download(&link, "", "").await;
        answer.is_whole();
        leases.insert(answer.lease().to_owned());
        let listed = scene.listed(&link).await;
        assert_eq!((&listed["downloads"], &listed["state"]), (&json!(downloads), &json!(state)));
    }
    assert_eq!(leases.len(), 3, "each download has a lease of its own");
    let before = scene.stored().await;
    for _ in 0..2 {
        scene.download(&link, "", "").await.refused(410, "link_used");
    }
    scene.unchanged(&before).await;
    assert_eq!(count(&scene.receipts().await, "redeemed"), 3);
}

#[tokio::test]
async fn a_bound_link_is_for_its_maker_only_from_the_first_byte_to_the_last() {
    let scene = Scene::start().await;
    let other = scene.another_client("rosa").await;
    let link = scene.link(&json!({"bind": true})).await;
    let refused = async |lease: &str| {
        let before = scene.stored().await;
        let others = [
            ("", 401, "missing_token"),
            ("garbage", 401, "invalid_token"),
            (&other, 403, "link_bound"),
            (&scene.ops, 403, "wrong_role"),
        ];
        for (token, status, code) in others {
            for method in [Method::GET, Method::POST, Method::HEAD] {
                let head = method == Method::HEAD;
                let mut request =
                    scene.http.request(method, &link.url).header("range", "bytes=0-4");
                if !token.is_empty() {
                    request = request.bearer_auth(token);
                }
                if !lease.is_empty() {
                    request = request.header("download-lease", lease);
                }
                let answer = send(request).await;
                if head {
                    answer.is(status);
                } else {
                    answer.refused(status, code);
                }
            }
        }
        // A page tells about the file, too.
        let page = send(scene.download_request(&link).header("accept", "text/html")).await;
        page.is(401);
        assert!(!page.text().contains("digits.txt"), "{page:?}");
        scene.unchanged(&before).await;
    };
    refused("").await;
    let own = || scene.download_request(&link).bearer_auth(&scene.client);
    let first = send(own().header("range", "bytes=0-4")).await;
    first.is_part(0..5);
    let lease = first.lease();
    refused(lease).await;
    let rest = own().header("range", "bytes=5-").header("download-lease", lease);
    send(rest).await.is_part(5..10);
}

#[tokio::test]
async fn a_program_that_takes_only_json_is_told_where_a_bound_links_file_is() {
    let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", "presigned")]).await;
    let link = scene.link(&json!({"bind": true})).await;
    let own = |accept| {
        let request = scene.download_request(&link).bearer_auth(&scene.client);
        request.header("accept", accept)
    };
    let first = send(own("application/json")).await;
    let told = first.is_json(200);
    assert_eq!((&told["expires_in"], first.header("location")), (&json!(60), ""));
    let url = told["url"].as_str().unwrap();
    scene.open(url).await.is_file(DIGITS);
    for accept in ["*/*", "application/json, text/plain, */*"] {
        let redirect = send(own(accept).header("download-lease", first.lease())).await;
        let place = redirect.is(303).header("location");
        assert!(redirect.text().contains("no Authorization header"), "{redirect:?}");
        scene.open(place).await.is_file(DIGITS);
    }
    assert_eq!(count(&scene.receipts().await, "redeemed"), 1);
}
