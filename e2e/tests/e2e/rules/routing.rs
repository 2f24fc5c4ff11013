//! Paths, methods and hosts: what is a route, and what is not.

use reqwest::header::{HOST, HeaderMap, HeaderName};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use share_e2e::api::local_password;
use share_e2e::forms::{form_of, media_type};
use share_e2e::matchers::case;
use share_e2e::{Answer, Scene, World, routes, send};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn every_alias_leads_to_the_same_function_with_and_without_a_slash() {
    let scene = Scene::start().await;
    let Scene { world, ops, client, file } = &scene;
    for slash in ["", "/"] {
        for (path, role) in [
            (routes::CLIENT_LOGIN, "client"),
            (routes::CLIENT_LOGIN_ALIAS, "client"),
            (routes::OPS_LOGIN, "ops"),
            (routes::OPS_LOGIN_ALIAS, "ops"),
        ] {
            let body = json!({"username": role, "password": local_password(role)});
            assert_eq!(world.post(&format!("{path}{slash}"), &body).await.status, 200, "{path}");
        }
        for path in [routes::LIST_FILES, routes::LIST_FILES_ALIAS] {
            let answer = world.get(&format!("{path}{slash}"), client).await;
            assert_eq!(answer.status, 200, "{path}");
        }
        for path in [routes::UPLOAD, routes::UPLOAD_ALIAS] {
            let request = world.request(Method::POST, &format!("{path}{slash}")).bearer_auth(ops);
            let answer = send(request.header("content-type", "text/plain").body("x")).await;
            answer.refused(415, "unsupported_media_type");
        }
        for path in [routes::VERIFY_EMAIL, routes::VERIFY_EMAIL_ALIAS] {
            for method in [Method::GET, Method::POST] {
                let request = world.request(method, &format!("{path}{slash}?token=x"));
                send(request).await.refused(404, "verification_unknown");
            }
        }
        for path in [routes::DOWNLOAD, routes::DOWNLOAD_ALIAS] {
            let answer = world.open(&world.url(&format!("{path}{slash}?token=x"))).await;
            answer.refused(404, "link_unknown");
        }
        for path in [routes::SIGNUP, routes::SIGNUP_ALIAS] {
            let answer = world.post(&format!("{path}{slash}"), &json!({})).await;
            answer.refused(422, "invalid_field");
        }
        let path = routes::generate_link(file) + slash;
        for (method, status) in [(Method::GET, 200), (Method::POST, 201)] {
            send(world.request(method, &path).bearer_auth(client)).await.is(status);
        }
        let path = routes::GENERATE_LINK_BY_BODY.to_owned() + slash;
        world.post_as(&path, client, &json!({"file_id": file})).await.is(201);
    }
}

#[tokio::test]
async fn a_wrong_method_answers_405_and_names_the_right_ones() {
    let scene = Scene::start().await;
    let (world, token) = (&scene.world, &scene.client);
    let link = scene.plain_link().await.url;
    let link = world.path_of(&link);
    let path = routes::generate_link(&scene.file);
    let (own, receipts) = (routes::link(&"A".repeat(43)), routes::receipts(&scene.file));
    // An id of no upload: what counts is that the path has the method.
    let id = &scene.file;
    let [file, upload] = [routes::file(id), routes::upload(id)];
    let [parts, complete] = [routes::upload_parts(id), routes::complete_upload(id)];
    let routes = [
        (routes::SIGNUP, "POST"),
        (routes::SIGNUP_ALIAS, "POST"),
        (routes::VERIFY_EMAIL, "GET, POST"),
        (routes::CLIENT_LOGIN, "POST"),
        (routes::OPS_LOGIN_ALIAS, "POST"),
        (routes::UPLOAD, "POST"),
        (routes::LIST_FILES, "GET"),
        (&path, "GET, POST"),
        (routes::GENERATE_LINK_BY_BODY, "POST"),
        (routes::LIST_LINKS, "GET"),
        (&own, "DELETE"),
        (&receipts, "GET"),
        (routes::UPLOADS, "POST"),
        (&upload, "DELETE, GET"),
        (&parts, "POST"),
        (&complete, "POST"),
        (routes::LIST_UPLOADED, "GET"),
        (&file, "DELETE, GET, PATCH"),
        (link, "GET, HEAD, POST"),
    ];
    let all = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
    let mut cases = Vec::new();
    for (path, allowed) in routes {
        let path = if path == link { path.to_owned() } else { format!("{path}/") };
        for method in all {
            if !allowed.split(", ").any(|allowed| allowed == method) {
                let request = world.request(method.parse().unwrap(), &path).bearer_auth(token);
                cases.push(case(format!("{method} {path}"), request, 405, "method_not_allowed"));
            }
        }
        let answer = send(world.request(Method::PUT, &path)).await;
        let mut told: Vec<_> = answer.header("allow").split(", ").collect();
        told.sort_unstable();
        assert_eq!(told.join(", "), allowed, "{path}");
    }
    world.refuses(cases).await;
    world.open(&world.url(link)).await.is(200); // no method spent the link
}

