//! What receipts record of a link, and how they are chained.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::samples::sha256;
use share_e2e::scene::DIGITS;
use share_e2e::{Link, Scene, routes, send};

/// A receipt as the answer has it, to the letter, and the hash that goes with it.
#[derive(Debug, PartialEq)]
struct Row {
    text: String,
    hash: String,
}

impl Row {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// Every receipt of the file's links, over pages of `limit`.
async fn rows(scene: &Scene, limit: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let first = format!("{}?limit={limit}", routes::receipts(&scene.file));
    let mut next = Some(scene.url(&first));
    while let Some(url) = next {
        let answer = send(scene.http.get(url).bearer_auth(&scene.ops)).await;
        let page: Vec<BTreeMap<String, Box<RawValue>>> =
            serde_json::from_slice(&answer.bytes).unwrap();
        assert!((1..=limit).contains(&page.len()), "{} on a page of {limit}", page.len());
        rows.extend(page.iter().map(|row| Row {
            text: row["receipt"].get().to_owned(),
            hash: row["hash"].get().trim_matches('"').to_owned(),
        }));
        next = answer.next().map(str::to_owned);
    }
    rows
}

#[tokio::test]
async fn receipts_record_everything_that_happened_to_a_link() {
    let scene = Scene::start().await;
    let (client, terms) = (&scene.client, json!({"max_downloads": 3, "note": "for Ann"}));
    let made = scene.world.link_with(&scene.file, client, &terms).await;
    let link = Link::of(&made);
    let long = "x".repeat(300);
    let get = async |agent: &str, lease: &str, range: &str| {
        let mut request = scene.download_request(&link).header("range", range);
        if !lease.is_empty() {
            request = request.header("download-lease", lease);
        }
        let answer = send(request.header("user-agent", agent)).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.lease().to_owned()
    };
    let first = get("curl/8.0", "", "bytes=0-4").await;
    let second = get(&long, "", "none").await;
    get("curl/8.1", &first, "bytes=2-").await;
    get("", &second, "bytes=-1").await;
    scene.revoke(&link).await.is(204);

    let user = AccessToken::read(client).user();
    let asked = |event: &str, download: u32, agent: &str, first: u64, last: u64| {
        json!({"event": event, "download": download, "address": "127.0.0.1", "agent": agent,
            "first_byte": first, "last_byte": last})
    };
    let ended = |begun: u32, download: u32, bytes: u64, outcome: &str| {
        json!({"event": "ended", "begun": begun, "download": download, "bytes": bytes,
            "outcome": outcome})
    };
    let story = [
        json!({"event": "created", "file_id": scene.file, "sha256": sha256(DIGITS), "size": 10,
            "user_id": user, "username": "client", "expires_at": made["expires_at"],
            "max_downloads": 3, "bind": false, "note": "for Ann"}),
        asked("redeemed", 1, "curl/8.0", 0, 4),
        ended(2, 1, 5, "partial"),
        asked("redeemed", 2, &long[..200], 0, 9),
        ended(4, 2, 10, "completed"),
        asked("resumed", 1, "curl/8.1", 2, 9),
        ended(6, 1, 8, "completed"),
        asked("resumed", 2, "", 9, 9),
        ended(8, 2, 1, "completed"),
        json!({"event": "revoked", "user_id": user}),
    ];
    let rows = rows(&scene, 100).await;
    assert_eq!(rows.len(), story.len());
    let mut requests = Vec::new();
    for (place, (row, told)) in rows.iter().zip(&story).enumerate() {
        for secret in [link.token(), &first, &second] {
            assert!(!row.text.contains(secret), "{row:?}");
        }
        let mut receipt = row.json();
        let fields = receipt.as_object_mut().unwrap();
        assert_eq!(fields.remove("link").unwrap(), link.id);
        assert_eq!(fields.remove("number").unwrap(), place + 1);
        assert!(fields.remove("at").unwrap().as_str().unwrap().ends_with('Z'));
        assert!(fields.remove("previous").is_some());
        requests.push(fields.remove("request_id").unwrap().as_str().unwrap().to_owned());
        assert_eq!(receipt, *told);
    }
    // How a request ended is said under its own id.
    for [begun, end] in [[1, 2], [3, 4], [5, 6], [7, 8]] {
        assert_eq!(requests[begun], requests[end]);
        assert_ne!(requests[begun], requests[begun - 1]);
    }
}

#[tokio::test]
async fn each_receipt_carries_the_hash_of_the_one_before_it_on_pages_of_any_length() {
    let scene = Scene::start().await;
    let links = [scene.plain_link().await, scene.link(&json!({"max_downloads": 2})).await];
    // The younger one is used first: the order is that of the links.
    for link in [&links[1], &links[0], &links[1]] {
        scene.download(link, "", "").await.is(200);
    }
    let all = rows(&scene, 100).await;
    let order: Vec<_> =
        all.iter().map(|row| (row.json()["link"].clone(), row.json()["number"].clone())).collect();
    let expected = [(0, 1..=3), (1, 1..=5)].map(|(link, numbers)| {
        numbers.map(|number| (json!(links[link].id), json!(number))).collect::<Vec<_>>()
    });
    assert_eq!(order, expected.concat());
    let mut previous = json!(null);
    for row in &all {
        let receipt = row.json();
        if receipt["number"] == 1 {
            previous = json!(null);
        }
        assert_eq!(receipt["previous"], previous, "{row:?}");
        assert_eq!(row.hash, sha256(row.text.as_bytes()), "{row:?}");
        previous = json!(row.hash);
    }
    for limit in 1..=9 {
        assert_eq!(rows(&scene, limit).await, all, "pages of {limit}");
    }
}

#[tokio::test]
async fn a_redirect_to_s3_is_recorded_as_one_to_every_byte_whatever_part_was_asked_for() {
    let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", "presigned")]).await;
    let link = scene.plain_link().await;
    scene.download(&link, "", "bytes=5-").await.is(303);
    let [_, redeemed, ended] = <[_; 3]>::try_from(scene.receipts().await).unwrap();
    assert_eq!((&redeemed["first_byte"], &redeemed["last_byte"]), (&json!(0), &json!(9)));
    assert_eq!((&ended["outcome"], &ended["bytes"]), (&json!("redirected"), &json!(0)));
}
