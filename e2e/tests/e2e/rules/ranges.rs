//! Parts of a file: ranges, conditions and `HEAD`.

use serde_json::json;
use share_e2e::samples::sha256;
use share_e2e::scene::{DIGITS, OTHER, count};
use share_e2e::{Scene, send};

#[tokio::test]
async fn with_its_lease_a_download_resumes_anywhere_and_counts_once() {
    for mode in ["stream", "buffered"] {
        let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let link = scene.plain_link().await;
        let first = scene.download(&link, "", "").await;
        first.is_whole();
        let lease = first.lease();
        let parts = [
            ("bytes=0-3", 0..4),
            ("bytes=3-5", 3..6),
            ("bytes=9-9", 9..10),
            ("bytes=7-", 7..10),
            ("bytes=0-", 0..10),
            ("bytes=5-99999999999999999999", 5..10),
            ("bytes=-3", 7..10),
            ("bytes=-10", 0..10),
            ("bytes=-11", 0..10),
        ];
        for (range, part) in parts.clone() {
            let answer = scene.download(&link, lease, range).await;
            answer.is_part(part);
            assert_eq!(answer.lease(), lease, "{range}");
        }
        // RFC 9110, section 14.2: several ranges may be ignored, what is malformed must be.
        let ignored = [
            "",
            "bytes=0-1,3-4",
            "bytes=5-3",
            "bytes=-",
            "bytes=a-b",
            "items=0-1",
            "0-1",
            "bytes 0-1",
        ];
        for range in ignored {
            scene.download(&link, lease, range).await.is_whole();
        }
        let resumes = parts.len() + ignored.len();
        let listed = scene.listed(&link).await;
        assert_eq!((&listed["downloads"], &listed["state"]), (&json!(1), &json!("used")));
        let receipts = scene.receipts().await;
        assert_eq!((count(&receipts, "redeemed"), count(&receipts, "resumed")), (1, resumes));
        assert_eq!(count(&receipts, "ended"), 1 + resumes);
    }
}

#[tokio::test]
async fn a_part_is_given_if_the_file_is_still_the_one_that_was_begun_and_else_the_whole() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let lease = scene.begin(&link).await;
    let tag = format!("\"{}\"", sha256(DIGITS));
    for (condition, holds) in [
        (tag.clone(), true),
        // RFC 9110, section 13.1.5: only the very tag, by strong comparison.
        (format!("W/{tag}"), false),
        (tag.trim_matches('"').to_owned(), false),
        (format!("\"{}\"", sha256(b"another file")), false),
        ("Sun, 06 Nov 1994 08:49:37 GMT".to_owned(), false),
        ("Fri, 31 Dec 2999 23:59:59 GMT".to_owned(), false),
        ("*".to_owned(), false),
        (String::new(), false),
    ] {
        let request = scene.download_request(&link).header("download-lease", &lease);
        let answer = send(request.header("range", "bytes=5-").header("if-range", &condition)).await;
        if holds { answer.is_part(5..10) } else { answer.is_whole() }
    }
    // Without a range it says nothing; and a range that does not count cannot be out of bounds.
    let request = || scene.download_request(&link).header("download-lease", &lease);
    send(request().header("if-range", &tag)).await.is_whole();
    let request = request().header("range", "bytes=10-").header("if-range", "\"another\"");
    send(request).await.is_whole();
}

#[tokio::test]
async fn a_range_outside_the_file_answers_416_with_its_size_and_spends_nothing() {
    for mode in ["stream", "buffered", "presigned"] {
        let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let link = scene.plain_link().await;
        let refused = async |lease: &str| {
            let before = scene.stored().await;
            for range in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999-"] {
                let answer = scene.download(&link, lease, range).await;
                answer.refused(416, "range_unsatisfiable");
                assert_eq!(answer.header("content-range"), "bytes */10", "{range}");
                assert_eq!(answer.lease(), "", "{range}");
            }
            scene.unchanged(&before).await;
        };
        refused("").await;
        let first = scene.download(&link, "", "bytes=0-4").await;
        refused(first.lease()).await;
        scene.download(&link, "", "bytes=10-").await.refused(410, "link_used");
    }
}

#[tokio::test]
async fn the_very_first_request_may_be_for_a_part_and_spends_the_link() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let lease = scene.begin(&link).await;
    assert_eq!(scene.listed(&link).await["state"], "used");
    let before = scene.stored().await;
    scene.download(&link, "", "bytes=5-").await.refused(410, "link_used");
    scene.unchanged(&before).await;
    scene.download(&link, &lease, "bytes=5-").await.is_part(5..10);
}

#[tokio::test]
async fn a_range_on_a_post_is_ignored() {
    // RFC 9110, section 14.2: range handling is defined for GET only.
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let post = scene.http.post(&link.url).header("range", "bytes=0-4");
    send(post).await.is_whole();
}

#[tokio::test]
async fn head_with_a_lease_answers_as_get_would_and_spends_nothing() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let lease = scene.begin(&link).await;
    let head = async |lease: &str, range: &str| {
        let request = scene.http.head(&link.url).header("range", range);
        send(request.header("download-lease", lease)).await
    };
    let before = scene.stored().await;
    for range in ["bytes=0-3", "bytes=10-"] {
        let answer = head(&lease, range).await;
        answer.is_empty(200);
        assert_eq!(answer.header("content-range"), "", "a range is for GET");
        assert_eq!(answer.header("content-length"), "10");
        let get = format!("\"{}\"", sha256(DIGITS));
        assert_eq!((answer.header("etag"), answer.header("accept-ranges")), (&get[..], "bytes"));
    }
    for (lease, status) in [(OTHER, 410), ("malformed", 400)] {
        head(lease, "bytes=0-").await.is(status);
    }
    scene.unchanged(&before).await;
}