#[tokio::test]
async fn an_unknown_route_answers_404() {
    let world = World::start().await;
    let token = world.token("client").await;
    let mut cases = Vec::new();
    for path in [
        "/app",
        "/app/a/b",
        "/api",
        "/api/",
        "/api/files",
        "/api/users",
        "/api/files/list/1",
        "/api/files/list//",
        "//api/files/list",
        "/api//files/list",
        "/API/files/list",
        "/api/files%2flist",
        "/api/files/generate-download-link/a/b",
        "/api/link",
        "/api/links/a/b",
        "/api/files//receipts",
        "/api/uploads/a/b",
        "/api/uploads/a/parts/1",
        "/api/uploads//parts",
        "/api/file/a/receipts",
        "/favicon.ico",
        "/.env",
        "/local/api/files/list",
        &format!("/{}", "x".repeat(8192)),
    ] {
        for method in [Method::GET, Method::POST] {
            let name = format!("{method} {}", &path[..path.len().min(40)]);
            let request = world.request(method, path).bearer_auth(&token);
            cases.push(case(name, request, 404, "route_unknown"));
        }
    }
    let long = format!("/api/nothing?{}", "q=1&".repeat(2048));
    cases.push(case("8 KB of query", world.request(Method::GET, &long), 404, "route_unknown"));
    world.refuses(cases).await;
}

#[tokio::test]
async fn what_is_almost_another_route_is_an_id_that_no_file_can_have() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    for path in [
        "/api/files/List",
        "/api/files/list.json",
        "/api/files/list%2f",
        "/api/files/uploade",
        routes::GENERATE_LINK,
        "/api/files/generate-download-link/",
        "/api/files/receipts",
    ] {
        world.get(path, &ops).await.refused(400, "invalid_parameter");
        let answer = send(world.request(Method::POST, path).bearer_auth(&ops)).await;
        answer.refused(405, "method_not_allowed");
    }
}

/// Sends `request` as it stands and reads the answer, when there is one. `half` closes the sending
/// side after it.
async fn raw(world: &World, request: &str, half: bool) -> Option<Answer> {
    let mut socket = TcpStream::connect(world.server.address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    if half {
        socket.shutdown().await.unwrap();
    }
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let status = StatusCode::from_bytes(status.as_bytes()).unwrap();
    let url = request.split(' ').nth(1).unwrap().to_owned();
    Some(Answer { url, status, headers, bytes: answer[end + 4..].to_vec() })
}

#[tokio::test]
async fn a_path_with_dot_segments_is_not_resolved() {
    let world = World::start().await;
    let token = world.token("client").await;
    let before = world.stored().await;
    // On a bare socket, because clients tidy such paths up before they send them.
    for (path, status, code) in [
        ("/../../../etc/passwd", 404, "route_unknown"),
        ("/api/files/../../../../etc/passwd", 404, "route_unknown"),
        ("/api/files/./list", 404, "route_unknown"),
        ("/api/nothing/../files/list", 404, "route_unknown"),
        ("/%2e%2e/%2e%2e/etc/passwd", 404, "route_unknown"),
        ("/api/files/%2e%2e/files/list", 404, "route_unknown"),
        ("/api/files/generate-download-link/..", 400, "invalid_parameter"),
        ("/api/files/generate-download-link/%2e%2e", 400, "invalid_parameter"),
        ("/api/files/generate-download-link/%2e%2e%2flist", 400, "invalid_parameter"),
        ("/api/files/generate-download-link/../list", 404, "route_unknown"),
        ("/api/files/generate-download-link/%", 400, "invalid_parameter"),
        ("/api/files/generate-download-link/%zz", 400, "invalid_parameter"),
        ("/api/file/download?token=../../etc/passwd", 404, "link_unknown"),
        ("/api/file/download?token=%", 404, "link_unknown"),
        ("/api/file/download?token=%ff%fe", 404, "link_unknown"),
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        let answer = raw(&world, &request, false).await.unwrap();
        answer.refused(status, code);
    }
    world.unchanged(&before).await;
}

/// A sign-up that succeeds.
fn signup() -> Value {
    json!({"username": "mallory", "email": "mallory@example.org",
        "password": "correct horse battery"})
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing_behind() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let before = world.stored().await;
    let form = String::from_utf8(form_of("note.txt", b"a note")).unwrap();
    let signup = signup().to_string();
    let multipart = media_type();
    for (path, media_type, body) in
        [(routes::UPLOAD, multipart.as_str(), form), (routes::SIGNUP, "application/json", signup)]
    {
        // What is sent is complete in itself; only the length says that more was to come.
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ops}\r\n\
             Content-Type: {media_type}\r\nConnection: close\r\n"
        );
        let longer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len() + 1);
        let chunk =
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len());
        for request in [longer, chunk] {
            // There may be no connection left for an answer; if there is, it does not blame the size.
            if let Some(answer) = raw(&world, &request, true).await {
                assert_eq!(answer.status, 400, "{path}: {answer:?}");
            }
        }
        world.unchanged(&before).await;
    }
}

#[tokio::test]
async fn a_link_never_leads_to_the_host_that_the_caller_names() {
    let own = "https://files.example.com/v1/";
    let scene = Scene::start_with(&[("PUBLIC_BASE_URL", own)]).await;
    let (world, token) = (&scene.world, &scene.client);
    world.some_file().await;
    let with_foreign_host = |request: RequestBuilder| {
        // An evil host is refused; this one is not the public one either.
        let request = request.header(HOST, "localhost:1").header("x-forwarded-proto", "ftp");
        let forwarded = "for=1.2.3.4;host=evil.example";
        request.header("x-forwarded-host", "evil.example").header("forwarded", forwarded)
    };
    let request = world.request(Method::POST, &routes::generate_link(&scene.file));
    let link = send(with_foreign_host(request.bearer_auth(token))).await;
    assert!(link.field("download_url").starts_with(own), "{link:?}");
    let request = world.request(Method::GET, &format!("{}?limit=1", routes::LIST_FILES));
    let list = send(with_foreign_host(request.bearer_auth(token))).await;
    assert!(list.next().unwrap().starts_with(own), "{list:?}");
    let request = world.request(Method::POST, routes::SIGNUP).json(&signup());
    let signup = send(with_foreign_host(request)).await;
    assert!(signup.field("verification_url").starts_with(own), "{signup:?}");
}
