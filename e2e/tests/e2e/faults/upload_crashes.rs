//! The server is killed (`kill -9`) at each of its calls to S3, and at each of its writes to
//! DynamoDB, in the midst of an upload.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use share_e2e::answer::try_send;
use share_e2e::api::Api;
use share_e2e::forms::{form_of, media_type};
use share_e2e::process::Process;
use share_e2e::proxy::Proxy;
use share_e2e::samples::sha256;
use share_e2e::store::new_secret;
use share_e2e::uploads::SignedPart;
use share_e2e::{Answer, World, routes};
use tempfile::TempDir;

use crate::SERVER;

const CSV: &[u8] = b"a,b\n1,2\n";
/// For longer than a job leaves a file to another.
const CLAIM: i64 = 16 * 60 + 1;

/// A server that is killed and started again, and its client.
pub(super) struct Stage {
    pub(super) engines: World,
    pub(super) proxy: Proxy,
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    data: TempDir,
    pub(super) server: Process,
    ops: String,
    /// How much time the server's clock is ahead.
    passed: i64,
    pub(super) kills: usize,
}

impl Stage {
    /// A server whose calls to what this variable names can be its last ones.
    pub(super) async fn start(name: &str, marked: &'static str) -> Self {
        let engines = World::engines().await;
        let mut variables = engines.server.backend().variables.clone();
        variables.remove("FILES_TABLE");
        variables.extend(engines.variables_of_store().await);
        let proxy = Proxy::start(&variables[name], marked).await;
        variables.insert(name.to_owned(), proxy.url.clone());
        let data = TempDir::new().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let server = SERVER.front(any, data.path(), &variables);
        let address = server.address().parse().unwrap();
        let ops = server.api.token("ops").await;
        Self { engines, proxy, variables, address, data, server, ops, passed: 0, kills: 0 }
    }

    /// Kills the server where it stands, and starts it again.
    async fn kill(&mut self) {
        self.server.kill();
        self.kills += 1;
        self.proxy.halt_at(0);
        self.server = SERVER.front(self.address, self.data.path(), &self.variables);
        self.server.pass(self.passed).await;
    }

    pub(super) async fn pass(&mut self, seconds: i64) {
        self.passed += seconds;
        self.server.pass(seconds).await;
        // One that stands in no proxy's way.
        self.engines.pass(seconds);
        self.ops = self.engines.token("ops").await;
    }

    /// Asks until there is an answer, and starts the server again when it was killed.
    pub(super) async fn ask(&mut self, request: impl Fn(&Api, &str) -> RequestBuilder) -> Answer {
        for _ in 0..5 {
            let answer = tokio::select! {
                answer = try_send(request(&self.server.api, &self.ops)) => answer.ok(),
                () = self.proxy.halted() => None,
            };
            if self.proxy.has_halted() {
                self.kill().await;
            }
            if let Some(answer) = answer {
                return answer;
            }
        }
        unreachable!("there is no answer")
    }

    /// Runs a job, and once more when the server was killed meanwhile.
    pub(super) async fn run(&mut self, job: &str, event: &Value) {
        for _ in 0..5 {
            let done = tokio::select! {
                done = self.server.invoke_job(job, event) => done.is_some(),
                () = self.proxy.halted() => false,
            };
            if self.proxy.has_halted() {
                self.kill().await;
            }
            if done {
                return;
            }
            // Whoever was at it does nothing any more.
            self.pass(CLAIM).await;
        }
        unreachable!("{job} does not end")
    }

    async fn begin(&mut self) -> String {
        let body = json!({"filename": "a.csv", "size": CSV.len(), "sha256": sha256(CSV)});
        let begun = self.ask(|api, ops| {
            api.request(Method::POST, routes::UPLOADS).bearer_auth(ops).json(&body)
        });
        begun.await.is(201).upload_id()
    }

    /// Goes on with an upload of which nothing but the id is known, until it is complete.
    async fn go_on(&mut self, id: &str) {
        let told =
            self.ask(|api, ops| api.request(Method::GET, &routes::upload(id)).bearer_auth(ops));
        if told.await.is_json(200)["received"] == json!([]) {
            loop {
                let body = json!({"parts": [{"number": 1, "sha256": sha256(CSV)}]});
                let signed = self.ask(|api, ops| {
                    let request = api.request(Method::POST, &routes::upload_parts(id));
                    request.bearer_auth(ops).json(&body)
                });
                let signed = SignedPart::of(&signed.await.is_json(200)["parts"][0]);
                let sent = tokio::select! {
                    sent = try_send(signed.request(&self.server.api.http, CSV)) => sent.ok(),
                    () = self.proxy.halted() => None,
                };
                if self.proxy.has_halted() {
                    self.kill().await;
                }
                if let Some(sent) = sent {
                    sent.is(200);
                    break;
                }
            }
        }
        let told = self.ask(|api, ops| {
            api.request(Method::POST, &routes::complete_upload(id)).bearer_auth(ops)
        });
        told.await.is(202);
        self.run("CheckFile", &json!({"detail": {"object": {"key": id}}})).await;
    }

    /// That there is this file, in this state, and no other one.
    async fn has_only(&mut self, id: &str, state: &str) {
        let listed = self
            .ask(|api, ops| api.request(Method::GET, routes::LIST_UPLOADED).bearer_auth(ops))
            .await;
        let files = listed.is_json(200);
        let files = files.as_array().unwrap().iter().map(|file| (&file["id"], &file["state"]));
        assert_eq!(files.collect::<Vec<_>>(), [(&json!(id), &json!(state))]);
    }

