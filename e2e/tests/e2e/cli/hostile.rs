//! Hostile services, lost answers, and what else must not lead `share` astray.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::{get, post};
use serde_json::{Value, json};
use share_e2e::command::{Machine, names_in};
use share_e2e::origin::{Asked, Origin, Step, cut, part, whole};
use share_e2e::proxy::Proxy;
use share_e2e::samples::{noise, sha256, zip_of_size};
use share_e2e::scene::{CHOSEN, DIGITS, count};
use share_e2e::uploads::PART;
use share_e2e::{World, routes};
use tokio::net::TcpListener;

use crate::{MIB, SHARE};

const DOWNLOAD: &str = "GET /api/file/download";
const FORM: &str = "POST /api/files/upload HTTP";

/// A service behind a proxy to whose requests with this mark something can happen, and a machine of
/// this role.
async fn behind_proxy(marked: &'static str, role: &str) -> (World, Proxy, Machine) {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, marked).await;
    let mut machine = Machine::of(SHARE, &world, role).await;
    machine.set("SHARE_URL", &proxy.url);
    (world, proxy, machine)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_whose_every_answer_is_cut_goes_on_from_the_byte_that_it_reached() {
    const SIZE: usize = 1_000_000;
    const PASSING: usize = 100_000;
    let (world, proxy, machine) = behind_proxy(DOWNLOAD, "client").await;
    let content = zip_of_size(SIZE);
    let file = world.upload("a.zip", &content).await.is(201).id();
    let before = proxy.passed();
    proxy.cut(1000, PASSING..PASSING + 1, 0);
    machine.run(&["get", "a.zip"]).await.is(0);
    assert!(machine.read("a.zip") == content);
    // Each head is of less than 2,000 bytes, and no byte of the file comes twice.
    let answers = proxy.seen();
    assert_eq!(answers, SIZE.div_ceil(PASSING - 2000));
    assert!(proxy.passed() - before < SIZE + (answers + 10) * 2000, "{}", proxy.passed());
    let rows = world.all(&routes::receipts(&file), 100, &world.token("ops").await).await;
    let receipts: Vec<Value> = rows.into_iter().map(|row| row["receipt"].clone()).collect();
    let counts = (count(&receipts, "redeemed"), count(&receipts, "resumed"));
    assert_eq!(counts, (1, answers - 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_failed_at_first_is_not_taken_for_one_with_other_recipients() {
    let (world, proxy, machine) = behind_proxy(FORM, "ops").await;
    machine.write("c.txt", b"the same bytes");
    let upload = async |recipients: &str| {
        let upload = ["upload", "c.txt", "--json", "--to", recipients];
        machine.run(&upload).await.json()[0]["id"].as_str().unwrap().to_owned()
    };
    let first = upload("client").await;
    proxy.refuse(1);
    let second = upload("eva@example.org").await;
    proxy.lose(1);
    let third = upload("client@example.com").await;
    let ops = world.token("ops").await;
    for (id, recipients) in
        [(&first, "client"), (&second, "eva@example.org"), (&third, "client@example.com")]
    {
        assert_eq!(world.file(id, &ops).await["recipients"], json!([recipients]));
    }
    assert_eq!(world.all(routes::LIST_UPLOADED, 100, &ops).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_a_session_go_to_no_service_but_the_one_that_gave_them() {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "uthorization: Bearer|/api/sessions/").await;
    let machine = Machine::new(SHARE);
    let password = share_e2e::api::local_password("client");
    machine.log_in(&[&proxy.url], "client", &password).await.is(0);
    machine.run(&["whoami"]).await.is(0);
    let path = machine.settings().join("session-default.json");
    let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    kept["service"] = json!("https://files.example.com/");
    fs::write(&path, kept.to_string()).unwrap();
    let before = proxy.seen();
    assert!(before > 0);
    for command in [&["whoami"][..], &["ls"], &["get", "a.zip"]] {
        machine.run(command).await.fails(3, "Nobody is logged in").says("share login");
    }
    assert_eq!(proxy.seen(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_users_can_change_is_not_trusted() {
    let world = World::start().await;
    let machine = Machine::logged_in(SHARE, &world, "client").await;
    fs::create_dir_all(machine.state()).unwrap();
    for folder in [machine.settings(), machine.state()] {
        for mode in [0o777, 0o720, 0o702] {
            fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
            for command in [&["whoami"][..], &["login"], &["get", "a.zip"]] {
                let ended = machine.run(command).await;
                ended.fails(7, folder.to_str().unwrap()).says("can be changed by other users");
            }
        }
        for mode in [0o755, 0o700] {
            fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
            machine.run(&["whoami"]).await.is(0);
        }
    }
    // And no password goes over an open line, whatever stands there.
    let profiles = machine.settings().join("profiles.json");
    let mut known: Value = serde_json::from_slice(&fs::read(&profiles).unwrap()).unwrap();
    known["default"]["url"] = json!("http://files.example.com/");
    fs::write(&profiles, known.to_string()).unwrap();
    for command in ["whoami", "login", "logout"] {
        machine.run(&[command]).await.fails(2, "is not encrypted");
    }
}

/// A link of a service at which this is said of the file, and whose other answers are these.
async fn service(details: Value, then: impl Fn(&Asked) -> Step + Send + Sync + 'static) -> Origin {
    Origin::start(move |asked: &Asked| {
        if asked.header("download-lease").is_empty() {
            return vec![json_answer(&details)];
        }
        vec![then(asked)]
    })
    .await
}

fn json_answer(body: &Value) -> Step {
    whole("Content-Type: application/json\r\n", body.to_string().as_bytes())
}

fn details(size: u64, content: &[u8], presigned: bool) -> Value {
    json!({"filename": "a.zip", "size": size, "sha256": sha256(content),
        "expires_at": "2100-01-01T00:00:00.000Z", "max_downloads": 1, "downloads": 0,
        "bind": false, "lease": 0, "presigned": presigned})
}

fn link_of(service: &Origin) -> String {
    service.url(&format!("/api/file/download?token={CHOSEN}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_says_what_cannot_be_is_told_apart() {
    let machine = Machine::new(SHARE);
    for size in [0, 1 << 56, u64::MAX] {
        let service = service(details(size, b"x", false), |_| whole("", b"x")).await;
        let ended = machine.run_with_input(&["get", "-"], link_of(&service).as_bytes()).await;
        ended.fails(1, "a size that no file has");
    }
    for name in ["../a.zip", "/tmp/a.zip", ".bashrc", "a\u{202e}piz.exe", "a\u{1b}[2J", ""] {
        let mut details = details(1, b"x", false);
        details["filename"] = json!(name);
        let service = service(details, |_| whole("", b"x")).await;
        let link = link_of(&service);
        for arguments in [&["get", "-"][..], &["get", "-", "-o", "b.zip"]] {
            let ended = machine.run_with_input(arguments, link.as_bytes()).await;
            ended.fails(1, "an answer that this version does not understand: the file");
        }
    }
    for url in ["file:///etc/passwd", "ftp://files.example.com/a", "data:,a", ""] {
        let location = json!({"url": url, "expires_in": 900});
        let service = service(details(1, b"x", true), move |_| json_answer(&location)).await;
        let ended = machine.run_with_input(&["get", "-"], link_of(&service).as_bytes()).await;
        ended.fails(1, "an address that is not encrypted");
        fs::remove_file(machine.folder().join("a.zip.part")).unwrap();
    }
    let endless = Origin::start(|_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[";
        vec![Step::Send(head.into()), Step::SendForever(vec![b' '; 1 << 16])]
    });
    let endless = endless.await;
    let ended = machine.run_with_input(&["get", "-"], link_of(&endless).as_bytes()).await;
    ended.fails(1, "an answer that is too long");
    assert_eq!(machine.names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_a_link_since_the_first_run_is_not_written_through() {
    let (world, proxy, machine) = behind_proxy(DOWNLOAD, "client").await;
    world.upload("digits.txt", DIGITS).await.is(201);
    proxy.halt_at(1);
    let command = machine.start(&["get", "digits.txt"]);
    proxy.halted().await;
    command.kill();
    proxy.halt_at(0);
    let part = machine.folder().join("digits.txt.part");
    machine.write("elsewhere/mine.txt", b"mine, and longer than the file");
    for victim in ["elsewhere/mine.txt", "elsewhere/missing.txt"] {
        fs::remove_file(&part).unwrap();
        std::os::unix::fs::symlink(victim, &part).unwrap();
        machine.run(&["get", "digits.txt"]).await.fails(7, "digits.txt.part");
        assert_eq!(machine.read("elsewhere/mine.txt"), b"mine, and longer than the file");
        assert_eq!(names_in(&machine.folder().join("elsewhere")), ["mine.txt"]);
    }
    fs::remove_file(&part).unwrap();
    machine.run(&["get", "digits.txt"]).await.is(0);
    assert_eq!(machine.read("digits.txt"), DIGITS);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_files_go_than_a_process_may_have_open() {
    const FILES: usize = 200;
    let (world, _proxy, machine) = behind_proxy(FORM, "ops").await;
    for number in 0..FILES {
        machine.write(&format!("folder/{number}.txt"), number.to_string().as_bytes());
    }
    let upload = ["upload", "folder", "--recursive"];
    machine.start_after("ulimit -n 64", &upload).end().await.is(0);
    let files = world.all(routes::LIST_UPLOADED, 100, &world.token("ops").await).await;
    assert_eq!(files.len(), FILES);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_in_the_middle_of_a_refresh_does_not_end_the_session() {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "POST /api/sessions/refresh").await;
    let machine = Machine::new(SHARE);
    let password = share_e2e::api::local_password("client");
    machine.log_in(&[&proxy.url], "client", &password).await.is(0);
    let path = machine.settings().join("session-default.json");
    let kept = || serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap();
    let mut ended = kept();
    ended["access_ends"] = json!(0);
    fs::write(&path, ended.to_string()).unwrap();
    proxy.hold();
    let command = machine.start(&["whoami"]);
    proxy.held().await;
    command.interrupt();
    proxy.release();
    // The command may be done before it notices the signal.
    let status = command.end().await.status;
    assert!(matches!(status.code(), Some(130 | 0)), "{status}");
    assert_ne!(kept()["refresh"], ended["refresh"], "the next token is stored");
    // For longer than the service gives the same answer again.
    world.pass(15 * 60 + 1);
    machine.run(&["whoami"]).await.is(0).shows("client <");
}

/// With it come the bytes of a file; without it, the address of S3.
const ATTACHMENT: &str = "Content-Disposition: attachment\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_which_something_was_cut_off_is_completed() {
    const SIZE: usize = 17 * MIB;
    const LEFT: usize = 5 * MIB;
    let machine = Machine::new(SHARE);
    let content = noise(SIZE);
    let (sent, asked) = (content.clone(), AtomicUsize::new(0));
    let service = service(details(SIZE as u64, &content, false), move |request| {
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => cut(ATTACHMENT, &sent, 0, SIZE - 100),
            1 => Step::Wait,
            _ => part(ATTACHMENT, &sent, request.offset()),
        }
    })
    .await;
    let link = link_of(&service);
    let command = machine.start_with_input(&["get", "-"], link.as_bytes());
    while service.asked().len() < 3 {
        tokio::task::yield_now().await;
    }
    command.kill();
    let path = machine.folder().join("a.zip.part");
    fs::File::options().write(true).open(path).unwrap().set_len(LEFT as u64).unwrap();
    machine.run_with_input(&["get", "-"], link.as_bytes()).await.is(0);
    assert!(machine.read("a.zip") == content);
    assert_eq!(service.asked()[3].offset(), LEFT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_cannot_choose_parts_that_a_file_does_not_have() {
    let world = World::start().await;
    let account = world.get(routes::ACCOUNT, &world.token("ops").await).await.is_json(200);
    let id = "00000000-0000-7000-8000-000000000000";
    let put = "https://files.example.com/";
    for (part_size, number, url, said) in [
        (0, 1, put, "a size that no part has"),
        (PART, 0, put, "other parts than those that were asked for"),
        (PART, 9, put, "other parts than those that were asked for"),
        (PART, 1, "file:///etc/passwd", "an address that is not encrypted"),
    ] {
        let created = json!({"upload_id": id, "part_size": part_size, "parts": 1,
            "expires_at": "2100-01-01T00:00:00.000Z"});
        let part = json!({"number": number, "size": 5 * MIB, "url": url, "headers": {}});
        let signed = json!({"parts": [part], "expires_in": 900});
        let account = account.to_string();
        let service = Router::new()
            .route(routes::ACCOUNT, get(async || account))
            .route(routes::UPLOADS, post(async move || created.to_string()))
            .fallback(async move || signed.to_string());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut machine = Machine::new(SHARE);
        machine.set("SHARE_URL", &format!("http://{}", listener.local_addr().unwrap()));
        machine.set("SHARE_TOKEN", "a-token");
        tokio::spawn(async { axum::serve(listener, service).await.unwrap() });
        machine.write("a.zip", &noise(5 * MIB));
        machine.run(&["upload", "a.zip"]).await.fails(1, said);
    }
}
