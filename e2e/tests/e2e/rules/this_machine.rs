//! What only this machine gets: its own hosts' requests answered, the links of mails, the data.

use std::fs::{self, Permissions};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use http_body_util::BodyExt;
use reqwest::header::HOST;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use share_e2e::scene::DIGITS;
use share_e2e::{Scene, World, routes};
use tempfile::TempDir;

use crate::SERVER;

/// As a website sends them whose name its owner has given the address 127.0.0.1.
const FOREIGN: [&str; 4] =
    ["evil.example", "evil.example:3000", "localhost.evil.example", "192.0.2.1"];

#[tokio::test]
async fn a_website_that_gives_its_name_our_address_gets_nothing() {
    let scene = Scene::start_with(&[("PUBLIC_BASE_URL", "https://files.example.com/v1")]).await;
    let link = scene.plain_link().await;
    let path = link.url.strip_prefix("https://files.example.com/v1").unwrap();
    let port = scene.server.address.port();
    let before = scene.stored().await;
    for host in FOREIGN {
        for (method, path) in [
            (Method::GET, routes::LIST_FILES),
            (Method::POST, routes::SIGNUP),
            (Method::GET, path),
            (Method::GET, "/nowhere"),
            (Method::OPTIONS, "/"),
        ] {
            let request = scene.request(method, path).bearer_auth(&scene.client);
            let answer = request.header(HOST, host).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{host} {path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            assert_eq!(problem["code"], "host_unknown");
        }
    }
    scene.unchanged(&before).await;
    for host in ["localhost", "127.0.0.1:1", "[::1]:3000", "files.example.com", "FILES.example.com"]
    {
        let request = scene.request(Method::GET, routes::LIST_FILES).bearer_auth(&scene.client);
        let answer = request.header(HOST, host).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{host} at port {port}");
    }
}

#[tokio::test]
async fn the_port_of_s3_answers_presigned_urls_and_no_other_host() {
    let scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", "presigned")]).await;
    let link = scene.plain_link().await;
    let answer = scene.download(&link, "", "").await;
    answer.is(303);
    let url = answer.header("location");
    for host in FOREIGN {
        let foreign = scene.http.get(url).header(HOST, host).send().await.unwrap();
        assert_eq!(foreign.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(foreign.bytes().await.unwrap().is_empty());
    }
    assert_eq!(scene.open(url).await.bytes, DIGITS);
}

/// The bits of mode of every file and folder, by path.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            folders.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let expected = if about.is_dir() { 0o700 } else { 0o600 };
        let mode = about.permissions().mode() & 0o777;
        found.push((path.display().to_string(), mode));
        assert_eq!(mode, expected, "{} has {mode:o}", path.display());
    }
    found
}

#[tokio::test]
async fn nobody_else_may_read_the_data_folder_or_anything_in_it() {
    let scene = Scene::start().await;
    scene.sign_up("rosa").await;
    scene.download(&scene.plain_link().await, "", "").await.is_whole();
    let found = modes(scene.data.path());
    for name in ["dynamodb.sqlite", "dynamodb.sqlite-wal", "dynamodb.sqlite-shm", &scene.file] {
        assert!(found.iter().any(|(path, _)| path.ends_with(name)), "{name}: {found:?}");
    }
}

#[test]
fn a_data_folder_that_others_may_read_is_closed_to_them_at_the_next_start() {
    let data = TempDir::new().unwrap();
    drop(SERVER.start(data.path()));
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for (path, mode) in modes(data.path()) {
        open(path.as_ref(), if mode == 0o700 { 0o755 } else { 0o644 });
    }
    let _server = SERVER.start(data.path());
    modes(data.path());
}

#[test]
fn a_folder_that_holds_something_else_keeps_its_mode() {
    let data = TempDir::new().unwrap();
    let other = data.path().join("other");
    fs::write(&other, "").unwrap();
    let loose = [(data.path(), 0o755), (other.as_path(), 0o644)];
    for (path, mode) in loose {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let _server = SERVER.start(data.path());
    for (path, mode) in loose {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    let secret = fs::metadata(data.path().join("jwt-secret")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
}

/// Signs `name` up, by an event from `source`; gives the answer.
async fn sign_up_from(world: &World, name: &str, source: &str, headers: Value) -> Value {
    let body = json!({"username": name, "email": format!("{name}@example.org"),
        "password": "correct horse battery"});
    let event = json!({
        "resource": routes::SIGNUP, "path": routes::SIGNUP, "httpMethod": "POST",
        "headers": headers, "multiValueHeaders": {},
        "requestContext": {
            "resourcePath": routes::SIGNUP, "httpMethod": "POST", "requestId": "id",
            "identity": {"sourceIp": source},
        },
        "body": body.to_string(), "isBase64Encoded": false,
    });
    let answer = world.server.invoke("Signup", &event.to_string()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn the_link_of_a_mail_is_in_the_answer_only_for_a_request_from_this_machine() {
    let world = World::start().await;
    let plain = json!({"content-type": "application/json"});
    for (name, source) in [("one", "127.0.0.1"), ("two", "::1"), ("three", "::ffff:127.0.0.1")] {
        let answer = sign_up_from(&world, name, source, plain.clone()).await;
        assert!(answer["verification_url"].is_string(), "{source}: {answer}");
    }
    for (name, source) in [("four", "192.0.2.7"), ("five", "2001:db8::1"), ("six", "")] {
        let answer = sign_up_from(&world, name, source, plain.clone()).await;
        assert!(answer["verification_url"].is_null(), "{source}: {answer}");
    }
    for (name, header, value) in [
        ("seven", "x-forwarded-for", "192.0.2.7"),
        ("nine", "x-real-ip", "192.0.2.7"),
        ("ten", "via", "1.1 proxy"),
    ] {
        let mut proxied = plain.clone();
        proxied[header] = value.into();
        let answer = sign_up_from(&world, name, "127.0.0.1", proxied).await;
        assert!(answer["verification_url"].is_null(), "{header}: {answer}");
    }
}

/// An address of this machine that is not loopback. Nothing is sent to find it.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("198.51.100.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip())
}

#[tokio::test]
async fn a_mail_that_another_machine_has_caused_is_not_shown_on_the_console() {
    // Where there is no network, the test above and those of the console must do.
    let Some(outer) = outer_address() else { return };
    let data = TempDir::new().unwrap();
    let server = SERVER.start_at("0.0.0.0:0".parse().unwrap(), data.path());
    let port = server.address().parse::<SocketAddr>().unwrap().port();
    let http = share_e2e::api::client();
    for (name, host) in [("outer", outer.to_string()), ("inner", "127.0.0.1".to_owned())] {
        let body = json!({"username": name, "email": format!("{name}@example.org"),
            "password": "correct horse battery"});
        let request = http.post(format!("http://{host}:{port}{}", routes::SIGNUP)).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["verification_url"].is_string(), name == "inner", "{answer}");
    }
    drop(http);
    let (_, lines) = server.interrupt();
    let console = lines.join("\n");
    assert!(console.contains("inner@example.org") && !console.contains("outer@"), "{console}");
    assert_eq!(console.matches("token=").count(), 1, "{console}");
    assert_eq!(console.matches("A mail was withheld (").count(), 1, "{console}");
}
