//! Leases and ranges: a download that has begun goes on for who began it, and for nobody else.

use std::fs;
use std::ops::Range;

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::samples::sha256;
use share_e2e::{Answer, send};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::access::{Token, assert_refused, set};
use crate::links::{DIGITS, Link, Scene, count, second};

/// Leases that a client chose: 32 bytes in base64url.
const CHOSEN: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
const OTHER: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// That `answer` is this part of the digits.
fn assert_part(answer: &Answer, part: Range<usize>) {
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (206, &text(part.clone())[..]));
    let range = format!("bytes {}-{}/10", part.start, part.end - 1);
    assert_eq!(answer.header("content-range"), range);
    assert_headers(answer);
}

/// That `answer` is all of the digits.
fn assert_whole(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, &text(0..10)[..]));
    assert_eq!(answer.header("content-range"), "");
    assert_headers(answer);
}

/// The headers that parts and wholes have alike.
fn assert_headers(answer: &Answer) {
    assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("etag"), format!("\"{}\"", sha256(DIGITS)));
    // printf 0123456789 | openssl dgst -sha256 -binary | base64
    let digest = "sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:";
    assert_eq!(answer.header("repr-digest"), digest, "of the whole, whatever the part");
    assert_eq!(answer.header("content-disposition").split(';').next(), Some("attachment"));
    assert_eq!(answer.header("cache-control"), "no-store");
}

fn text(part: Range<usize>) -> String {
    String::from_utf8(DIGITS[part].to_vec()).unwrap()
}

/// Redeems the link and gets its first five bytes; gives the lease.
async fn begin(scene: &Scene, link: &Link) -> String {
    let answer = scene.get(link, "", "bytes=0-4").await;
    assert_part(&answer, 0..5);
    answer.header("download-lease").to_owned()
}

/// The second in which the last receipt of this event was written.
async fn last(scene: &Scene, event: &str) -> i64 {
    let receipts = scene.receipts().await;
    second(&receipts.iter().rfind(|it| it["event"] == event).unwrap()["at"])
}

#[tokio::test]
async fn with_its_lease_a_download_goes_on_wherever_it_wants_and_stays_one_download() {
    for mode in ["stream", "buffered"] {
        let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let link = scene.link(&json!({})).await;
        let first = scene.get(&link, "", "").await;
        assert_whole(&first);
        let lease = first.header("download-lease");
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
            let answer = scene.get(&link, lease, range).await;
            assert_part(&answer, part);
            assert_eq!(answer.header("download-lease"), lease, "{range}");
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
            assert_whole(&scene.get(&link, lease, range).await);
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
    let link = scene.link(&json!({})).await;
    let lease = begin(&scene, &link).await;
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
        let request = scene.request(&link).header("download-lease", &lease);
        let answer = send(request.header("range", "bytes=5-").header("if-range", &condition)).await;
        if holds { assert_part(&answer, 5..10) } else { assert_whole(&answer) }
    }
    // Without a range it says nothing; and a range that does not count cannot be out of bounds.
    let request = || scene.request(&link).header("download-lease", &lease);
    assert_whole(&send(request().header("if-range", &tag)).await);
    let request = request().header("range", "bytes=10-").header("if-range", "\"another\"");
    assert_whole(&send(request).await);
}

#[tokio::test]
async fn a_range_that_the_file_does_not_have_is_told_its_size_and_costs_nothing() {
    for mode in ["stream", "buffered", "presigned"] {
        let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let link = scene.link(&json!({})).await;
        let refused = async |lease: &str| {
            let before = scene.world.stored().await;
            for range in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999-"] {
                let answer = scene.get(&link, lease, range).await;
                assert_refused(&answer, 416, "range_unsatisfiable");
                assert_eq!(answer.header("content-range"), "bytes */10", "{range}");
                assert_eq!(answer.header("download-lease"), "", "{range}");
            }
            assert_eq!(scene.world.stored().await, before, "{mode}");
        };
        refused("").await;
        let first = scene.get(&link, "", "bytes=0-4").await;
        refused(first.header("download-lease")).await;
        assert_refused(&scene.get(&link, "", "bytes=10-").await, 410, "link_used");
    }
}

#[tokio::test]
async fn the_very_first_request_may_be_for_a_part_and_spends_the_link() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let lease = begin(&scene, &link).await;
    assert_eq!(scene.listed(&link).await["state"], "used");
    let before = scene.world.stored().await;
    assert_refused(&scene.get(&link, "", "bytes=5-").await, 410, "link_used");
    assert_eq!(scene.world.stored().await, before);
    assert_part(&scene.get(&link, &lease, "bytes=5-").await, 5..10);
}