    /// That nothing is left of anything, when everything that was begun has been given up.
    async fn is_empty(&mut self) {
        self.pass(8 * 24 * 60 * 60).await;
        for _ in 0..2 {
            self.run("RemoveFiles", &json!({})).await;
            self.pass(CLAIM).await;
        }
        let faults = self.engines.store.faults_of_files().await;
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(self.engines.store.usage("stack").await, (0, 0));
        // One that S3 has begun and no record names is aborted by the bucket's rule.
        let left = self.engines.uploads_in_s3();
        assert!(left <= self.kills, "{left} uploads after {} kills", self.kills);
    }
}

const S3: (&str, &str) = ("AWS_ENDPOINT_URL_S3", "HTTP/1.1");
pub(super) const DYNAMODB: (&str, &str) =
    ("AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.TransactWriteItems");

/// Lets a story happen with the server killed at its first call, at its second, and so on, until
/// there are no more; gives how many there are.
async fn at_each_call(engine: (&str, &'static str), story: impl AsyncFn(&mut Stage)) -> usize {
    let mut stage = Stage::start(engine.0, engine.1).await;
    for number in 1.. {
        let kills = stage.kills;
        stage.proxy.halt_at(number);
        story(&mut stage).await;
        stage.proxy.halt_at(0);
        if stage.kills == kills {
            return number - 1;
        }
        assert!(number < 100, "the story ends");
    }
    0
}

/// An upload that is completed and checked, and the file deleted.
async fn a_file(stage: &mut Stage) {
    let id = stage.begin().await;
    stage.go_on(&id).await;
    let file = stage.ask(|api, ops| api.request(Method::GET, &routes::file(&id)).bearer_auth(ops));
    let file = file.await.is_json(200);
    assert_eq!((&file["state"], &file["sha256"]), (&json!("available"), &json!(sha256(CSV))));
    assert_eq!(stage.engines.store.object(&id).await, CSV);
    let deleted =
        stage.ask(|api, ops| api.request(Method::DELETE, &routes::file(&id)).bearer_auth(ops));
    let deleted = deleted.await;
    assert!([204, 404].contains(&deleted.status.as_u16()), "{deleted:?}");
    stage.is_empty().await;
}

/// A small file that is sent until there is an answer, each time with the same key.
async fn a_small_file(stage: &mut Stage) {
    let key = new_secret();
    let uploaded = stage.ask(|api, ops| {
        let request = api.request(Method::POST, routes::UPLOAD).bearer_auth(ops);
        let request = request.header("Idempotency-Key", &key).header(CONTENT_TYPE, media_type());
        request.body(form_of("a.csv", CSV))
    });
    let id = uploaded.await.is(201).id();
    stage.has_only(&id, "available").await;
    assert_eq!(stage.engines.store.object(&id).await, CSV);
    let faults = stage.engines.store.faults_of_files().await;
    assert!(faults.is_empty(), "{faults:?}");
    let deleted =
        stage.ask(|api, ops| api.request(Method::DELETE, &routes::file(&id)).bearer_auth(ops));
    let deleted = deleted.await;
    assert!([204, 404].contains(&deleted.status.as_u16()), "{deleted:?}");
    stage.is_empty().await;
}

/// An upload in parts that is begun until there is an answer, each time with the same key.
async fn a_beginning(stage: &mut Stage) {
    let key = new_secret();
    let body = json!({"filename": "a.csv", "size": CSV.len()});
    let begun = stage.ask(|api, ops| {
        let request = api.request(Method::POST, routes::UPLOADS).bearer_auth(ops);
        request.header("Idempotency-Key", &key).json(&body)
    });
    let id = begun.await.is(201).upload_id();
    stage.has_only(&id, "uploading").await;
    let abort =
        stage.ask(|api, ops| api.request(Method::DELETE, &routes::upload(&id)).bearer_auth(ops));
    abort.await.is(204);
    stage.is_empty().await;
}

/// An upload that is given up after its part has come.
async fn an_abort(stage: &mut Stage) {
    let id = stage.begin().await;
    let abort =
        stage.ask(|api, ops| api.request(Method::DELETE, &routes::upload(&id)).bearer_auth(ops));
    abort.await.is(204);
    stage.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_any_call_of_an_upload_to_s3_loses_nothing_and_leaves_nothing() {
    let calls = at_each_call(S3, a_file).await;
    // Begin; list, send; list, list, complete; look, read, inspect, read and write tags; delete.
    assert!(calls >= 10, "{calls}");
    let calls = at_each_call(S3, an_abort).await;
    assert!(calls >= 3, "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_any_write_of_an_upload_loses_nothing_and_leaves_nothing() {
    let calls = at_each_call(DYNAMODB, a_file).await;
    // Begin, complete, claim, accept, delete, nothing left.
    assert!(calls >= 6, "{calls}");
    let calls = at_each_call(DYNAMODB, an_abort).await;
    assert!(calls >= 3, "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_after_a_server_was_killed_at_any_of_its_calls_is_one_file() {
    // Put, read and write tags.
    let calls = at_each_call(S3, a_small_file).await;
    assert!(calls >= 3, "{calls}");
    // Create, accept.
    let calls = at_each_call(DYNAMODB, a_small_file).await;
    assert!(calls >= 2, "{calls}");
    for engine in [S3, DYNAMODB] {
        let calls = at_each_call(engine, a_beginning).await;
        assert!(calls >= 1, "{calls}");
    }
}
