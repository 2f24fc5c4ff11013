//! What is asserted of an answer, of a table of refusals, and of the store after them.

use std::collections::HashSet;
use std::ops::Range;
use std::panic::Location;

use reqwest::header::AUTHORIZATION;
use reqwest::{Body, Method, Request, RequestBuilder};
use serde_json::Value;

use crate::answer::{Answer, send};
use crate::samples::sha256;
use crate::scene::DIGITS;
use crate::store::Snapshot;
use crate::world::World;

impl Answer {
    /// That it has this status.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// That it is JSON under this status; gives the JSON.
    #[track_caller]
    pub fn is_json(&self, status: u16) -> Value {
        self.is(status);
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        self.json()
    }

    /// That it is a page for people under this status; gives its text.
    #[track_caller]
    pub fn is_page(&self, status: u16) -> String {
        self.is(status);
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8", "{self:?}");
        self.text()
    }

    /// That it has this status and no body.
    #[track_caller]
    pub fn is_empty(&self, status: u16) -> &Self {
        self.is(status);
        assert!(self.bytes.is_empty(), "{self:?}");
        self
    }

    /// That it is a whole file, which has these bytes.
    #[track_caller]
    pub fn is_file(&self, content: &[u8]) {
        self.is(200);
        assert!(self.bytes == content, "{} bytes that are not the file's", self.bytes.len());
    }

    /// That it is a refusal with this status and code, in the form that all refusals have.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let faults = faults_of(self, status, code);
        assert!(faults.is_empty(), "{}: {self:?}", faults.join("; "));
    }

    /// That it is a 429 with this code; gives the seconds after which to try again.
    #[track_caller]
    pub fn limited(&self, code: &str) -> i64 {
        self.refused(429, code);
        self.header("retry-after").parse().unwrap()
    }

    /// That it is this part of a scene's file.
    #[track_caller]
    pub fn is_part(&self, part: Range<usize>) {
        let digits = String::from_utf8_lossy(&DIGITS[part.clone()]);
        assert_eq!((self.status.as_u16(), self.text()), (206, digits.into_owned()), "{self:?}");
        let range = format!("bytes {}-{}/10", part.start, part.end - 1);
        assert_eq!(self.header("content-range"), range);
        self.has_the_headers_of_a_file();
    }

    /// That it is the whole of a scene's file.
    #[track_caller]
    pub fn is_whole(&self) {
        let digits = String::from_utf8_lossy(DIGITS);
        assert_eq!((self.status.as_u16(), self.text()), (200, digits.into_owned()), "{self:?}");
        assert_eq!(self.header("content-range"), "");
        self.has_the_headers_of_a_file();
    }

    /// The headers that a part and the whole of a scene's file have alike.
    #[track_caller]
    fn has_the_headers_of_a_file(&self) {
        assert_eq!(self.header("content-length"), self.bytes.len().to_string());
        assert_eq!(self.header("accept-ranges"), "bytes");
        assert_eq!(self.header("etag"), format!("\"{}\"", sha256(DIGITS)));
        // printf 0123456789 | openssl dgst -sha256 -binary | base64
        let digest = "sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:";
        assert_eq!(self.header("repr-digest"), digest, "of the whole, whatever the part");
        assert_eq!(self.header("content-disposition").split(';').next(), Some("attachment"));
        assert_eq!(self.header("cache-control"), "no-store");
    }
}

impl World {
    /// That everything is stored as it was `before`, and nothing else is.
    #[track_caller]
    pub fn unchanged(&self, before: &Snapshot) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let differences = self.stored().await.differences(before);
            assert!(differences.is_empty(), "{caller}: stored:\n{}", differences.join("\n"));
        }
    }

    /// That nothing is stored but what was `before`, and how often somebody has asked.
    #[track_caller]
    pub fn unchanged_but_counted(&self, before: Snapshot) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let after = self.stored().await.without_counters();
            let differences = after.differences(&before.without_counters());
            assert!(differences.is_empty(), "{caller}: stored:\n{}", differences.join("\n"));
        }
    }

    /// That every request is refused as its case says, and that all together leave the store as
    /// it was.
    pub async fn refuses(&self, cases: Vec<Case>) {
        assert!(!cases.is_empty(), "there are cases");
        let before = self.stored().await;
        let (mut faults, mut ids) = (Vec::new(), HashSet::new());
        let count = cases.len();
        for case in cases {
            let name = case.name.clone();
            let (answer, found) = case.send(self, &mut ids).await;
            if !found.is_empty() {
                let shown: String = answer.text().chars().take(300).collect();
                let found = found.join("; ");
                faults.push(format!("{name}: {found}\n    {} {shown}", answer.status));
            }
        }
        assert!(faults.is_empty(), "{} of {count} cases:\n{}", faults.len(), faults.join("\n"));
        self.unchanged(&before).await;
    }
}