#[tokio::test]
async fn a_range_on_a_post_is_ignored() {
    // RFC 9110, section 14.2: range handling is defined for GET only.
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let post = scene.world.http.post(&link.url).header("range", "bytes=0-4");
    assert_whole(&send(post).await);
}

#[tokio::test]
async fn head_with_a_lease_tells_what_get_would_and_costs_nothing() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let lease = begin(&scene, &link).await;
    let head = async |lease: &str, range: &str| {
        let request = scene.world.http.head(&link.url).header("range", range);
        send(request.header("download-lease", lease)).await
    };
    let before = scene.world.stored().await;
    for range in ["bytes=0-3", "bytes=10-"] {
        let answer = head(&lease, range).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0), "{answer:?}");
        assert_eq!(answer.header("content-range"), "", "a range is for GET");
        assert_eq!(answer.header("content-length"), "10");
        let get = format!("\"{}\"", sha256(DIGITS));
        assert_eq!((answer.header("etag"), answer.header("accept-ranges")), (&get[..], "bytes"));
    }
    for (lease, status) in [(OTHER, 410), ("malformed", 400)] {
        assert_eq!(head(lease, "bytes=0-").await.status, status);
    }
    assert_eq!(scene.world.stored().await, before);
}

#[tokio::test]
async fn a_presigned_download_can_be_asked_for_again_with_its_lease() {
    let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", "presigned")]).await;
    let link = scene.link(&json!({})).await;
    let first = scene.get(&link, "", "").await;
    assert_eq!((first.status.as_u16(), first.bytes.len()), (303, 0), "{first:?}");
    let lease = first.header("download-lease");
    let before = scene.world.stored().await;
    assert_refused(&scene.get(&link, "", "").await, 410, "link_used");
    assert_eq!(scene.world.stored().await, before);
    for range in ["", "bytes=5-"] {
        let again = scene.get(&link, lease, range).await;
        assert_eq!((again.status.as_u16(), again.header("download-lease")), (303, lease));
        // S3 gives the part: clients send the range there, too.
        let mut request = scene.world.http.get(again.header("location"));
        if !range.is_empty() {
            request = request.header("range", range);
        }
        let file = send(request).await;
        let wanted = if range.is_empty() { (200, text(0..10)) } else { (206, text(5..10)) };
        assert_eq!((file.status.as_u16(), file.text()), wanted);
    }
    // That S3 has given every byte nobody tells the service: the lease lives its whole life.
    let redeemed = second(&scene.receipts().await[1]["at"]);
    scene.world.pass_until(redeemed + 599);
    assert_eq!(scene.get(&link, lease, "").await.status, 303);
    scene.world.pass_until(redeemed + 600);
    assert_refused(&scene.get(&link, lease, "").await, 410, "lease_ended");
    assert_eq!(scene.listed(&link).await["downloads"], 1);
}

#[tokio::test]
async fn a_lease_is_good_for_its_own_link_only_and_without_it_a_used_link_is_used() {
    let scene = Scene::start().await;
    let (link, other) = (scene.link(&json!({})).await, scene.link(&json!({})).await);
    let (lease, others) = (begin(&scene, &link).await, begin(&scene, &other).await);
    let token = link.url.split_once("token=").unwrap().1;
    let before = scene.world.stored().await;
    for wrong in ["", OTHER, &others, token, &link.id] {
        assert_refused(&scene.get(&link, wrong, "bytes=5-").await, 410, "link_used");
    }
    assert_eq!(scene.world.stored().await, before);
    assert_part(&scene.get(&link, &lease, "bytes=5-").await, 5..10);
}

#[tokio::test]
async fn a_lease_that_is_none_is_a_bad_request_and_spends_nothing() {
    let scene = Scene::start().await;
    let (live, used) = (scene.link(&json!({})).await, scene.link(&json!({})).await);
    let lease = begin(&scene, &used).await;
    let before = scene.world.stored().await;
    for link in [&live, &used] {
        for malformed in [
            "",
            " ",
            "malformed",
            "null",
            &lease[1..],
            &format!("{lease}A"),
            &format!("{lease}="),
            &format!("\"{lease}\""),
            &format!("Bearer {lease}"),
            &format!("{lease}, {lease}"),
            &lease.replace(&lease[..1], "+"),
            // 258 bits.
            &format!("{}B", "A".repeat(42)),
            &"A".repeat(8000),
        ] {
            let answer = send(scene.request(link).header("download-lease", malformed)).await;
            assert_refused(&answer, 400, "invalid_header");
            assert!(answer.json()["detail"].to_string().contains("Download-Lease"), "{answer:?}");
        }
    }
    assert_eq!(scene.world.stored().await, before);
    assert_whole(&scene.get(&live, "", "").await);
}

