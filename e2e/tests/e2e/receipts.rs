//! What is told of a link afterwards: `GET /api/files/{file_id}/receipts`, `verify-receipts`, and
//! the mail to the uploader.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use share_e2e::samples::{noise, sha256};
use share_e2e::{World, client, send, store};
use tempfile::TempDir;

use crate::access::{Token, assert_refused};
use crate::links::{DIGITS, Link, Scene};

const BINARY: &str = env!("CARGO_BIN_EXE_share-e2e-server");

const MIB: usize = 1024 * 1024;

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
    let first = format!("/api/files/{}/receipts?limit={limit}", scene.file);
    let mut next = Some(scene.world.url(&first));
    while let Some(url) = next {
        let answer = send(scene.world.http.get(url).bearer_auth(&scene.ops)).await;
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
async fn receipts_tell_the_whole_story_of_a_link() {
    let scene = Scene::start().await;
    let (client, terms) = (&scene.client, json!({"max_downloads": 3, "note": "for Ann"}));
    let made = scene.world.link_with(&scene.file, client, &terms).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let link = Link { id: text("id"), url: text("download_url") };
    let long = "x".repeat(300);
    let get = async |agent: &str, lease: &str, range: &str| {
        let mut request = scene.request(&link).header("range", range);
        if !lease.is_empty() {
            request = request.header("download-lease", lease);
        }
        let answer = send(request.header("user-agent", agent)).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.header("download-lease").to_owned()
    };
    let first = get("curl/8.0", "", "bytes=0-4").await;
    let second = get(&long, "", "none").await;
    get("curl/8.1", &first, "bytes=2-").await;
    get("", &second, "bytes=-1").await;
    assert_eq!(scene.revoke(&link).await.status, 204);

    let user = Token::read(client).subject();
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
        for secret in [link.url.split_once("token=").unwrap().1, &first, &second] {
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
    let links = [scene.link(&json!({})).await, scene.link(&json!({"max_downloads": 2})).await];
    // The younger one is used first: the order is that of the links.
    for link in [&links[1], &links[0], &links[1]] {
        assert_eq!(scene.get(link, "", "").await.status, 200);
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
async fn receipts_of_a_file_without_links_are_none_and_of_no_file_unknown() {
    let scene = Scene::start().await;
    let get =
        async |id: &str| scene.world.get(&format!("/api/files/{id}/receipts"), &scene.ops).await;
    let answer = get(&scene.file).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "[]"));
    assert_refused(&get("01890a5d-ac96-774b-bcce-b302099a8057").await, 404, "file_unknown");
    assert_eq!(get(&scene.file.to_uppercase()).await.status, 200);
}

#[tokio::test]
async fn a_redirect_to_s3_is_told_as_one() {
    let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", "presigned")]).await;
    let link = scene.link(&json!({})).await;
    assert_eq!(scene.get(&link, "", "bytes=5-").await.status, 303);
    let [_, redeemed, ended] = <[_; 3]>::try_from(scene.receipts().await).unwrap();
    assert_eq!((&redeemed["first_byte"], &redeemed["last_byte"]), (&json!(5), &json!(9)));
    assert_eq!((&ended["outcome"], &ended["bytes"]), (&json!("redirected"), &json!(0)));
}

/// A scene whose file has 64 MiB, which no gateway or socket holds in its buffers, and the bytes.
async fn large(form: Form) -> (Scene, Vec<u8>) {
    let mut scene = Scene::start().await;
    let answer = scene.world.upload_form(form).await;
    scene.file = answer.id();
    let mut piece = noise(MIB);
    let mut content = Vec::with_capacity(64 * MIB);
    for number in 0..64_u64 {
        piece[..8].copy_from_slice(&number.to_le_bytes());
        content.extend_from_slice(&piece);
    }
    // What an upload takes is smaller: the bytes are put where S3 has them.
    fs::write(object(&scene), &content).unwrap();
    let dynamodb = store::dynamodb(&scene.world.server.variables).await;
    let update = dynamodb.update_item().table_name("FilesTable");
    let update = update.key("file_id", AttributeValue::S(scene.file.clone()));
    let size = AttributeValue::N(content.len().to_string());
    let update =
        update.update_expression("SET #size = :size").expression_attribute_names("#size", "size");
    update.expression_attribute_values(":size", size).send().await.unwrap();
    (scene, content)
}

fn object(scene: &Scene) -> std::path::PathBuf {
    scene.world.data.path().join("objects/files").join(&scene.file)
}

fn form(name: &str, notify: Option<&'static str>) -> Form {
    let form = Form::new().part("file", Part::bytes(DIGITS.to_vec()).file_name(name.to_owned()));
    notify.into_iter().fold(form, |form, notify| form.text("notify", notify))
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

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_is_told_as_such_and_goes_on_to_the_right_end() {
    let (scene, content) = large(form("large.txt", Some("true"))).await;
    let link = scene.link(&json!({})).await;
    let mut response = scene.request(&link).send().await.unwrap();
    let lease = response.headers()["download-lease"].to_str().unwrap().to_owned();
    let (mut bytes, _) = read(&mut response, MIB).await;
    drop(response);
    let receipts = receipts_when(&scene, 3).await;
    let sent = receipts[2]["bytes"].as_u64().unwrap();
    assert_eq!(receipts[2]["outcome"], "broken_off");
    assert!((bytes.len() as u64..content.len() as u64).contains(&sent), "{sent}");
    assert_eq!(notified(&scene, &link).await, Some(false), "nobody is told of half a file");

    let range = format!("bytes={}-", bytes.len());
    let answer = scene.get(&link, &lease, &range).await;
    assert_eq!(answer.status, 206);
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
    assert_eq!(notified(&scene, &link).await, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_in_which_s3_fails_breaks_off_visibly_and_goes_on_once_s3_is_well() {
    let (scene, content) = large(form("large.txt", None)).await;
    let link = scene.link(&json!({})).await;
    let mut response = scene.request(&link).send().await.unwrap();
    let lease = response.headers()["download-lease"].to_str().unwrap().to_owned();
    assert_eq!(response.content_length(), Some(content.len() as u64));
    let (mut bytes, _) = read(&mut response, MIB).await;
    // Under the reader's hands the object loses its end.
    let half = content.len() as u64 / 2;
    let file = OpenOptions::new().write(true).open(object(&scene)).unwrap();
    file.set_len(half).unwrap();
    let (more, broken) = read(&mut response, content.len()).await;
    assert!(broken, "the client does not take a part for the whole");
    bytes.extend(more);
    assert!(content.starts_with(&bytes) && bytes.len() as u64 <= half);
    let receipts = receipts_when(&scene, 3).await;
    assert_eq!(receipts[2]["outcome"], "broken_off", "{receipts:?}");
    let sent = receipts[2]["bytes"].as_u64().unwrap();
    assert!((bytes.len() as u64..=half).contains(&sent), "{sent}");

    let before = scene.world.stored().await;
    let range = format!("bytes={}-", bytes.len());
    assert_refused(&scene.get(&link, &lease, &range).await, 503, "dependency_unavailable");
    assert_refused(&scene.get(&link, "", &range).await, 410, "link_used");
    assert_eq!(scene.world.stored().await, before);
    fs::write(object(&scene), &content).unwrap();
    let answer = scene.get(&link, &lease, &range).await;
    assert_eq!(answer.status, 206);
    bytes.extend(answer.bytes);
    assert!(bytes == content, "the parts make the file");
    assert_eq!(scene.receipts().await[4]["outcome"], "completed");
}

/// Runs `verify-receipts` to its end: exit code, standard output and standard error.
fn verify(data: &Path, file: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(BINARY);
    command.arg("--data-dir").arg(data).args(["verify-receipts", file]).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Stops the server and gives its data folder.
async fn stop(world: World) -> TempDir {
    let World { server, http, data, .. } = world;
    drop(http);
    server.stop().await;
    data
}

type Item = HashMap<String, AttributeValue>;

/// Does to the five receipts of a link, or to its own record, what `deed` says.
async fn tamper(dynamodb: &Client, file: &str, link: &Link, deed: &str) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let query = dynamodb.query().table_name("AuditTable");
    let query = query.key_condition_expression("subject = :file AND begins_with(at_id, :links)");
    let query = query.expression_attribute_values(":file", text(&format!("file#{file}")));
    let query = query.expression_attribute_values(":links", text("link#"));
    let items = query.send().await.unwrap().items.unwrap();
    let of_link = |item: &Item| item["link"].as_s().unwrap() == &link.id;
    let mut items: Vec<Item> = items.into_iter().filter(of_link).collect();
    assert_eq!(items.len(), 5);
    let put = async |item: Item| {
        dynamodb.put_item().table_name("AuditTable").set_item(Some(item)).send().await.unwrap();
    };
    let delete = async |item: &Item| {
        let keys = ["subject", "at_id"].map(|key| (key.to_owned(), item[key].clone()));
        let delete = dynamodb.delete_item().table_name("AuditTable");
        delete.set_key(Some(keys.into())).send().await.unwrap();
    };
    let forge = |item: &mut Item, with_hash: bool| {
        let forged = item["receipt"].as_s().unwrap().replace("127.0.0.1", "127.0.0.2");
        if with_hash {
            item.insert("hash".to_owned(), text(&sha256(forged.as_bytes())));
        }
        item.insert("receipt".to_owned(), text(&forged));
    };
    match deed {
        "the text" => forge(&mut items[1], false),
        "the text and its hash" => forge(&mut items[1], true),
        "the hash" => drop(items[4].insert("hash".to_owned(), text(&sha256(b"")))),
        "two that change places" => {
            for name in ["receipt", "hash"] {
                let other = items[3][name].clone();
                let one = items[1].insert(name.to_owned(), other).unwrap();
                items[3].insert(name.to_owned(), one);
            }
        }
        "the first" => delete(&items.remove(0)).await,
        "one in the middle" => delete(&items.remove(2)).await,
        "the last" => delete(&items.remove(4)).await,
        "all" => {
            for item in std::mem::take(&mut items) {
                delete(&item).await;
            }
        }
        "the link" => {
            let delete = dynamodb.delete_item().table_name("TokensTable");
            delete.key("token_hash", text(&format!("link#{}", link.id))).send().await.unwrap();
        }
        nothing => assert_eq!(nothing, "nothing"),
    }
    for item in items {
        put(item).await;
    }
}

#[tokio::test]
async fn verify_receipts_finds_whatever_was_changed_or_left_out() {
    let mut scene = Scene::start().await;
    let dynamodb = store::dynamodb(&scene.world.server.variables).await;
    let mut cases = Vec::new();
    for (deed, complaint) in [
        ("nothing", ""),
        ("the text", "receipt 2 has been changed"),
        ("the text and its hash", "receipt 2 has been changed"),
        ("the hash", "receipt 5 has been changed"),
        ("two that change places", "receipt 2 is missing"),
        ("the first", "receipt 1 is missing"),
        ("one in the middle", "receipt 3 is missing"),
        ("the last", "receipt 5 is missing"),
        ("all", "receipt 1 is missing"),
        ("the link", "the link's own record is missing"),
    ] {
        scene.file = scene.world.some_file().await;
        let (link, other) = (scene.link(&json!({})).await, scene.link(&json!({})).await);
        let lease = scene.get(&link, "", "bytes=0-1").await.header("download-lease").to_owned();
        assert_eq!(scene.get(&link, &lease, "bytes=2-").await.status, 206);
        tamper(&dynamodb, &scene.file, &link, deed).await;
        cases.push((deed, complaint, scene.file.clone(), link.id, other.id));
    }
    let unused = scene.world.some_file().await;
    let (code, _, message) = verify(scene.world.data.path(), &cases[0].2);
    assert_eq!(code, Some(1), "while the server runs");
    assert!(message.contains("another server is using the data folder"), "{message}");

    let data = stop(scene.world).await;
    for (deed, complaint, file, link, other) in cases {
        let (code, told, message) = verify(data.path(), &file);
        let mut lines: Vec<_> = told.lines().collect();
        lines.sort_unstable();
        let whole = |link: &str, receipts: u32| {
            format!("link {link}: receipts {receipts}, all as they were written")
        };
        let first = match deed {
            "nothing" => whole(&link, 5),
            _ => format!("link {link}: {complaint}"),
        };
        let mut expected = [first, whole(&other, 1)];
        expected.sort_unstable();
        assert_eq!(lines, expected, "{deed}");
        let (exit, says) = match deed {
            "nothing" => (0, ""),
            _ => (1, "share-local: the receipts of 1 of 2 links do not hold\n"),
        };
        assert_eq!((code, message.as_str()), (Some(exit), says), "{deed}");
    }
    let (code, _, message) = verify(data.path(), &unused);
    assert_eq!(code, Some(1));
    assert!(message.contains(&format!("there are no links to the file {unused}")), "{message}");
}

/// Whether the link's record says that the uploader has been told; `None` when it says nothing.
async fn notified(scene: &Scene, link: &Link) -> Option<bool> {
    let dynamodb = store::dynamodb(&scene.world.server.variables).await;
    let key = AttributeValue::S(format!("link#{}", link.id));
    let get = dynamodb.get_item().table_name("TokensTable").key("token_hash", key);
    let item = get.send().await.unwrap().item.unwrap();
    item.get("notified").and_then(|it| it.as_bool().ok()).copied()
}

#[tokio::test]
async fn an_uploader_is_told_when_every_byte_is_handed_over_and_only_when_it_wants_to_be() {
    for mode in ["stream", "buffered", "presigned"] {
        let mut scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        for (wish, told) in [(None, false), (Some("false"), false), (Some("true"), true)] {
            let answer = scene.world.upload_form(form("digits.txt", wish)).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            scene.file = answer.id();
            let list = scene.world.get("/api/files/list", &scene.client).await;
            assert!(!list.text().contains("notify"), "Clients are not told of it: {list:?}");
            let link = scene.link(&json!({})).await;
            let first = scene.get(&link, "", "bytes=0-4").await;
            let redirected = mode == "presigned";
            assert_eq!(notified(&scene, &link).await, Some(told && redirected), "{mode}, {wish:?}");
            scene.get(&link, first.header("download-lease"), "bytes=5-").await;
            assert_eq!(notified(&scene, &link).await, Some(told), "{mode}, {wish:?}");
        }
    }
}

#[tokio::test]
async fn at_most_one_mail_goes_out_for_each_link() {
    let data = TempDir::new().unwrap();
    let mut server = Command::new(BINARY)
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let url = first.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    let console = std::thread::spawn(move || lines.collect::<Vec<_>>());

    let http = client();
    let login = async |role: &str| {
        let body = json!({"username": role, "password": format!("local-{role}-password")});
        let answer = send(http.post(format!("{url}/api/{role}/login")).json(&body)).await;
        answer.json()["access"].as_str().unwrap().to_owned()
    };
    let (ops, client) = (login("ops").await, login("client").await);
    let mut told = Vec::new();
    for (name, wish, ranges) in [
        ("five-at-once.txt", Some("true"), vec![""; 5]),
        ("in-two-parts.txt", Some("true"), vec!["bytes=0-4", "bytes=5-", "bytes=5-", "bytes=0-9"]),
        ("half.txt", Some("true"), vec!["bytes=0-4"]),
        ("unwanted.txt", Some("false"), vec![""]),
        ("unasked.txt", None, vec![""]),
    ] {
        let request = http.post(format!("{url}/api/files/upload")).bearer_auth(&ops);
        let file = send(request.multipart(form(name, wish))).await.json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let request =
            http.request(Method::POST, format!("{url}/api/files/generate-download-link/{file}"));
        let request = request.bearer_auth(&client).json(&json!({"max_downloads": 5}));
        let link = send(request).await.json()["download_url"].as_str().unwrap().to_owned();
        let get = |lease: &str, range: &str| {
            let request = http.get(&link).header("range", range);
            send(if lease.is_empty() { request } else { request.header("download-lease", lease) })
        };
        if ranges[0].is_empty() {
            for answer in join_all(ranges.iter().map(|range| get("", range))).await {
                assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, DIGITS));
            }
        } else {
            let lease = "A".repeat(43);
            for range in &ranges {
                assert_eq!(get(&lease, range).await.status, 206);
            }
        }
        told.push((name, file));
    }
    let interrupt = Command::new("kill").args(["-INT", &server.id().to_string()]).status();
    assert!(interrupt.unwrap().success() && server.wait().unwrap().success());
    let console = console.join().unwrap();
    let mails = console.split(|line| line.starts_with("┌─ mail")).skip(1);
    let mut mails: Vec<_> = mails.map(|mail| mail.join("\n")).collect();
    mails.sort_unstable();
    assert_eq!(mails.len(), 2, "{console:#?}");
    for (mail, (name, file)) in mails.iter().zip(&told) {
        assert!(
            mail.contains("To:      ops@example.com\n│ Subject: Your file was downloaded"),
            "{mail}"
        );
        for fact in [&format!("│ {name}\n"), "link that client had asked for", file.as_str()] {
            assert!(mail.contains(fact), "{fact}: {mail}");
        }
        assert!(!mail.contains("token="), "{mail}");
    }
}
