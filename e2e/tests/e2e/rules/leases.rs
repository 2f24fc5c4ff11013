//! Leases: a download that has begun can be resumed by the client that began it, and by no
//! other.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::samples::noise;
use share_e2e::scene::{CHOSEN, DIGITS, OTHER, count, second};
use share_e2e::{Scene, send};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::MIB;

#[tokio::test]
async fn a_lease_is_good_for_its_own_link_only_and_without_it_a_used_link_is_used() {
    let scene = Scene::start().await;
    let (link, other) = (scene.plain_link().await, scene.plain_link().await);
    let (lease, others) = (scene.begin(&link).await, scene.begin(&other).await);
    let before = scene.stored().await;
    for wrong in ["", OTHER, &others] {
        scene.download(&link, wrong, "bytes=5-").await.refused(410, "link_used");
    }
    scene.unchanged(&before).await;
    scene.download(&link, &lease, "bytes=5-").await.is_part(5..10);
}

#[tokio::test]
async fn a_malformed_lease_answers_400_and_spends_nothing() {
    let scene = Scene::start().await;
    let (live, used) = (scene.plain_link().await, scene.plain_link().await);
    let lease = scene.begin(&used).await;
    let before = scene.stored().await;
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
            let answer =
                send(scene.download_request(link).header("download-lease", malformed)).await;
            answer.refused(400, "invalid_header");
            assert!(answer.json()["detail"].to_string().contains("Download-Lease"), "{answer:?}");
        }
    }
    scene.unchanged(&before).await;
    scene.download(&live, "", "").await.is_whole();
}

#[tokio::test]
async fn a_lease_that_others_could_guess_answers_400_and_spends_nothing() {
    let scene = Scene::start().await;
    let (live, used) = (scene.plain_link().await, scene.plain_link().await);
    let lease = scene.begin(&used).await;
    let before = scene.stored().await;
    for link in [&live, &used] {
        let encoded = |bytes: [u8; 32]| URL_SAFE_NO_PAD.encode(bytes);
        let counting = std::array::from_fn(|index| u8::try_from(index).unwrap());
        for (guessed, reason) in [
            (link.token().to_owned(), "the link's token or id"),
            (link.id.clone(), "the link's token or id"),
            (encoded([0; 32]), "32 random bytes"),
            (encoded([0xff; 32]), "32 random bytes"),
            (encoded(*b"abababababababababababababababab"), "32 random bytes"),
            (encoded(counting), "32 random bytes"),
            ("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE".to_owned(), "32 random bytes"),
        ] {
            for range in ["", "bytes=5-"] {
                let answer = scene.download(link, &guessed, range).await;
                answer.refused(400, "invalid_header");
                let detail = answer.json()["detail"].to_string();
                assert!(detail.contains("Download-Lease") && detail.contains(reason), "{detail}");
                assert!(!detail.contains(&guessed), "{detail}");
            }
            let head = scene.http.head(&link.url).header("download-lease", &guessed);
            send(head).await.is(400);
            let post = scene.http.post(&link.url).header("download-lease", &guessed);
            send(post).await.refused(400, "invalid_header");
        }
    }
    scene.unchanged(&before).await;
    scene.download(&live, "", "").await.is_whole();
    scene.download(&used, &lease, "bytes=5-").await.is_part(5..10);
}

#[tokio::test]
async fn a_lease_in_letters_beyond_ascii_answers_400_too() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let before = scene.stored().await;
    let answer = scene.download(&link, &"é".repeat(43), "").await;
    answer.refused(400, "invalid_header");
    scene.unchanged(&before).await;
}

#[tokio::test]
async fn a_download_can_be_resumed_exactly_twenty_times() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let lease = scene.begin(&link).await;
    for number in 1..=20 {
        scene.download(&link, &lease, "bytes=0-0").await.is_part(0..1);
        assert_eq!(count(&scene.receipts().await, "resumed"), number);
    }
    let before = scene.stored().await;
    for _ in 0..2 {
        scene.download(&link, &lease, "bytes=5-").await.refused(410, "lease_ended");
    }
    scene.download(&link, "", "bytes=5-").await.refused(410, "link_used");
    scene.unchanged(&before).await;
}

#[tokio::test]
async fn a_download_can_be_resumed_once_more_for_each_64_mib_of_its_file() {
    for (mode, status) in [("stream", 206), ("presigned", 303)] {
        let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        for (size, resumes) in [(64 * MIB - 1, 20), (64 * MIB, 21), (64 * MIB + 1, 21)] {
            scene.resize(size).await;
            let link = scene.plain_link().await;
            let lease = scene.download(&link, "", "bytes=0-0").await.is(status).lease().to_owned();
            for number in 1..=resumes {
                let answer = scene.download(&link, &lease, "bytes=1-1").await;
                assert_eq!(answer.status.as_u16(), status, "{mode}, {size}: resume {number}");
            }
            let before = scene.stored().await;
            scene.download(&link, &lease, "bytes=1-1").await.refused(410, "lease_ended");
            scene.unchanged(&before).await;
        }
    }
}