#[tokio::test]
async fn a_lease_in_letters_beyond_ascii_is_a_bad_request_too() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let before = scene.world.stored().await;
    let answer = scene.get(&link, &"é".repeat(43), "").await;
    assert_refused(&answer, 400, "invalid_header");
    assert_eq!(scene.world.stored().await, before);
}

#[tokio::test]
async fn a_browser_goes_on_with_a_cookie_of_its_link_and_others_do_not_matter() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let name = format!("__Host-download-lease-{}", link.id);
    let with = async |cookie: &str, range: &str| {
        send(scene.request(&link).header("cookie", cookie).header("range", range)).await
    };
    let foreign = format!("theme=dark; {name}=malformed; __Host-download-lease-x={CHOSEN}; lonely");
    let first = with(&foreign, "bytes=0-4").await;
    assert_part(&first, 0..5);
    let lease = first.header("download-lease");
    assert_ne!(lease, CHOSEN);
    let cookie = format!("{name}={lease}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600");
    assert_eq!(first.header("set-cookie"), cookie);

    let before = scene.world.stored().await;
    for wrong in [foreign.as_str(), "", &format!("{name}={OTHER}"), &format!("x{name}={lease}")] {
        assert_refused(&with(wrong, "bytes=5-").await, 410, "link_used");
    }
    assert_eq!(scene.world.stored().await, before);

    scene.world.pass_until(last(&scene, "redeemed").await + 100);
    let rest = with(&format!("theme=dark; {name}={lease}; more=1"), "bytes=5-").await;
    assert_part(&rest, 5..10);
    assert_eq!(rest.header("set-cookie"), cookie.replace("600", "500"), "what is left of its time");
    scene.world.pass_until(last(&scene, "ended").await + 15);
    let again = with(&format!("{name}={lease}"), "bytes=5-").await;
    assert_eq!(
        again.header("set-cookie"),
        cookie.replace("600", "45"),
        "what is left of its grace"
    );
    // The header counts where there is one.
    let both = scene.request(&link).header("cookie", format!("{name}={lease}"));
    assert_refused(&send(both.header("download-lease", OTHER)).await, 410, "link_used");
}

#[tokio::test]
async fn a_part_for_a_browser_is_a_page_until_its_download_has_begun() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let browser = async |cookie: &str| {
        let request = scene.request(&link).header("accept", "text/html").header("cookie", cookie);
        send(request.header("range", "bytes=5-")).await
    };
    let before = scene.world.stored().await;
    let preview = browser("").await;
    let (cookie, _) = preview.header("set-cookie").split_once(';').unwrap();
    for page in [&preview, &browser(cookie).await] {
        assert_eq!((page.status.as_u16(), page.header("content-range")), (200, ""));
        assert!(page.text().contains("<form method=\"post\">"), "{}", page.text());
    }
    assert_eq!(scene.world.stored().await, before, "a preview spends nothing");
    assert_whole(&send(scene.world.http.post(&link.url).header("cookie", cookie)).await);
    assert_part(&browser(cookie).await, 5..10);
    let stranger = browser("").await;
    assert_eq!(stranger.status, 410);
    assert!(stranger.text().contains("This link has been used"), "{}", stranger.text());
}

