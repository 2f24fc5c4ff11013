//! Downloads that break off in the middle.

use std::fs::{self, OpenOptions};

use reqwest::Response;
use reqwest::multipart::Form;
use serde_json::{Value, json};
use share_e2e::Scene;
use share_e2e::api::form_with;
use share_e2e::samples::noise;
use share_e2e::scene::{CHOSEN, DIGITS};

use crate::MIB;

/// A scene whose file has 64 MiB, which no gateway or socket holds in its buffers, and the bytes.
async fn large(form: Form) -> (Scene, Vec<u8>) {
    let mut scene = Scene::start().await;
    scene.file = scene.upload_as(&scene.ops, form).await.is(201).id();
    let mut piece = noise(MIB);
    let mut content = Vec::with_capacity(64 * MIB);
    for number in 0..64_u64 {
        piece[..8].copy_from_slice(&number.to_le_bytes());
        content.extend_from_slice(&piece);
    }
    // What an upload takes is smaller: the bytes are put where S3 has them.
    fs::write(scene.object(), &content).unwrap();
    scene.store.set_file_size(&scene.file, content.len()).await;
    (scene, content)
}

/// Reads until there are at least `enough` bytes or the answer breaks off.
async fn read(response: &mut Response, enough: usize) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    while bytes.len() < enough {
        match response.chunk().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => break,
            Err(_) => return (bytes, true),
        }
    }
    (bytes, false)
}

/// The receipts when there are `length` of them. The last one may be written in the background.
async fn receipts_when(scene: &Scene, length: usize) -> Vec<Value> {
    for _ in 0..10_000 {
        let receipts = scene.receipts().await;
        if receipts.len() >= length {
            return receipts;
        }
        tokio::task::yield_now().await;
    }
    scene.receipts().await
}

#[tokio::test]
async fn a_small_file_of_which_s3_has_other_bytes_is_not_begun_and_its_link_is_not_spent() {
    for mode in ["stream", "buffered"] {
        let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let (live, begun) = (scene.plain_link().await, scene.plain_link().await);
        let lease = scene.begin(&begun).await;
        let before = scene.stored().await;
        fs::write(scene.object(), b"0123456780").unwrap();
        for (link, lease) in [(&live, ""), (&live, CHOSEN), (&begun, &lease)] {
            for range in ["", "bytes=0-4", "bytes=5-"] {
                let answer = scene.download(link, lease, range).await;
                answer.refused(503, "dependency_unavailable");
            }
        }
        scene.unchanged(&before).await;
        fs::write(scene.object(), DIGITS).unwrap();
        scene.download(&live, CHOSEN, "bytes=0-4").await.is_part(0..5);
        scene.download(&begun, &lease, "bytes=5-").await.is_part(5..10);
    }
}

#[tokio::test]
async fn a_file_of_8_mib_is_checked_whole_before_it_is_sent_and_a_larger_one_is_streamed() {
    let scene = Scene::start().await;
    for (size, status) in [(8 * MIB - 1, 503), (8 * MIB, 503), (8 * MIB + 1, 200)] {
        let link = scene.plain_link().await;
        // Not the bytes of the record's digest.
        fs::write(scene.object(), noise(size)).unwrap();
        scene.store.set_file_size(&scene.file, size).await;
        let answer = scene.download_request(&link).send().await.unwrap();
        assert_eq!(answer.status(), status, "{size} bytes");
        drop(answer);
        let state = scene.listed(&link).await["state"].clone();
        assert_eq!(state, if status == 200 { "used" } else { "live" });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_is_recorded_as_such_and_resumes_to_the_end() {
    let (scene, content) = large(form_with("large.txt", DIGITS).text("notify", "true")).await;
    let link = scene.plain_link().await;
    let mut response = scene.download_request(&link).send().await.unwrap();
    let lease = response.headers()["download-lease"].to_str().unwrap().to_owned();
    let (mut bytes, _) = read(&mut response, MIB).await;
    drop(response);
    let receipts = receipts_when(&scene, 3).await;
    let sent = receipts[2]["bytes"].as_u64().unwrap();
    assert_eq!(receipts[2]["outcome"], "broken_off");
    assert!((bytes.len() as u64..content.len() as u64).contains(&sent), "{sent}");
    assert_eq!(
        scene.store.link(&link.id).await.notified(),
        Some(false),
        "nobody is notified of half a file"
    );

    let range = format!("bytes={}-", bytes.len());
    let answer = scene.download(&link, &lease, &range).await;
    answer.is(206);
    let rest = content.len() - bytes.len();
    assert_eq!(answer.header("content-length"), rest.to_string());
    bytes.extend(answer.bytes);
    assert!(bytes == content, "the parts make the file");
    let receipts = receipts_when(&scene, 5).await;
    assert_eq!(receipts[3]["first_byte"], content.len() - rest);
    assert_eq!(
        (&receipts[4]["outcome"], &receipts[4]["bytes"]),
        (&json!("completed"), &json!(rest))
    );
    assert_eq!(scene.store.link(&link.id).await.notified(), Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_during_which_s3_fails_breaks_off_visibly_and_resumes_once_s3_answers_again() {
    let (scene, content) = large(form_with("large.txt", DIGITS)).await;
    let link = scene.plain_link().await;
    let mut response = scene.download_request(&link).send().await.unwrap();
    let lease = response.headers()["download-lease"].to_str().unwrap().to_owned();
    assert_eq!(response.content_length(), Some(content.len() as u64));
    let (mut bytes, _) = read(&mut response, MIB).await;
    // The object loses its end while it is read.
    let half = content.len() as u64 / 2;
    let file = OpenOptions::new().write(true).open(scene.object()).unwrap();
    file.set_len(half).unwrap();
    let (more, broken) = read(&mut response, content.len()).await;
    assert!(broken, "the client does not take a part for the whole");
    bytes.extend(more);
    assert!(content.starts_with(&bytes) && bytes.len() as u64 <= half);
    let receipts = receipts_when(&scene, 3).await;
    assert_eq!(receipts[2]["outcome"], "broken_off", "{receipts:?}");
    let sent = receipts[2]["bytes"].as_u64().unwrap();
    assert!((bytes.len() as u64..=half).contains(&sent), "{sent}");

    let before = scene.stored().await;
    let range = format!("bytes={}-", bytes.len());
    scene.download(&link, &lease, &range).await.refused(503, "dependency_unavailable");
    scene.download(&link, "", &range).await.refused(410, "link_used");
    scene.unchanged(&before).await;
    fs::write(scene.object(), &content).unwrap();
    let answer = scene.download(&link, &lease, &range).await;
    answer.is(206);
    bytes.extend(answer.bytes);
    assert!(bytes == content, "the parts make the file");
    assert_eq!(scene.receipts().await[4]["outcome"], "completed");
}
