//! `POST /api/imports`, and the job that does what it asks for.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use share_e2e::matchers::case;
use share_e2e::origin::{Asked, Origin, Step, cut, part, status, whole};
use share_e2e::samples::{pdf, sha256, zip_of_size};
use share_e2e::{Answer, World, routes, send};
use tokio::sync::Semaphore;

use crate::MIB;

/// The size of the parts in which imports of the tests are stored.
const PART: usize = 8 * MIB;

const TAG: &str = "ETag: \"one\"\r\n";

/// A world whose Ops imports from one host.
struct Importing {
    world: World,
    origin: Origin,
    ops: String,
}

impl Importing {
    async fn from(origin: Origin) -> Self {
        Self::with(&[], origin).await
    }

    async fn with(variables: &[(&str, &str)], origin: Origin) -> Self {
        let hosts = [("IMPORT_ALLOWED_HOSTS", origin.host.as_str())];
        let world = World::start_with(&[&hosts, variables].concat()).await;
        let ops = world.token("ops").await;
        Self { world, origin, ops }
    }

    /// Asks for the import of `target` with these fields, and gives the file's id.
    async fn ask(&self, target: &str, fields: &Value) -> String {
        let mut body = fields.clone();
        body["url"] = json!(self.origin.url(target));
        let file = self.world.post_as(routes::IMPORTS, &self.ops, &body).await.is_json(202);
        assert_eq!((&file["state"], &file["size"]), (&json!("uploading"), &Value::Null));
        file["id"].as_str().unwrap().to_owned()
    }

    /// Asks for an import, and gives what becomes of it.
    async fn import(&self, target: &str, fields: &Value) -> Value {
        let id = self.ask(target, fields).await;
        self.world.server.jobs_idle().await;
        self.file(&id).await
    }

    async fn file(&self, id: &str) -> Value {
        // The clock may have passed the end of the first token.
        let ops = self.world.token("ops").await;
        self.world.get(&routes::file(id), &ops).await.is_json(200)
    }

    /// Has the job run `seconds` later, and gives what becomes of the file.
    async fn later(&self, id: &str, seconds: i64) -> Value {
        self.world.pass(seconds);
        self.world.server.invoke_job("ContinueImports", Map::new()).await.unwrap();
        self.world.server.jobs_idle().await;
        self.file(id).await
    }

    /// Waits until S3 has this many parts of the import.
    async fn parts(&self, id: &str, count: usize) {
        loop {
            let answer = self.world.get(&routes::upload(id), &self.ops).await.is_json(200);
            if answer["received"].as_array().map(Vec::len) == Some(count) {
                return;
            }
        }
    }

    async fn abort(&self, id: &str) -> Answer {
        let request = self.world.request("DELETE".parse().unwrap(), &routes::upload(id));
        send(request.bearer_auth(&self.ops)).await
    }

    /// That a Client can download the file, and that it is this.
    async fn has(&self, id: &str, content: &[u8]) {
        let client = self.world.token("client").await;
        let link = self.world.link(id, &client).await;
        self.world.open(&link).await.is_file(content);
    }

    /// That S3 has neither the file's bytes nor any part of an upload.
    #[track_caller]
    fn holds_nothing(&self, id: &str) {
        let objects = self.world.data.path().join("objects");
        let left = files_below(&objects)
            .into_iter()
            .filter(|path| path.ends_with(id) || path.contains("part") || path.contains("upload"));
        let left: Vec<_> = left.collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn files_below(folder: &std::path::Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path.display().to_string());
        }
    }
    files
}

#[track_caller]
fn is_rejected(file: &Value, code: &str, detail: &str) {
    let reason = (&file["state"], &file["reason"]["code"], &file["reason"]["detail"]);
    assert_eq!(reason, (&json!("rejected"), &json!(code), &json!(detail)), "{file}");
}

#[tokio::test]
async fn an_imported_file_becomes_available_with_its_digest_and_goes_to_clients() {
    let content = pdf();
    let scene = Importing::from(Origin::of(content.clone()).await).await;
    let fields = json!({"note": "from the web", "sha256": sha256(&content)});
    let file = scene.import("/files/report.pdf?version=3", &fields).await;
    assert_eq!(file["state"], "available", "{file}");
    assert_eq!((&file["filename"], &file["note"]), (&json!("report.pdf"), &json!("from the web")));
    assert_eq!((&file["size"], &file["sha256"]), (&json!(content.len()), &json!(sha256(&content))));
    assert_eq!(file["content_type"], "application/pdf");
    scene.has(file["id"].as_str().unwrap(), &content).await;
    assert_eq!(scene.origin.asked().len(), 1);
}