#[tokio::test]
async fn a_button_clicked_twice_is_one_download() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    let before = scene.world.stored().await;
    let page = send(scene.request(&link).header("accept", "text/html")).await;
    let cookie = page.header("set-cookie").to_owned();
    // For as long as the link can be redeemed.
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600";
    assert!(cookie.ends_with(attributes), "{cookie}");
    assert_eq!(page.header("download-lease"), "");
    assert!(page.text().contains("2 more times"), "{}", page.text());
    assert_eq!(scene.world.stored().await, before, "looking spends nothing");
    let cookie = cookie.split(';').next().unwrap();
    let browser = |method: Method| {
        let request = scene.world.http.request(method, &link.url).header("cookie", cookie);
        request.header("accept", "text/html,*/*;q=0.8")
    };
    for _ in 0..3 {
        assert_whole(&send(browser(Method::POST)).await);
        let page = send(browser(Method::GET)).await;
        assert!(page.text().contains("Download again"), "{}", page.text());
        assert_eq!(page.header("set-cookie"), "", "the cookie that it has is the one that counts");
    }
    assert_eq!(scene.listed(&link).await["downloads"], 1);
    // When it is over, the page offers what is left of the link.
    scene.world.pass_until(last(&scene, "ended").await + 60);
    let before = scene.world.stored().await;
    assert_refused(&send(browser(Method::POST).header("accept", "*/*")).await, 410, "lease_ended");
    let page = send(browser(Method::GET)).await;
    assert!(page.text().contains("The link works once."), "{}", page.text());
    assert!(!page.header("set-cookie").is_empty() && !page.header("set-cookie").contains(cookie));
    assert_eq!(scene.world.stored().await, before);
    let fresh = page.header("set-cookie").split(';').next().unwrap();
    assert_whole(&send(scene.world.http.post(&link.url).header("cookie", fresh)).await);
    let listed = scene.listed(&link).await;
    assert_eq!((&listed["downloads"], &listed["state"]), (&json!(2), &json!("used")));
}

#[tokio::test]
async fn a_download_can_be_resumed_exactly_twenty_times() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let lease = begin(&scene, &link).await;
    for number in 1..=20 {
        assert_part(&scene.get(&link, &lease, "bytes=0-0").await, 0..1);
        assert_eq!(count(&scene.receipts().await, "resumed"), number);
    }
    let before = scene.world.stored().await;
    for _ in 0..2 {
        assert_refused(&scene.get(&link, &lease, "bytes=5-").await, 410, "lease_ended");
    }
    assert_refused(&scene.get(&link, "", "bytes=5-").await, 410, "link_used");
    assert_eq!(scene.world.stored().await, before);
}

#[tokio::test]
async fn a_lease_lives_for_its_time_from_the_redemption_and_not_a_second_longer() {
    for (variables, lifetime) in [(vec![], 600), (vec![("LEASE_TTL_SECONDS", "60")], 60)] {
        let scene = Scene::start_with(&variables).await;
        let link = scene.link(&json!({})).await;
        let lease = begin(&scene, &link).await;
        let redeemed = last(&scene, "redeemed").await;
        for later in [lifetime / 2, lifetime - 1] {
            scene.world.pass_until(redeemed + later);
            assert_part(&scene.get(&link, &lease, "bytes=3-5").await, 3..6);
        }
        scene.world.pass_until(redeemed + lifetime);
        let before = scene.world.stored().await;
        assert_refused(&scene.get(&link, &lease, "bytes=5-").await, 410, "lease_ended");
        assert_eq!(scene.world.stored().await, before);
    }
}

#[tokio::test]
async fn after_the_last_byte_a_lease_lives_for_its_grace_which_the_next_one_does_not_prolong() {
    for (variables, grace) in [(vec![], 60), (vec![("LEASE_GRACE_SECONDS", "5")], 5)] {
        let scene = Scene::start_with(&variables).await;
        let link = scene.link(&json!({})).await;
        let lease = begin(&scene, &link).await;
        scene.world.pass(100);
        assert_part(&scene.get(&link, &lease, "bytes=5-").await, 5..10);
        let completed = last(&scene, "ended").await;
        scene.world.pass_until(completed + grace - 1);
        assert_whole(&scene.get(&link, &lease, "").await);
        scene.world.pass_until(completed + grace);
        let before = scene.world.stored().await;
        assert_refused(&scene.get(&link, &lease, "").await, 410, "lease_ended");
        assert_eq!(scene.world.stored().await, before);
    }
}

#[tokio::test]
async fn a_grace_does_not_make_a_lease_live_longer_than_its_time() {
    let variables = [("LEASE_TTL_SECONDS", "60"), ("LEASE_GRACE_SECONDS", "3600")];
    let scene = Scene::start_with(&variables).await;
    let link = scene.link(&json!({})).await;
    let lease = scene.get(&link, "", "").await.header("download-lease").to_owned();
    scene.world.pass_until(last(&scene, "redeemed").await + 60);
    assert_refused(&scene.get(&link, &lease, "").await, 410, "lease_ended");
}