/// A request, and what the contract says about it.
pub struct Case {
    name: String,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
    /// The one field that the answer must name.
    field: Option<String>,
}

/// A request that must be refused with this status and code.
pub fn case(
    name: impl Into<String>,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
) -> Case {
    Case { name: name.into(), request, status, code, field: None }
}

impl Case {
    /// The answer must complain about this field and about no other.
    #[must_use]
    pub fn naming(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// Sends the request; gives the answer and what is wrong with it. Each answer has a
    /// `request_id` of its own, which is added to `ids`.
    async fn send(self, world: &World, ids: &mut HashSet<String>) -> (Answer, Vec<String>) {
        let request = self.request.build().unwrap();
        let (method, secrets) = (request.method().clone(), secrets(&request));
        let answer = send(RequestBuilder::from_parts(world.http.clone(), request)).await;
        if method == Method::HEAD {
            let holds = (answer.status.as_u16(), answer.bytes.len()) == (self.status, 0);
            let fault = (!holds).then(|| format!("expected {} and no body", self.status));
            return (answer, fault.into_iter().collect());
        }
        let mut found = faults_of(&answer, self.status, self.code);
        if found.is_empty() && !self.field.is_none_or(|field| names_only(&answer, &field)) {
            found.push("does not name the one field that is wrong".to_owned());
        }
        let text = answer.text();
        if secrets.iter().any(|secret| text.contains(secret.as_str())) {
            found.push("repeats a secret".to_owned());
        }
        if found.is_empty() && !ids.insert(answer.json()["request_id"].to_string()) {
            found.push("has the request_id of another answer".to_owned());
        }
        (answer, found)
    }
}

/// Whether an answer complains about `field`, whose name it may shorten, and about no other.
fn names_only(answer: &Answer, field: &str) -> bool {
    let errors = &answer.json()["errors"];
    let named = errors[0]["field"].as_str().unwrap_or_default();
    errors.as_array().is_some_and(|errors| errors.len() == 1)
        && field.starts_with(named)
        && named.len() >= field.len().min(40)
}

/// The password, token or cursor in a request, which no answer may repeat.
fn secrets(request: &Request) -> Vec<String> {
    let body = request.body().and_then(Body::as_bytes).unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let bearer = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let query = request.url().query_pairs().map(|(_, value)| value.into_owned());
    let all = body["password"].as_str().map(str::to_owned).into_iter();
    let all = all.chain(bearer.map(|value| value.trim_start_matches("Bearer ").to_owned()));
    all.chain(query).filter(|secret| secret.len() > 4).collect()
}

/// In what an answer falls short of the contract for refusals; empty when all is well.
pub fn faults_of(answer: &Answer, status: u16, code: &str) -> Vec<String> {
    const INTERNALS: [&str; 8] = [
        "DynamoDB",
        "dispatch failure",
        "panicked",
        "src/",
        "Table",
        "serde",
        "argon2",
        "ServiceError",
    ];
    if (answer.status.as_u16(), answer.code().as_str()) != (status, code) {
        return vec![format!("expected {status} {code}")];
    }
    let problem = answer.json();
    let text = answer.text();
    let mut faults = Vec::new();
    let mut expect = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    expect(problem["status"] == answer.status.as_u16(), "its status is not that of the answer");
    for member in ["type", "title", "detail", "code", "request_id"] {
        let is_text = problem[member].as_str().is_some_and(|text| !text.is_empty());
        expect(is_text, &format!("lacks {member}"));
    }
    for (name, value) in [
        ("content-type", "application/problem+json"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        expect(answer.header(name) == value, &format!("{name} is not {value}"));
    }
    let hsts = answer.header("strict-transport-security");
    expect(hsts.starts_with("max-age="), "lacks Strict-Transport-Security");
    let challenge = answer.header("www-authenticate");
    expect(answer.status != 401 || challenge.starts_with("Bearer "), "lacks WWW-Authenticate");
    expect(answer.status != 405 || !answer.header("allow").is_empty(), "lacks Allow");
    let named = problem["errors"].as_array().is_some_and(|errors| {
        let is_named = |it: &Value| it["field"].is_string() && it["message"].is_string();
        !errors.is_empty() && errors.iter().all(is_named)
    });
    expect(code != "invalid_field" || named, "does not name the fields");
    for word in INTERNALS {
        expect(!text.contains(word), &format!("shows internals: {word}"));
    }
    faults
}