#[tokio::test]
async fn a_file_of_several_parts_is_imported_whole_also_without_a_length() {
    let content = zip_of_size(2 * PART + 5);
    let body = content.clone();
    let origin = Origin::start(move |_| {
        let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(1_000_003) {
            answer.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            answer.extend([chunk, b"\r\n"].concat());
        }
        answer.extend(b"0\r\n\r\n");
        vec![Step::Send(answer)]
    });
    let scene = Importing::from(origin.await).await;
    let file = scene.import("/archive.zip", &json!({})).await;
    assert_eq!((&file["state"], &file["size"]), (&json!("available"), &json!(content.len())));
    assert_eq!(file["sha256"], sha256(&content));
}

#[tokio::test]
async fn the_name_is_the_one_given_else_the_hosts_else_that_of_the_address() {
    let named = |asked: &Asked| {
        let disposition = match asked.target() {
            "/plain" => "Content-Disposition: attachment; filename=\"plan 3.pdf\"\r\n",
            "/exact" => "Content-Disposition: attachment; filename*=UTF-8''%C3%9Cbersicht.pdf\r\n",
            "/path" => "Content-Disposition: attachment; filename=\"../../etc/plan.pdf\"\r\n",
            "/marks" => "Content-Disposition: attachment; filename*=UTF-8''a%E2%80%AEb.pdf\r\n",
            "/script" => "Content-Disposition: attachment; filename=\"run.sh\"\r\n",
            _ => "",
        };
        vec![whole(disposition, &pdf())]
    };
    let scene = Importing::from(Origin::start(named).await).await;
    for (target, given, expected) in [
        ("/plain", None, "plan 3.pdf"),
        ("/exact", None, "Übersicht.pdf"),
        ("/path", None, "plan.pdf"),
        ("/marks", None, "ab.pdf"),
        ("/from%20the%20address.pdf", None, "from the address.pdf"),
        ("/plain", Some("mine.pdf"), "mine.pdf"),
        ("/script", Some("mine.pdf"), "mine.pdf"),
    ] {
        let fields = given.map_or(json!({}), |name| json!({"filename": name}));
        let file = scene.import(target, &fields).await;
        let found = (&file["state"], &file["filename"]);
        assert_eq!(found, (&json!("available"), &json!(expected)), "{target}: {file}");
    }
    for target in ["/script", "/", "/report"] {
        let file = scene.import(target, &json!({})).await;
        is_rejected(&file, "not_allowed", "files of its type are not taken");
        scene.holds_nothing(file["id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_at_once_and_leaves_nothing() {
    let scene = Importing::from(Origin::of(pdf()).await).await;
    let Importing { world, ops, origin } = &scene;
    let post = |body: Value| {
        world.request("POST".parse().unwrap(), routes::IMPORTS).bearer_auth(ops).json(&body)
    };
    let listening = origin.host.rsplit(':').next().unwrap();
    let addresses = [
        String::new(),
        "report.pdf".to_owned(),
        "//docs.google.com/report.pdf".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1/report.pdf".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
        "data:application/pdf,x".to_owned(),
        "javascript:alert(1)".to_owned(),
        "https://example.com/report.pdf".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/latest/meta-data/".to_owned(),
        "http://metadata.google.internal/".to_owned(),
        "http://localhost/report.pdf".to_owned(),
        format!("http://localhost:{listening}/report.pdf"),
        format!("http://[::1]:{listening}/report.pdf"),
        format!("http://[::ffff:127.0.0.1]:{listening}/report.pdf"),
        format!("http://127.0.0.2:{listening}/report.pdf"),
        format!("http://0.0.0.0:{listening}/report.pdf"),
        "http://127.0.0.1/report.pdf".to_owned(),
        "http://127.0.0.1:22/".to_owned(),
        format!("http://user@{}/report.pdf", origin.host),
        format!("http://user:password@{}/report.pdf", origin.host),
        format!("http://{}@169.254.169.254/", origin.host),
        format!("http://{}/{}", origin.host, "a".repeat(2048)),
    ];
    let mut cases: Vec<_> = addresses
        .into_iter()
        .map(|url| case(&url, post(json!({"url": url})), 422, "invalid_field").naming("url"))
        .collect();
    let url = origin.url("/report.pdf");
    let refused = |fields: Value, field: &str| {
        let mut body = fields;
        body["url"] = json!(url);
        case(format!("a wrong {field}"), post(body), 422, "invalid_field").naming(field)
    };
    cases.extend([
        case("no url", post(json!({})), 422, "invalid_field").naming("url"),
        case("a number", post(json!({"url": 1})), 422, "invalid_field").naming("url"),
        refused(json!({"filename": "../report.pdf"}), "filename"),
        refused(json!({"sha256": "abc"}), "sha256"),
        refused(json!({"recipients": ["nobody-of-this-name"]}), "recipients"),
        refused(json!({"file_url": "https://docs.google.com/"}), "file_url"),
        case(
            "a script",
            post(json!({"url": url, "filename": "run.sh"})),
            415,
            "file_type_not_allowed",
        ),
    ]);
    world.refuses(cases).await;
    assert_eq!(origin.asked().len(), 0);
}

#[tokio::test]
async fn redirects_are_followed_to_allowed_hosts_five_times() {
    let origin = Origin::start(|asked| match asked.target() {
        "/out" => vec![status("302 Found", "Location: http://169.254.169.254/report.pdf\r\n")],
        "/file" => vec![status("302 Found", "Location: file:///etc/passwd\r\n")],
        "/0.pdf" => vec![whole("", &pdf())],
        target => {
            let left: usize = target[1..2].parse().unwrap();
            let location = format!("Location: /{}.pdf\r\n", left - 1);
            vec![status("307 Temporary Redirect", &location)]
        }
    });
    let scene = Importing::from(origin.await).await;
    let file = scene.import("/5.pdf", &json!({})).await;
    assert_eq!((&file["state"], &file["filename"]), (&json!("available"), &json!("0.pdf")));
    for (target, detail) in [
        ("/6.pdf", "the host redirects too often"),
        ("/out", "the host is not allowed"),
        ("/file", "the address must begin with https://"),
    ] {
        is_rejected(&scene.import(target, &json!({})).await, "import_failed", detail);
    }
}

#[tokio::test]
async fn after_a_break_only_the_rest_is_asked_for_when_the_host_can_continue() {
    let content = zip_of_size(2 * PART + 1000);
    let body = content.clone();
    let origin = Origin::start(move |asked| match asked.offset() {
        0 => vec![cut(TAG, &body, 0, PART + 1000)],
        offset => vec![part(TAG, &body, offset)],
    });
    let scene = Importing::from(origin.await).await;
    let id = scene.ask("/archive.zip", &json!({})).await;
    scene.world.server.jobs_idle().await;
    assert_eq!(scene.file(&id).await["state"], "uploading");
    assert_eq!(scene.file(&id).await["size"], content.len(), "the host has said it");
    let file = scene.later(&id, 10).await;
    assert_eq!(file["state"], "available", "{file}");
    assert_eq!(file["sha256"], sha256(&content));
    let asked = scene.origin.asked();
    let asked: Vec<_> = asked.iter().map(|it| (it.offset(), it.header("if-range"))).collect();
    assert_eq!(asked, [(0, ""), (PART, "\"one\"")]);
}

#[tokio::test]
async fn after_a_break_it_begins_anew_when_the_host_cannot_continue_or_has_another_file() {
    let (first, second) = (zip_of_size(3 * PART), zip_of_size(PART + 7));
    // Without a tag; with one that changes; and with ranges that are not served.
    for (case, tags) in [("no tag", ["", ""]), ("a new tag", [TAG, "ETag: \"two\"\r\n"])] {
        let (one, two) = (first.clone(), second.clone());
        let begun = std::sync::atomic::AtomicBool::new(false);
        let origin = Origin::start(move |_| {
            if begun.swap(true, std::sync::atomic::Ordering::SeqCst) {
                vec![whole(tags[1], &two)]
            } else {
                vec![cut(tags[0], &one, 0, 2 * PART + 5)]
            }
        });
        let scene = Importing::from(origin.await).await;
        let id = scene.ask("/archive.zip", &json!({})).await;
        scene.world.server.jobs_idle().await;
        let file = scene.later(&id, 10).await;
        assert_eq!(file["state"], "available", "{case}: {file}");
        assert_eq!(file["size"], second.len(), "{case}: no part of the first file is left");
        assert_eq!(file["sha256"], sha256(&second), "{case}");
        assert_eq!(scene.origin.asked().len(), 2, "{case}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_never_ends_is_rejected_and_removed() {
    let limit = (PART + 1).to_string();
    let origin = Origin::start(|asked| {
        let endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        match asked.target() {
            "/announced.zip" => vec![whole("", &vec![0; PART + 2])],
            _ => vec![Step::Send(endless), Step::SendForever(vec![0; 64 * 1024])],
        }
    });
    let scene = Importing::with(&[("IMPORT_MAX_BYTES", &limit)], origin.await).await;
    for target in ["/announced.zip", "/endless.zip"] {
        let file = scene.import(target, &json!({})).await;
        is_rejected(&file, "too_large", &format!("the file is larger than {limit} bytes"));
        scene.holds_nothing(file["id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn what_the_host_answers_instead_of_a_file_is_said_to_ops() {
    let origin = Origin::start(|asked| match asked.target() {
        "/404.pdf" => vec![status("404 Not Found", "")],
        "/403.pdf" => vec![status("403 Forbidden", "")],
        "/gzip.pdf" => vec![whole("Content-Encoding: gzip\r\n", b"x")],
        "/empty.pdf" => vec![whole("", b"")],
        _ => vec![Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())],
    });
    let scene = Importing::from(origin.await).await;
    for (target, detail) in [
        ("/404.pdf", "the host answered with status 404"),
        ("/403.pdf", "the host answered with status 403"),
        ("/gzip.pdf", "the host sent the file compressed"),
        ("/empty.pdf", "the file is empty"),
        ("/ssh.pdf", "the host sent an answer that is not valid HTTP"),
    ] {
        let file = scene.import(target, &json!({})).await;
        is_rejected(&file, "import_failed", detail);
        scene.holds_nothing(file["id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_host_that_fails_for_the_moment_is_asked_five_times_with_pauses() {
    let origin = Origin::start(|_| vec![status("503 Service Unavailable", "")]);
    let scene = Importing::from(origin.await).await;
    let id = scene.ask("/report.pdf", &json!({})).await;
    scene.world.server.jobs_idle().await;
    for (times, pause) in [(1, 10), (2, 30), (3, 90), (4, 270)] {
        assert_eq!(scene.origin.asked().len(), times);
        let file = scene.later(&id, pause - 5).await;
        assert_eq!(file["state"], "uploading", "{file}");
        assert_eq!(scene.origin.asked().len(), times, "it waits for {pause} seconds");
        scene.later(&id, 5).await;
    }
    let file = scene.file(&id).await;
    is_rejected(&file, "import_failed", "the host answered with status 503");
    assert_eq!(scene.origin.asked().len(), 5);
    scene.holds_nothing(&id);
}

#[tokio::test]
async fn an_import_that_passes_the_quota_is_rejected_and_counts_no_more() {
    let chunked = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let origin = Origin::start(move |asked| match asked.target() {
        "/announced.txt" => vec![whole("", &[b'a'; 1001])],
        "/fits.txt" => vec![whole("", &[b'a'; 1000])],
        _ => vec![Step::Send([chunked.as_slice(), &[b'a'; 1001]].concat())],
    });
    let scene = Importing::with(&[("ACCOUNT_QUOTA_BYTES", "1000")], origin.await).await;
    for target in ["/announced.txt", "/not-announced.txt"] {
        let file = scene.import(target, &json!({})).await;
        is_rejected(&file, "quota_exceeded", "it would exceed the quota");
        scene.holds_nothing(file["id"].as_str().unwrap());
    }
    assert_eq!(scene.import("/fits.txt", &json!({})).await["state"], "available");
    scene.world.upload("one-more.txt", b"a").await.refused(409, "quota_exceeded");
}

#[tokio::test]
async fn a_file_that_is_not_what_was_promised_or_said_is_rejected() {
    let scene = Importing::from(Origin::of(pdf()).await).await;
    let promised = json!({"sha256": sha256(b"something else")});
    let file = scene.import("/report.pdf", &promised).await;
    is_rejected(&file, "digest_mismatch", "its SHA-256 is not the one that was announced");
    let file = scene.import("/picture.png", &json!({})).await;
    let detail = "its content is not what its name's extension says";
    is_rejected(&file, "content_mismatch", detail);
    scene.holds_nothing(file["id"].as_str().unwrap());
}

#[tokio::test]
async fn an_import_that_is_aborted_ends_at_the_next_part_and_leaves_nothing() {
    let content = zip_of_size(3 * PART);
    let go_on = Arc::new(Semaphore::new(0));
    let (body, permits) = (content.clone(), Arc::clone(&go_on));
    let origin = Origin::start(move |_| {
        let rest = body[PART + 5..].to_vec();
        let permits = Arc::clone(&permits);
        vec![cut("", &body, 0, PART + 5), Step::WaitFor(permits), Step::Send(rest)]
    });
    let scene = Importing::from(origin.await).await;
    let id = scene.ask("/archive.zip", &json!({})).await;
    scene.parts(&id, 1).await;
    scene.abort(&id).await.is(204);
    go_on.add_permits(1);
    scene.world.server.jobs_idle().await;
    assert_eq!(scene.file(&id).await["state"], "deleted");
    scene.holds_nothing(&id);
    scene.abort(&id).await.is(204);
    scene.later(&id, 3600).await;
    assert_eq!(scene.origin.asked().len(), 1, "nobody goes on");
}

#[tokio::test]
async fn an_import_is_given_up_after_a_week() {
    let scene = Importing::from(Origin::start(|_| vec![cut("", &pdf(), 0, 5)]).await).await;
    let id = scene.ask("/report.pdf", &json!({})).await;
    scene.world.server.jobs_idle().await;
    assert_eq!(scene.file(&id).await["state"], "uploading");
    assert_eq!(scene.later(&id, 7 * 24 * 3600).await["state"], "deleted");
    assert_eq!(scene.origin.asked().len(), 1);
    scene.holds_nothing(&id);
}