#[tokio::test]
async fn above_the_stream_limit_each_resume_gets_a_url_of_its_own_until_there_are_no_more() {
    let limit = 2 * MIB;
    let mut scene = Scene::start_with(&[("STREAM_LIMIT_BYTES", &limit.to_string())]).await;
    let text: Vec<_> = noise(limit + 1).iter().map(|byte| byte % 26 + b'a').collect();
    scene.file = scene.upload("streamed.txt", &text[..limit]).await.is(201).id();
    let streamed = scene.download(&scene.plain_link().await, "", "").await;
    assert!(streamed.is(200).bytes == text[..limit]);

    scene.file = scene.upload("large.txt", &text).await.is(201).id();
    let link = scene.plain_link().await;
    let first = scene.download(&link, "", "").await;
    let lease = first.is(303).lease().to_owned();
    let mut urls = BTreeSet::from([first.header("location").to_owned()]);
    let mut have = Vec::new();
    for _ in 0..20 {
        let range = format!("bytes={}-{}", have.len(), have.len() + text.len() / 20);
        let again = scene.download(&link, &lease, &range).await;
        let url = again.is(303).header("location");
        assert!(urls.insert(url.to_owned()), "{url}");
        let part = send(scene.http.get(url).header("range", &range)).await;
        part.is(206);
        assert_eq!(part.header("content-type"), "text/plain");
        assert_eq!(
            part.header("content-disposition"),
            "attachment; filename=\"large.txt\"; filename*=UTF-8''large.txt"
        );
        have.extend(part.bytes);
    }
    assert!(have == text, "the parts make the file");
    let before = scene.stored().await;
    for range in ["", "bytes=5-"] {
        scene.download(&link, &lease, range).await.refused(410, "lease_ended");
    }
    scene.unchanged(&before).await;

    // The receipts say what is known: who was sent to S3, and when. S3's log has the request's id.
    let receipts = scene.receipts().await;
    let redirected = receipts.iter().filter(|it| it["outcome"] == "redirected");
    assert!(redirected.clone().all(|it| it["bytes"] == 0), "{receipts:?}");
    assert_eq!(redirected.count(), 21);
    let begun = receipts.iter().filter(|it| it["event"] == "redeemed" || it["event"] == "resumed");
    for receipt in begun {
        let id = format!("&x-request-id={}&", receipt["request_id"].as_str().unwrap());
        assert_eq!(urls.iter().filter(|url| url.contains(&id)).count(), 1, "{id}: {urls:?}");
    }
}

#[tokio::test]
async fn a_presigned_download_can_be_asked_for_again_with_its_lease() {
    let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", "presigned")]).await;
    let link = scene.plain_link().await;
    let first = scene.download(&link, "", "").await;
    assert!(first.is(303).text().contains("at the address in Location"), "{first:?}");
    let lease = first.lease();
    let before = scene.stored().await;
    scene.download(&link, "", "").await.refused(410, "link_used");
    scene.unchanged(&before).await;
    for range in ["", "bytes=5-"] {
        let again = scene.download(&link, lease, range).await;
        assert_eq!(again.is(303).lease(), lease);
        // S3 gives the part: clients send the range there, too.
        let mut request = scene.http.get(again.header("location"));
        if !range.is_empty() {
            request = request.header("range", range);
        }
        let file = send(request).await;
        assert_eq!(file.header("cache-control"), "no-store", "a browser keeps no copy");
        let wanted = if range.is_empty() { (200, DIGITS) } else { (206, &DIGITS[5..]) };
        assert_eq!((file.status.as_u16(), file.bytes.as_slice()), wanted);
    }
    // The service does not learn what S3 has sent: the lease lives its whole life.
    let redeemed = second(&scene.receipts().await[1]["at"]);
    scene.pass_until(redeemed + 599);
    scene.download(&link, lease, "").await.is(303);
    scene.pass_until(redeemed + 600);
    scene.download(&link, lease, "").await.refused(410, "lease_ended");
    assert_eq!(scene.listed(&link).await["downloads"], 1);
}

#[tokio::test]
async fn a_download_stops_when_its_link_is_revoked_or_its_client_disabled() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    let lease = scene.begin(&link).await;
    let user = AccessToken::read(&scene.client).user();
    scene.store.set_active(&user, false).await;
    let before = scene.stored().await;
    scene.download(&link, &lease, "bytes=5-").await.refused(410, "link_revoked");
    scene.unchanged(&before).await;
    scene.store.set_active(&user, true).await;
    scene.download(&link, &lease, "bytes=5-6").await.is_part(5..7);

    scene.revoke(&link).await.is(204);
    let before = scene.stored().await;
    scene.download(&link, &lease, "bytes=7-").await.refused(410, "link_revoked");
    let head = scene.http.head(&link.url).header("download-lease", &lease);
    send(head).await.is(410);
    scene.unchanged(&before).await;
}

#[tokio::test]
async fn a_resume_that_cannot_be_served_is_not_counted() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let lease = scene.begin(&link).await;
    let object = scene.object();
    let before = scene.stored().await;
    for content in [None, Some("another file")] {
        match content {
            None => fs::rename(&object, object.with_extension("away")).unwrap(),
            Some(content) => fs::write(&object, content).unwrap(),
        }
        let answer = scene.download(&link, &lease, "bytes=5-").await;
        match content {
            None => answer.refused(410, "file_gone"),
            Some(_) => answer.refused(503, "dependency_unavailable"),
        }
    }
    fs::rename(object.with_extension("away"), &object).unwrap();
    scene.unchanged(&before).await;
    scene.download(&link, &lease, "bytes=5-").await.is_part(5..10);
}

#[tokio::test]
async fn a_client_that_chooses_its_lease_gets_the_file_when_the_first_answer_is_lost() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    // Sent, and hung up without waiting for an answer.
    let path = scene.path_of(&link.url);
    let mut socket = TcpStream::connect(scene.server.address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nDownload-Lease: {CHOSEN}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    drop(socket);
    // Answered, and thrown away.
    let request = scene.download_request(&link).header("download-lease", CHOSEN);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let again = scene.download(&link, CHOSEN, "").await;
    again.is_whole();
    assert_eq!(again.lease(), CHOSEN);
    assert_eq!(scene.listed(&link).await["downloads"], 1);
    assert_eq!(count(&scene.receipts().await, "redeemed"), 1);
}
