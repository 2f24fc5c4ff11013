//! Requests that create a file, and are repeated with the same `Idempotency-Key`.

use futures_util::future::join_all;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use share_e2e::forms::{form, media_type};
use share_e2e::matchers::case;
use share_e2e::origin::{Origin, whole};
use share_e2e::samples::{pdf, png, sha256};
use share_e2e::store::new_secret;
use share_e2e::{Answer, Upload, World, routes, send};

const DAY: i64 = 24 * 60 * 60;
const KEY: &str = "Idempotency-Key";
const CSV: &[u8] = b"a,b\n1,2\n";

/// How many ask at the same moment.
const CLIENTS: usize = 64;

/// The ways to create a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// A form with its bytes.
    Form,
    /// An address, whose file is waited for.
    Address,
    /// The beginning of an upload in parts.
    Parts,
    /// An address, whose file is not waited for.
    Import,
}

const WAYS: [Way; 4] = [Way::Form, Way::Address, Way::Parts, Way::Import];

/// A world whose Ops can import from one host, on which is a file that it has uploaded as well.
struct Stage {
    world: World,
    origin: Origin,
}

impl Stage {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let origin = Origin::start(|asked| {
            let content = if asked.target() == "/a.csv" { CSV.to_vec() } else { png() };
            vec![whole("", &content)]
        });
        let origin = origin.await;
        let hosts = [("IMPORT_ALLOWED_HOSTS", origin.host.as_str())];
        let world = World::start_with(&[&hosts, variables].concat()).await;
        Self { world, origin }
    }

    /// A request of this account to create a.csv in this way, with these fields in place of those
    /// that it has.
    fn request(&self, way: Way, ops: &str, fields: &Value) -> RequestBuilder {
        let own = match way {
            Way::Form => json!({"filename": "a.csv", "content": String::from_utf8_lossy(CSV)}),
            Way::Address => json!({"file_url": self.origin.url("/a.csv")}),
            Way::Parts => json!({"filename": "a.csv", "size": CSV.len()}),
            Way::Import => json!({"url": self.origin.url("/a.csv")}),
        };
        let mut body = own.as_object().unwrap().clone();
        body.extend(fields.as_object().unwrap().clone());
        let path = match way {
            Way::Form | Way::Address => routes::UPLOAD,
            Way::Parts => routes::UPLOADS,
            Way::Import => routes::IMPORTS,
        };
        let request = self.world.request(Method::POST, path).bearer_auth(ops);
        if way == Way::Form {
            request.header(CONTENT_TYPE, media_type()).body(form_with(&body))
        } else {
            request.json(&body)
        }
    }

    async fn ask(&self, way: Way, ops: &str, key: &str, fields: &Value) -> Answer {
        send(self.request(way, ops, fields).header(KEY, key)).await
    }

    /// The ids of all files that the account has.
    async fn files(&self, ops: &str) -> Vec<String> {
        let files = self.world.all(routes::LIST_UPLOADED, 100, ops).await;
        files.iter().map(|file| file["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// A form with these fields.
fn form_with(fields: &Map<String, Value>) -> Vec<u8> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(names) => {
            names.iter().map(|it| it.as_str().unwrap()).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    let file = format!("name=\"file\"; filename=\"{}\"", text(&fields["filename"]));
    let terms = fields.iter().filter(|(name, _)| !["filename", "content"].contains(&name.as_str()));
    let parts = terms.map(|(name, value)| (format!("name=\"{name}\""), text(value)));
    let parts: Vec<_> = parts.chain([(file, text(&fields["content"]))]).collect();
    let bytes = parts.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    form(&bytes.collect::<Vec<_>>())
}

/// The file that an answer is about.
fn id_of(answer: &Answer) -> String {
    let body = answer.json();
    let id = body.get("upload_id").unwrap_or(&body["id"]);
    id.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_repeated_with_its_key_is_one_file_however_it_comes() {
    for way in WAYS {
        let stage = Stage::start(&[]).await;
        let world = &stage.world;
        let ops = world.token("ops").await;
        let key = new_secret();
        let first = stage.ask(way, &ops, &key, &json!({})).await;
        let status = if way == Way::Import { 202 } else { 201 };
        let file = id_of(first.is(status));
        world.server.jobs_idle().await;
        let before = world.stored().await;
        for _ in 0..2 {
            let again = stage.ask(way, &ops, &key, &json!({})).await;
            again.is(status);
            assert_eq!(id_of(&again), file, "{way:?}");
            match way {
                Way::Import => assert_eq!(again.json()["state"], "available", "as it is now"),
                _ => assert_eq!(again.json(), first.json(), "{way:?}"),
            }
        }
        world.server.jobs_idle().await;
        world.unchanged(&before).await;
        assert_eq!(stage.files(&ops).await, [&*file], "{way:?}");
        let fetched = usize::from(matches!(way, Way::Address | Way::Import));
        assert_eq!(stage.origin.asked().len(), fetched, "{way:?}");
        assert_eq!(world.uploads_in_s3(), usize::from(way == Way::Parts));
        assert!(before.mentions(&key.to_lowercase()).is_empty(), "the key is not stored");
        // Without a key each request is another file, and so it is with another key.
        let plain = stage.request(way, &ops, &json!({}));
        for request in [plain.try_clone().unwrap(), plain.header(KEY, new_secret())] {
            assert_ne!(id_of(send(request).await.is(status)), file, "{way:?}");
        }
        world.server.jobs_idle().await;
        world.is_consistent().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_is_the_same_one_until_it_is_over_and_afterwards() {
    let stage = Stage::start(&[]).await;
    let world = &stage.world;
    let ops = world.token("ops").await;
    let first = stage.ask(Way::Parts, &ops, "a-key", &json!({})).await;
    let upload = Upload::resume(world, &ops, &id_of(&first), CSV).await.unwrap();
    upload.send_all().await;
    assert_eq!(stage.ask(Way::Parts, &ops, "a-key", &json!({})).await.json(), first.json());
    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    assert_eq!(upload.file().await["state"], "available");
    assert_eq!(stage.ask(Way::Parts, &ops, "a-key", &json!({})).await.json(), first.json());
    assert_eq!(stage.files(&ops).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_is_neither_counted_nor_audited_nor_mailed() {
    let (world, mail_server) = World::with_mails().await;
    let admin = world.token("admin").await;
    let ops = world.token("ops").await;
    let user = world.store.user_named("ops").await;
    let fields = json!({
        "filename": "a.csv", "content": "a,b\n", "recipients": ["client"], "notify_recipients": true,
    });
    let body = form_with(fields.as_object().unwrap());
    let ask = async || {
        let request = world.request(Method::POST, routes::UPLOAD).bearer_auth(&ops);
        let request = request.header(CONTENT_TYPE, media_type()).header(KEY, "a-key");
        send(request.body(body.clone())).await.is(201).id()
    };
    let file = ask().await;
    mail_server.has_taken(1).await;
    for _ in 0..3 {
        assert_eq!(ask().await, file);
    }
    world.server.jobs_idle().await;
    assert_eq!(mail_server.mails().len(), 1);
    assert_eq!(world.store.usage(&user).await, (4, 1));
    let query = format!("{}?subject=file:{file}", routes::AUDIT);
    let audited = world.get(&query, &admin).await.is_json(200);
    let actions: Vec<_> = audited.as_array().unwrap().iter().map(|it| &it["action"]).collect();
    assert_eq!(actions, ["file_uploaded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_with_the_same_key_is_refused_and_changes_nothing() {
    let stage = Stage::start(&[]).await;
    let world = &stage.world;
    let ops = world.token("ops").await;
    let own =
        json!({"note": "mine", "expires_in": 3600, "recipients": ["client", "a@example.org"]});
    let terms = [
        json!({"note": "other"}),
        json!({"expires_in": 3601}),
        json!({"recipients": ["client"]}),
        json!({"recipients": "everyone"}),
        json!({"notify": true}),
        json!({"notify_recipients": true}),
    ];
    let mut cases = vec![];
    for way in WAYS {
        let key = format!("{way:?}");
        let first = stage.ask(way, &ops, &key, &own).await;
        assert!(first.status.is_success(), "{first:?}");
        world.server.jobs_idle().await;
        let others = match way {
            Way::Form => vec![json!({"filename": "b.csv"}), json!({"content": "a,b\n1,3\n"})],
            Way::Address => vec![
                json!({"filename": "b.csv"}),
                json!({"sha256": sha256(CSV)}),
                json!({"file_url": stage.origin.url("/a.csv?b")}),
            ],
            Way::Parts => vec![
                json!({"filename": "b.csv"}),
                json!({"size": CSV.len() + 1}),
                json!({"sha256": sha256(CSV)}),
            ],
            Way::Import => vec![
                json!({"filename": "b.csv"}),
                json!({"sha256": sha256(CSV)}),
                json!({"url": stage.origin.url("/a.csv?b")}),
            ],
        };
        for other in others.iter().chain(&terms) {
            let mut fields = own.as_object().unwrap().clone();
            fields.extend(other.as_object().unwrap().clone());
            let request = stage.request(way, &ops, &Value::Object(fields)).header(KEY, &key);
            cases.push(case(format!("{way:?} {other}"), request, 422, "idempotency_key_reused"));
        }
        for other in WAYS.into_iter().filter(|other| *other != way) {
            let request = stage.request(other, &ops, &own).header(KEY, &key);
            let name = format!("the key of {way:?} for {other:?}");
            cases.push(case(name, request, 422, "idempotency_key_reused"));
        }
    }
    world.refuses(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_two_accounts_never_meet() {
    let stage = Stage::start(&[("OPS_SIGNUP", "open")]).await;
    let (ops, rosa) = (stage.world.token("ops").await, stage.world.another_ops("rosa").await);
    for way in WAYS {
        let key = format!("{way:?}");
        let mine = id_of(&stage.ask(way, &ops, &key, &json!({})).await);
        let hers = id_of(&stage.ask(way, &rosa, &key, &json!({})).await);
        assert_ne!(mine, hers);
        // Nor do other requests.
        let other = stage.ask(way, &rosa, &format!("{key} 2").replace(' ', ""), &json!({})).await;
        assert_ne!(id_of(&other), hers);
        stage.world.server.jobs_idle().await;
        assert_eq!(id_of(&stage.ask(way, &ops, &key, &json!({})).await), mine);
        assert_eq!(id_of(&stage.ask(way, &rosa, &key, &json!({})).await), hers);
    }
    assert_eq!((stage.files(&ops).await.len(), stage.files(&rosa).await.len()), (4, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_its_request_for_24_hours() {
    for way in WAYS {
        let stage = Stage::start(&[]).await;
        let ask = async |fields: &Value| {
            let ops = stage.world.token("ops").await;
            let answer = stage.ask(way, &ops, "a-key", fields).await;
            stage.world.server.jobs_idle().await;
            answer
        };
        let first = id_of(&ask(&json!({})).await);
        let begun = stage.world.now().as_second();
        stage.world.pass_until(begun + DAY - 1);
        assert_eq!(id_of(&ask(&json!({})).await), first, "{way:?}");
        ask(&json!({"note": "other"})).await.refused(422, "idempotency_key_reused");
        stage.world.pass(1);
        // The record is still there.
        let second = id_of(&ask(&json!({"note": "other"})).await);
        assert_ne!(second, first, "{way:?}");
        assert_eq!(id_of(&ask(&json!({"note": "other"})).await), second, "{way:?}");
        ask(&json!({})).await.refused(422, "idempotency_key_reused");
        stage.world.is_consistent().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_equal_requests_at_once_one_creates_the_file_that_all_answers_name() {
    for way in WAYS {
        // So that a second file would be one too many.
        let stage = Stage::start(&[("ACCOUNT_QUOTA_FILES", "1")]).await;
        let world = &stage.world;
        let ops = world.token("ops").await;
        let fields = json!({});
        let asked = (0..CLIENTS).map(|_| stage.ask(way, &ops, "a-key", &fields));
        let answers = join_all(asked).await;
        let file = id_of(&answers[0]);
        for answer in &answers {
            assert!([201, 202].contains(&answer.status.as_u16()), "{way:?}: {answer:?}");
            assert_eq!(id_of(answer), file, "{way:?}");
        }
        world.server.jobs_idle().await;
        assert_eq!(stage.files(&ops).await, [&*file], "{way:?}");
        if way == Way::Parts {
            assert_eq!(world.uploads_in_s3(), 1, "the others left nothing in S3");
        } else {
            assert_eq!(world.file(&file, &ops).await["state"], "available", "{way:?}");
            assert_eq!(world.store.object(&file).await, CSV, "{way:?}");
        }
        world.is_consistent().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_other_requests_at_once_with_one_key_one_is_taken() {
    let stage = Stage::start(&[]).await;
    let ops = stage.world.token("ops").await;
    let fields: Vec<_> = (0..CLIENTS).map(|number| json!({"note": number.to_string()})).collect();
    let answers = join_all(fields.iter().map(|it| stage.ask(Way::Parts, &ops, "a-key", it))).await;
    let (taken, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(stage.files(&ops).await, [id_of(taken[0])]);
    assert_eq!(refused.len(), CLIENTS - 1);
    for answer in refused {
        answer.refused(422, "idempotency_key_reused");
    }
    assert_eq!(stage.world.uploads_in_s3(), 1, "the others left nothing in S3");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repetition_of_a_request_whose_file_is_gone_is_told_so() {
    for way in WAYS {
        let stage = Stage::start(&[]).await;
        let world = &stage.world;
        let ops = world.token("ops").await;
        let file = id_of(&stage.ask(way, &ops, "a-key", &json!({})).await);
        world.server.jobs_idle().await;
        world.delete_file(&file, &ops).await.is(204);
        let before = world.stored().await;
        stage.ask(way, &ops, "a-key", &json!({})).await.refused(410, "file_gone");
        world.unchanged(&before).await;
        world.is_gone(&file).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repetition_of_a_request_whose_file_is_not_taken_gets_the_same_refusal() {
    let stage = Stage::start(&[("MALWARE_SCAN", "GuardDuty")]).await;
    let ops = stage.world.token("ops").await;
    // The EICAR test file, in two halves, so that no scanner finds it here.
    let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
    let infected = json!({"content": eicar.concat()});
    let picture = json!({"file_url": stage.origin.url("/picture.csv")});
    for (way, fields, (status, code)) in [
        (Way::Form, infected, (422, "file_rejected")),
        (Way::Address, picture, (415, "content_mismatch")),
    ] {
        let key = format!("{way:?}");
        for _ in 0..3 {
            stage.ask(way, &ops, &key, &fields).await.refused(status, code);
        }
    }
    stage.world.server.jobs_idle().await;
    assert_eq!((stage.files(&ops).await.len(), stage.origin.asked().len()), (2, 1));
    // An import says what has become of it.
    let fields = json!({"url": stage.origin.url("/picture.csv")});
    let file = id_of(&stage.ask(Way::Import, &ops, "a-key", &fields).await);
    stage.world.server.jobs_idle().await;
    let again = stage.ask(Way::Import, &ops, "a-key", &fields).await.is_json(202);
    assert_eq!((&again["id"], &again["state"]), (&json!(file), &json!("rejected")));
    assert_eq!(again["reason"]["code"], "content_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_before_there_is_a_file_takes_no_key() {
    let stage = Stage::start(&[("ACCOUNT_QUOTA_BYTES", "100")]).await;
    let ops = stage.world.token("ops").await;
    let refused = json!({"recipients": ["nobody"]});
    stage.ask(Way::Form, &ops, "a-key", &refused).await.refused(422, "invalid_field");
    let large = json!({"size": 101});
    stage.ask(Way::Parts, &ops, "a-key", &large).await.refused(409, "quota_exceeded");
    let pdf = json!({"content": String::from_utf8_lossy(&pdf())});
    stage.ask(Way::Form, &ops, "a-key", &pdf).await.refused(415, "content_mismatch");
    stage.ask(Way::Form, &ops, "a-key", &json!({})).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_1_to_255_visible_characters() {
    let stage = Stage::start(&[]).await;
    let ops = stage.world.token("ops").await;
    for (way, letter) in WAYS.into_iter().zip(["k", "l", "!", "~"]) {
        let longest = letter.repeat(255);
        let request = || stage.request(way, &ops, &json!({}));
        let bad = [
            ("empty", HeaderValue::from_static("")),
            ("256 bytes", HeaderValue::from_str(&"k".repeat(256)).unwrap()),
            ("a space", HeaderValue::from_static("a key")),
            ("a tab", HeaderValue::from_static("a\tkey")),
            ("Latin-1", HeaderValue::from_bytes(b"k\xe9y").unwrap()),
            ("UTF-8", HeaderValue::from_bytes("kéy".as_bytes()).unwrap()),
        ];
        let bad = bad.map(|(name, value)| (name, request().header(KEY, value)));
        let cases = bad
            .into_iter()
            .map(|(name, request)| case(format!("{way:?} {name}"), request, 400, "invalid_header"));
        stage.world.refuses(cases.collect()).await;
        // The second one repeats the first.
        for _ in 0..2 {
            let answer = stage.ask(way, &ops, &longest, &json!({})).await;
            assert!(answer.status.is_success(), "{way:?}: {answer:?}");
        }
        stage.world.server.jobs_idle().await;
    }
    // Between quotation marks, as the draft has it, and without them: two keys.
    let quoted = id_of(&stage.ask(Way::Parts, &ops, "\"a-key\"", &json!({})).await);
    assert_ne!(id_of(&stage.ask(Way::Parts, &ops, "a-key", &json!({})).await), quoted);
    assert_eq!(stage.files(&ops).await.len(), WAYS.len() + 2);
}