#[tokio::test]
async fn without_grace_a_lease_ends_with_the_last_byte_that_was_missing_and_no_earlier() {
    for mode in ["stream", "buffered"] {
        let variables = [("LEASE_GRACE_SECONDS", "0"), ("DOWNLOAD_DELIVERY", mode)];
        let scene = Scene::start_with(&variables).await;
        let link = scene.link(&json!({})).await;
        let lease = begin(&scene, &link).await;
        // The file's last bytes are not its last missing ones.
        for (range, part) in [("bytes=-2", 8..10), ("bytes=9-", 9..10), ("bytes=6-7", 6..8)] {
            assert_part(&scene.get(&link, &lease, range).await, part);
        }
        assert_part(&scene.get(&link, &lease, "bytes=5-5").await, 5..6);
        let before = scene.world.stored().await;
        assert_refused(&scene.get(&link, &lease, "bytes=5-5").await, 410, "lease_ended");
        assert_eq!(scene.world.stored().await, before);
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
    assert_whole(&scene.get(&link, CHOSEN, "").await);
    let before = scene.world.stored().await;
    assert_refused(&scene.get(&link, CHOSEN, "").await, 410, "lease_ended");
    assert_refused(
        &send(scene.world.http.post(&link.url).header("download-lease", CHOSEN)).await,
        410,
        "lease_ended",
    );
    assert_eq!(scene.world.stored().await, before);
    assert_whole(&scene.get(&link, OTHER, "").await);
    assert_eq!(scene.listed(&link).await["downloads"], 2);
}

#[tokio::test]
async fn a_lease_outlives_its_link() {
    let scene = Scene::start().await;
    for max_downloads in [1, 2] {
        let link = scene.link(&json!({"expires_in": 60, "max_downloads": max_downloads})).await;
        let lease = begin(&scene, &link).await;
        scene.world.pass(60);
        let code = if max_downloads == 1 { "link_used" } else { "link_expired" };
        assert_refused(&scene.get(&link, "", "").await, 410, code);
        assert_part(&scene.get(&link, &lease, "bytes=5-").await, 5..10);
    }
}

#[tokio::test]
async fn a_download_stops_when_its_link_is_taken_back_or_its_client_switched_off() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    let lease = begin(&scene, &link).await;
    let id = Token::read(&scene.client).subject();
    set(&scene.world, &id, "active", AttributeValue::Bool(false)).await;
    let before = scene.world.stored().await;
    assert_refused(&scene.get(&link, &lease, "bytes=5-").await, 410, "link_revoked");
    assert_eq!(scene.world.stored().await, before);
    set(&scene.world, &id, "active", AttributeValue::Bool(true)).await;
    assert_part(&scene.get(&link, &lease, "bytes=5-6").await, 5..7);

    assert_eq!(scene.revoke(&link).await.status, 204);
    let before = scene.world.stored().await;
    assert_refused(&scene.get(&link, &lease, "bytes=7-").await, 410, "link_revoked");
    let head = scene.world.http.head(&link.url).header("download-lease", &lease);
    assert_eq!(send(head).await.status, 410);
    assert_eq!(scene.world.stored().await, before);
}

#[tokio::test]
async fn what_cannot_be_served_costs_no_resume() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({})).await;
    let lease = begin(&scene, &link).await;
    let object = scene.world.data.path().join("objects/files").join(&scene.file);
    let before = scene.world.stored().await;
    for content in [None, Some("another file")] {
        match content {
            None => fs::rename(&object, object.with_extension("away")).unwrap(),
            Some(content) => fs::write(&object, content).unwrap(),
        }
        let answer = scene.get(&link, &lease, "bytes=5-").await;
        match content {
            None => assert_refused(&answer, 410, "file_gone"),
            Some(_) => assert_refused(&answer, 503, "dependency_unavailable"),
        }
    }
    fs::rename(object.with_extension("away"), &object).unwrap();
    assert_eq!(scene.world.stored().await, before);
    assert_part(&scene.get(&link, &lease, "bytes=5-").await, 5..10);
}

#[tokio::test]
async fn who_chooses_a_lease_gets_the_file_also_when_the_first_answer_is_lost() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    // Sent, and hung up without waiting for an answer.
    let path = link.url.strip_prefix(&scene.world.url("")).unwrap();
    let mut socket = TcpStream::connect(scene.world.server.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: share\r\nDownload-Lease: {CHOSEN}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    drop(socket);
    // Answered, and thrown away.
    let request = scene.request(&link).header("download-lease", CHOSEN);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let again = scene.get(&link, CHOSEN, "").await;
    assert_whole(&again);
    assert_eq!(again.header("download-lease"), CHOSEN);
    assert_eq!(scene.listed(&link).await["downloads"], 1);
    assert_eq!(count(&scene.receipts().await, "redeemed"), 1);
}
