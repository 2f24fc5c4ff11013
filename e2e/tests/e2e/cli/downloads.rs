//! What `share get` fetches, and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use share_e2e::command::{Machine, Typed, names_in};
use share_e2e::origin::{Asked, Origin, Step, status, whole};
use share_e2e::proxy::Proxy;
use share_e2e::samples::{sha256, zip_of_size};
use share_e2e::scene::{CHOSEN, DIGITS, count};
use share_e2e::{Scene, World};

use super::stage::Stage;
use crate::{MIB, SHARE};

/// Bytes that are fetched at once.
const CHUNK: usize = 16 * MIB;

async fn client() -> (Scene, Machine) {
    let scene = Scene::start().await;
    let machine = Machine::of(SHARE, &scene, "client").await;
    (scene, machine)
}

/// That nothing is left of any download that was begun.
fn nothing_is_left(machine: &Machine) {
    assert_eq!(names_in(&machine.state().join("downloads")), [""; 0]);
    assert!(machine.names().iter().all(|name| !name.contains(".part")), "{:?}", machine.names());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_by_its_name_or_id_with_a_link_that_is_used_once() {
    let (scene, machine) = client().await;
    let ended = machine.run(&["get", "digits.txt"]).await;
    ended.is(0).shows("digits.txt (10 B), SHA-256 ").shows(&sha256(DIGITS));
    assert_eq!(machine.read("digits.txt"), DIGITS);
    let mode = fs::metadata(machine.folder().join("digits.txt")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    machine.run(&["get", &scene.file, "-o", "other.txt"]).await.is(0).shows("other.txt");
    fs::create_dir(machine.folder().join("folder")).unwrap();
    machine.run(&["get", "digits.txt", "-o", "folder"]).await.is(0);
    assert_eq!(machine.read("folder/digits.txt"), DIGITS);
    let receipts = scene.receipts().await;
    assert_eq!((count(&receipts, "created"), count(&receipts, "redeemed")), (3, 3));
    nothing_is_left(&machine);
    machine.run(&["get", "missing.txt"]).await.fails(4, "share ls");
    let unknown = "00000000-0000-7000-8000-000000000000";
    machine.run(&["get", unknown]).await.is(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_read_from_standard_input_or_asked_for_and_not_shown() {
    let (scene, machine) = client().await;
    let (link, page) = (scene.plain_link().await, scene.plain_link().await);
    // Nobody needs to be logged in.
    let machine = {
        drop(machine);
        Machine::new(SHARE)
    };
    let ended = machine.run_with_input(&["get", "-"], link.url.as_bytes()).await;
    ended.is(0).shows("digits.txt (10 B)");
    assert_eq!(machine.read("digits.txt"), DIGITS);
    let typed = [Typed::Hidden("shown): ", &page.page)];
    let ended = machine.type_into(&["get", "-o", "typed.txt"], &typed).await;
    ended.is(0).shows("typed.txt (10 B)");
    assert!(!ended.out.contains(page.token()), "{ended}");
    assert_eq!(machine.read("typed.txt"), DIGITS);
    assert_eq!(count(&scene.receipts().await, "redeemed"), 2);
    machine.run(&["get"]).await.fails(2, "terminal");
    nothing_is_left(&machine);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_arguments_is_refused_and_not_used() {
    let (scene, machine) = client().await;
    let link = scene.plain_link().await;
    for link in [&link.url, &link.page] {
        let ended = machine.run(&["get", link]).await;
        ended.fails(2, "arguments can be seen by others");
        assert!(!ended.err.contains(share_e2e::scene::token_of(link)), "{ended}");
    }
    assert_eq!(count(&scene.receipts().await, "redeemed"), 0);
    assert_eq!(scene.listed(&link).await["state"], "live");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_does_not_work_says_why_and_leaves_nothing() {
    let scene = Scene::start().await;
    let machine = Machine::new(SHARE);
    for (link, state) in scene.links_of_every_state().await {
        let ended = machine.run_with_input(&["get", "-"], link.url.as_bytes()).await;
        if state == "live" {
            ended.is(0);
            fs::remove_file(machine.folder().join("digits.txt")).unwrap();
        } else {
            ended.fails(4, &format!("link_{state}")).says("Ask for a new link");
        }
        assert!(!ended.err.contains(link.token()), "{ended}");
        assert_eq!(machine.names(), [""; 0]);
    }
    let unknown = format!("{}/api/file/download?token={CHOSEN}", scene.base);
    machine.run_with_input(&["get", "-"], unknown.as_bytes()).await.fails(4, "link_unknown");
    for text in ["", "hello", "https://example.com/", &unknown[..unknown.len() - 1]] {
        let ended = machine.run_with_input(&["get", "-"], text.as_bytes()).await;
        ended.fails(2, "That is no download link");
    }
    let insecure = format!("http://files.example.com/download?token={CHOSEN}");
    let ended = machine.run_with_input(&["get", "-"], insecure.as_bytes()).await;
    ended.fails(2, "is not encrypted");
    assert!(!ended.err.contains(CHOSEN), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_link_needs_the_login_of_its_maker() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"bind": true})).await;
    let nobody = Machine::new(SHARE);
    let get =
        async |machine: &Machine| machine.run_with_input(&["get", "-"], link.url.as_bytes()).await;
    get(&nobody).await.fails(3, "share login");
    let elsewhere = World::start().await;
    get(&Machine::logged_in(SHARE, &elsewhere, "client").await).await.fails(3, &scene.base);
    scene.another_client("rosa").await;
    let mut other = Machine::of(SHARE, &scene, "client").await;
    let rosa = share_e2e::api::password_for("rosa");
    let answer = scene.login("client", ("username", "rosa"), &rosa).await;
    other.set("SHARE_TOKEN", &answer.field("access"));
    get(&other).await.is(3);
    assert_eq!(count(&scene.receipts().await, "redeemed"), 0);
    get(&Machine::of(SHARE, &scene, "client").await).await.is(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_files_of_one_name_the_id_is_needed() {
    let (scene, machine) = client().await;
    let other = scene.upload("digits.txt", b"other").await.is(201).id();
    let ended = machine.run(&["get", "digits.txt"]).await;
    ended.fails(2, "2 files are named").says(&scene.file).says(&other);
    assert_eq!(scene.store.snapshot().await.receipts("created"), 0, "no link is made");
    machine.run(&["get", &other]).await.is(0);
    assert_eq!(machine.read("digits.txt"), b"other");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_not_touched_and_no_link_made_or_used() {
    let (scene, machine) = client().await;
    let link = scene.plain_link().await;
    let by_link = async || machine.run_with_input(&["get", "-"], link.url.as_bytes()).await;
    machine.write("digits.txt", b"mine");
    machine.run(&["get", "digits.txt"]).await.fails(7, "is there already");
    by_link().await.fails(7, "is there already");
    assert_eq!(machine.read("digits.txt"), b"mine");
    fs::remove_file(machine.folder().join("digits.txt")).unwrap();
    machine.write("digits.txt.part", b"mine");
    machine.run(&["get", "digits.txt"]).await.fails(7, "digits.txt.part is there already");
    by_link().await.fails(7, "digits.txt.part is there already");
    assert_eq!(machine.read("digits.txt.part"), b"mine");
    // Also one that leads nowhere.
    std::os::unix::fs::symlink("/nonexistent/x", machine.folder().join("digits.txt")).unwrap();
    fs::remove_file(machine.folder().join("digits.txt.part")).unwrap();
    by_link().await.fails(7, "digits.txt is there already");
    machine.run(&["get", "digits.txt"]).await.fails(7, "digits.txt is there already");
    let nowhere = ["get", "digits.txt", "-o", "no/such/folder.txt"];
    machine.run(&nowhere).await.fails(7, "no/such is not a folder");
    machine.run(&["get", &scene.file, "-o", "digits.txt"]).await.is(7);
    // Where no file can be made.
    machine.run(&["get", "digits.txt", "-o", "/proc"]).await.is(7);
    let receipts = scene.receipts().await;
    assert_eq!((count(&receipts, "created"), count(&receipts, "redeemed")), (1, 0));
    fs::remove_file(machine.folder().join("digits.txt")).unwrap();
    by_link().await.is(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_same_command_twice_at_once_one_goes_on() {
    let scene = Scene::start().await;
    let proxy = Proxy::start(&scene.base, "POST /api/file/generate-load").await;
    let mut machine = Machine::of(SHARE, &scene, "client").await;
    machine.set("SHARE_URL", &proxy.url);
    proxy.hold();
    let first = machine.start(&["get", &scene.file]);
    proxy.held().await;
    machine.run(&["get", &scene.file]).await.fails(7, "is running already");
    proxy.release();
    first.end().await.is(0);
    assert_eq!(machine.read("digits.txt"), DIGITS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_killed_after_the_file_had_its_name_has_ended() {
    let scene = Scene::start().await;
    let proxy = Proxy::start(&scene.base, "GET /api/file/download").await;
    let mut machine = Machine::of(SHARE, &scene, "client").await;
    machine.set("SHARE_URL", &proxy.url);
    for (content, status) in [(DIGITS, 0), (b"another10!", 7)] {
        let redeemed = count(&scene.receipts().await, "redeemed");
        proxy.halt_at(1);
        let command = machine.start(&["get", &scene.file]);
        proxy.halted().await;
        command.kill();
        proxy.halt_at(0);
        // The last step but one: what is left is to forget the download.
        fs::remove_file(machine.folder().join("digits.txt.part")).unwrap();
        machine.write("digits.txt", content);
        machine.run(&["get", &scene.file]).await.is(status);
        assert_eq!(machine.read("digits.txt"), content);
        assert_eq!(count(&scene.receipts().await, "redeemed"), redeemed + 1);
        if status == 0 {
            nothing_is_left(&machine);
            fs::remove_file(machine.folder().join("digits.txt")).unwrap();
        }
    }
}

/// A service that gives one file, as its details and its bytes say.
async fn fake(details: Value, content: &'static [u8]) -> Origin {
    let details = details.to_string();
    Origin::start(move |asked: &Asked| -> Vec<Step> {
        if asked.header("download-lease").is_empty() {
            return vec![whole("Content-Type: application/json\r\n", details.as_bytes())];
        }
        vec![ranged(content)]
    })
    .await
}

/// A range that is the whole.
fn ranged(content: &[u8]) -> Step {
    let size = content.len();
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-{}/{size}\r\n\
         Content-Disposition: attachment\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n",
        size - 1
    );
    Step::Send([head.as_bytes(), content].concat())
}

fn details(filename: &str, content: &[u8]) -> Value {
    json!({"filename": filename, "size": content.len(), "sha256": sha256(content),
        "expires_at": "2100-01-01T00:00:00.000Z", "max_downloads": 1, "downloads": 0,
        "bind": false, "lease": 0, "presigned": false})
}

fn link_of(origin: &Origin) -> String {
    origin.url(&format!("/api/file/download?token={CHOSEN}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_cannot_choose_another_folder_or_steer_the_terminal() {
    let machine = Machine::new(SHARE);
    let above = machine.folder().parent().unwrap().join("stolen.txt");
    let absolute = above.to_str().unwrap();
    for name in ["../stolen.txt", absolute, "..", ".", "", "a/b.txt", ".bashrc", "a\u{1b}[2Jb.txt"]
    {
        let service = fake(details(name, b"evil"), b"evil").await;
        let ended = machine.run_with_input(&["get", "-"], link_of(&service).as_bytes()).await;
        assert!(!ended.status.success(), "{name:?}: {ended}");
        assert!(!ended.err.contains('\u{1b}'), "{name:?}: {ended}");
        assert_eq!(machine.names(), [""; 0], "{name:?}");
        assert!(!Path::new(absolute).exists() && !above.with_extension("txt.part").exists());
        assert!(service.asked().iter().all(|it| it.header("download-lease").is_empty()));
    }
    // Under a name that the user gives it is no matter.
    let service = fake(details("../stolen.txt", b"evil"), b"evil").await;
    let get = ["get", "-", "-o", "here.txt"];
    let ended = machine.run_with_input(&get, link_of(&service).as_bytes()).await;
    assert!(ended.status.success() == machine.folder().join("here.txt").exists(), "{ended}");
    assert!(!above.exists());
    let problem = json!({"type": "about:blank", "title": "x", "status": 410, "code": "a\u{1b}]0;b",
        "detail": "c\u{1b}[31m\u{202e}d", "request_id": "\u{7}"});
    let service = Origin::start(move |_| {
        let body = problem.to_string();
        vec![Step::Send(
            format!(
                "HTTP/1.1 410 Gone\r\nContent-Type: application/problem+json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )]
    })
    .await;
    let ended = machine.run_with_input(&["get", "-"], link_of(&service).as_bytes()).await;
    ended.is(4);
    assert!(!ended.err.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_those_of_the_digest_get_no_name() {
    let machine = Machine::new(SHARE);
    let service = fake(details("a.txt", b"good"), b"evil").await;
    let ended = machine.run_with_input(&["get", "-"], link_of(&service).as_bytes()).await;
    ended.fails(1, "has not arrived as it is");
    assert_eq!(machine.names(), ["a.txt.part"]);
    assert_eq!(machine.read("a.txt.part"), b"", "the bytes are not kept");
    // More than the file has, and less.
    for (name, content) in [("b.txt", &b"goodgood"[..]), ("c.txt", b"go")] {
        let service = fake(details(name, b"good"), content).await;
        let command = machine.start_with_input(&["get", "-"], link_of(&service).as_bytes());
        if content.len() > 4 {
            command.end().await.fails(1, "more than the file has");
        } else {
            // It tries again.
            while service.asked().len() < 3 {
                tokio::task::yield_now().await;
            }
            command.kill();
        }
        assert!(!machine.folder().join(name).exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_with_the_secret_of_a_link() {
    let other = Origin::of(b"x".to_vec()).await;
    let location = format!("Location: {}\r\n", other.url("/"));
    let service = Origin::start(move |_| vec![status("302 Found", &location)]).await;
    let machine = Machine::new(SHARE);
    let ended = machine.run_with_input(&["get", "-"], link_of(&service).as_bytes()).await;
    assert!(!ended.status.success());
    assert_eq!(other.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_s3_that_has_ended_is_asked_for_anew() {
    // The first address is refused, as one that has ended is; the second one is good for too short a
    // time to begin with it.
    let content: &[u8] = b"good";
    let mut details = details("a.txt", content);
    details["presigned"] = json!(true);
    let details = details.to_string();
    let given = AtomicUsize::new(0);
    let host = Arc::new(OnceLock::new());
    let own = Arc::clone(&host);
    let service = Origin::start(move |asked: &Asked| -> Vec<Step> {
        let path = asked.target().split('?').next().unwrap();
        match path {
            "/download" => vec![whole("", details.as_bytes())],
            "/api/file/download" => {
                let number = given.fetch_add(1, Ordering::SeqCst);
                let expires_in = if number == 1 { 5 } else { 900 };
                let own: &String = own.get().unwrap();
                let url = format!("http://{own}/s3/{number}");
                let location = json!({"url": url, "expires_in": expires_in}).to_string();
                vec![whole("Content-Type: application/json\r\n", location.as_bytes())]
            }
            "/s3/0" => vec![status("403 Forbidden", "")],
            _ => vec![ranged(content)],
        }
    })
    .await;
    host.set(service.host.clone()).unwrap();
    let machine = Machine::new(SHARE);
    machine.run_with_input(&["get", "-"], link_of(&service).as_bytes()).await.is(0);
    assert_eq!(machine.read("a.txt"), content);
    let asked = service.asked();
    let leases: Vec<_> = asked.iter().map(|it| it.header("download-lease")).collect();
    let with_lease: Vec<_> = leases.iter().filter(|lease| !lease.is_empty()).collect();
    assert!(with_lease.len() >= 2 && with_lease.iter().all(|lease| *lease == with_lease[0]));
    let to_s3 = asked.iter().filter(|it| it.target().starts_with("/s3/"));
    assert!(to_s3.clone().all(|it| it.header("download-lease").is_empty()), "S3 learns no lease");
    assert!(to_s3.clone().all(|it| it.header("authorization").is_empty()));
}

/// A file of three chunks at a service that gives it so, and a Client's machine.
async fn large(marked: &'static str, delivery: &str) -> (Stage, Machine, Vec<u8>, String) {
    let stage = Stage::start(marked, &[("DOWNLOAD_DELIVERY", delivery)]).await;
    let content = zip_of_size(2 * CHUNK + MIB);
    let ops = stage.world.token("ops").await;
    let upload = async {
        let file = stage.world.upload_in_parts(&ops, "large.zip", &content).await;
        while stage.world.file(&file, &ops).await["state"] != "available" {
            tokio::task::yield_now().await;
        }
        file
    };
    let file = stage.with_checks(upload).await;
    let machine = stage.machine("client").await;
    (stage, machine, content, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_comes_in_chunks_from_s3_or_in_one_stream() {
    for delivery in ["presigned", "stream"] {
        let (stage, machine, content, file) =
            Box::pin(large("GET /api/file/download", delivery)).await;
        let before = (stage.s3.seen(), stage.api.seen());
        machine.run(&["get", "large.zip"]).await.is(0);
        assert!(machine.read("large.zip") == content, "{delivery}");
        let asked = (stage.s3.seen() - before.0, stage.api.seen() - before.1);
        assert_eq!(asked, if delivery == "presigned" { (3, 1) } else { (0, 1) }, "{delivery}");
        nothing_is_left(&machine);
        let ops = stage.world.token("ops").await;
        let receipts = stage.world.all(&share_e2e::routes::receipts(&file), 100, &ops).await;
        let receipts: Vec<_> = receipts.into_iter().map(|it| it["receipt"].clone()).collect();
        assert_eq!(count(&receipts, "redeemed"), 1, "{delivery}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_the_same_command_continues() {
    let (stage, machine, content, _) = Box::pin(large("GET /api/file/download", "stream")).await;
    // The shell's limit is in blocks of 512 or 1,024 bytes: the second chunk does not fit.
    let limited = format!("trap '' XFSZ; ulimit -f 40000; exec {SHARE} get large.zip");
    let mut command = machine.command(&[]);
    let program = std::mem::replace(&mut command, std::process::Command::new("/bin/sh"));
    command.args(["-c", &limited]).current_dir(machine.folder()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("large.zip.part"), "{said}");
    assert!(!machine.folder().join("large.zip").exists());
    let before = stage.api.passed();
    machine.run(&["get", "large.zip"]).await.is(0);
    assert!(machine.read("large.zip") == content);
    let passed = stage.api.passed() - before;
    assert!(passed < 2 * CHUNK, "the first chunk was there: {passed} bytes");
}
