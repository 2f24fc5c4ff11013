//! What the end-to-end tests stand on: a server of one's own, a client, the store from behind,
//! sample files, and a proxy that loses answers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    missing_docs,
    reason = "a test that cannot be set up should stop where it stands"
)]

pub mod process;
pub mod proxy;
pub mod samples;
pub mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use share_auth::OpaqueSecret;
use share_local::{Server, Settings};
use tempfile::TempDir;

/// The secret that signs access tokens in tests.
pub const JWT_SECRET: &str = "a-secret-that-only-the-tests-know-and-use";

/// One server with a store of its own, and a clock that only the test moves.
pub struct World {
    pub server: Server,
    pub http: reqwest::Client,
    /// Milliseconds since 1970: a whole second at the start, and one more at every look.
    time: Arc<AtomicI64>,
    /// The server's data folder.
    pub data: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl World {
    /// A server with a fresh store.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A server with a fresh store and some variables set.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        let time = Arc::new(AtomicI64::new(start_of_time().as_second() * 1000));
        let clock = Arc::clone(&time);
        let mut overrides = BTreeMap::from([("JWT_SECRET".to_owned(), JWT_SECRET.to_owned())]);
        overrides.extend(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            data_dir: data.path().to_owned(),
            overrides,
            clock: Arc::new(move || moment(clock.fetch_add(1, Ordering::Relaxed))),
        };
        let server = Server::start(settings).await.unwrap();
        Self { server, http: client(), time, data }
    }

    /// Lets time pass, for the server only.
    pub fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Lets time pass, for the server only, until `second`, counted from 1970.
    pub fn pass_until(&self, second: i64) {
        self.pass(second - self.now().as_second());
        assert_eq!(self.now().as_second(), second);
    }

    /// The server's time.
    pub fn now(&self) -> Timestamp {
        moment(self.time.load(Ordering::Relaxed))
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        send(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// A GET without credentials, to an absolute address such as a link.
    pub async fn open(&self, url: &str) -> Answer {
        send(self.http.get(url)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// An access token of the local account of this role: `ops`, `client` or `admin`.
    pub async fn token(&self, role: &str) -> String {
        let door = if role == "client" { "client" } else { "ops" };
        let password = format!("local-{role}-password");
        let body = json!({"username": role, "password": password});
        let answer = self.post(&format!("/api/{door}/login"), &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access"].as_str().unwrap().to_owned()
    }

    /// Uploads as Ops.
    pub async fn upload(&self, name: &str, content: &[u8]) -> Answer {
        let part = Part::bytes(content.to_vec()).file_name(name.to_owned());
        self.upload_form(Form::new().part("file", part)).await
    }

    /// Uploads a form as Ops.
    pub async fn upload_form(&self, form: Form) -> Answer {
        let token = self.token("ops").await;
        let request = self.request(Method::POST, "/api/files/upload");
        send(request.bearer_auth(token).multipart(form)).await
    }

    /// Puts a small text file on the shelf and gives its id.
    pub async fn some_file(&self) -> String {
        let answer = self.upload("note.txt", b"a note").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.id()
    }

    /// A download link to this file, made by the local client.
    pub async fn link(&self, file_id: &str, client_token: &str) -> String {
        let link = self.link_with(file_id, client_token, &json!({})).await;
        link["download_url"].as_str().unwrap().to_owned()
    }

    /// A download link to this file with these terms, as its maker is told of it.
    pub async fn link_with(&self, file_id: &str, client_token: &str, terms: &Value) -> Value {
        let path = format!("/api/files/generate-download-link/{file_id}");
        let request = self.request(Method::POST, &path).bearer_auth(client_token).json(terms);
        let answer = send(request).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// Signs somebody up and gives the verification link.
    pub async fn sign_up(&self, name: &str) -> String {
        let body = json!({"username": name, "email": format!("{name}@example.org"),
            "password": format!("a password for {name}")});
        let answer = self.post("/api/users/signup", &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["verification_url"].as_str().unwrap().to_owned()
    }

    /// Signs another Client up and gives an access token of it.
    pub async fn another_client(&self, name: &str) -> String {
        assert_eq!(self.open(&self.sign_up(name).await).await.status, 200);
        let body = json!({"username": name, "password": format!("a password for {name}")});
        let answer = self.post("/api/client/login", &body).await;
        answer.json()["access"].as_str().unwrap().to_owned()
    }

    /// Every record of a list, over all its pages, of which each has at most `limit`.
    pub async fn all(&self, path: &str, limit: usize, token: &str) -> Vec<Value> {
        let mut records = Vec::new();
        let mut next = Some(format!("{path}?limit={limit}"));
        while let Some(page) = next {
            let answer = self.get(&page, token).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let page = answer.json().as_array().unwrap().clone();
            assert!(page.len() <= limit, "{} on a page of {limit}", page.len());
            records.extend(page);
            next = answer.next().map(|url| url.strip_prefix(&self.url("")).unwrap().to_owned());
            assert!(next.is_none() || !records.is_empty(), "an empty page leads to no other");
        }
        records
    }

    /// Signs somebody up and gives them an invitation, as if by `create_account`.
    pub async fn invitation(&self, name: &str) -> String {
        self.sign_up(name).await;
        let dynamodb = store::dynamodb(&self.server.variables).await;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let claim =
            dynamodb.get_item().table_name("UsersTable").key("pk", text(&format!("name#{name}")));
        let claim = claim.send().await.unwrap().item.unwrap();
        let token = OpaqueSecret::generate();
        let expires_at = AttributeValue::N((self.now().as_second() + 60).to_string());
        let put = dynamodb
            .put_item()
            .table_name("TokensTable")
            .item("token_hash", text(token.hash().as_str()))
            .item("kind", text("invitation"))
            .item("user_id", claim["user_id"].clone())
            .item("expires_at", expires_at);
        put.send().await.unwrap();
        token.reveal()
    }

    /// Everything that the server has stored.
    pub async fn stored(&self) -> store::Snapshot {
        store::snapshot(&self.server.variables).await
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic_with(self))
    }

    /// The field `id`.
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// The problem's code; empty when the answer is not a problem.
    pub fn code(&self) -> String {
        let value: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        value["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The address of the next page.
    pub fn next(&self) -> Option<&str> {
        self.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

#[expect(clippy::panic, reason = "shows the answer that is not JSON")]
fn panic_with(answer: &Answer) -> Value {
    panic!("not JSON: {answer:?}")
}

/// Sends a request and reads the answer to its end.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, bytes: response.bytes().await.unwrap().to_vec() }
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "presigned URLs are checked by the real time")]
fn start_of_time() -> Timestamp {
    Timestamp::now()
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}
