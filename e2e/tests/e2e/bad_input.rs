//! What is refused, in which words, and that nothing is left behind by it.

use std::collections::HashSet;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use reqwest::{Body, Method, Request, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use share_e2e::samples::{docx, noise, pdf, png, zip_of_size};
use share_e2e::{Answer, World, send};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SIGNUP: &str = "/api/users/signup";
const LOGIN: &str = "/api/client/login";
const UPLOAD: &str = "/api/files/upload";
const LIST: &str = "/api/files/list";
const LINK: &str = "/api/files/generate-download-link";
const LOAD: &str = "/api/file/generate-load";
const DOWNLOAD: &str = "/api/file/download";
const VERIFY: &str = "/api/users/verify-email";
const LINKS: &str = "/api/links";

const MIB: usize = 1024 * 1024;

/// A request, and what the contract says about it.
struct Case {
    name: String,
    request: RequestBuilder,
    status: u16,
    code: &'static str,
    /// The one field that the answer must name.
    field: Option<String>,
}

impl Case {
    fn naming(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }
}

fn case(name: impl Into<String>, request: RequestBuilder, status: u16, code: &'static str) -> Case {
    Case { name: name.into(), request, status, code, field: None }
}

/// Sends every request. Each must be refused as its case says, and all together must leave the
/// store as it was.
async fn refuse_all(world: &World, cases: Vec<Case>) {
    let before = world.stored().await;
    let (mut faults, mut ids) = (Vec::new(), HashSet::new());
    for Case { name, request, status, code, field } in cases {
        let request = request.build().unwrap();
        let (method, secrets) = (request.method().clone(), secrets(&request));
        let answer = send(RequestBuilder::from_parts(world.http.clone(), request)).await;
        if method == Method::HEAD {
            assert_eq!((answer.status.as_u16(), answer.bytes.len()), (status, 0), "{name}");
            continue;
        }
        let mut found = faults_of(&answer, status, code);
        if found.is_empty() && !field.is_none_or(|field| names_only(&answer, &field)) {
            found.push("does not name the one field that is wrong".to_owned());
        }
        let text = answer.text();
        if secrets.iter().any(|secret| text.contains(secret.as_str())) {
            found.push("repeats a secret".to_owned());
        }
        if found.is_empty() && !ids.insert(answer.json()["request_id"].to_string()) {
            found.push("has the request_id of another answer".to_owned());
        }
        if !found.is_empty() {
            let shown: String = text.chars().take(300).collect();
            faults.push(format!("{name}: {}\n    {} {shown}", found.join("; "), answer.status));
        }
    }
    assert!(faults.is_empty(), "{} cases:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(world.stored().await, before, "a refused request changed the store");
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
pub(crate) fn faults_of(answer: &Answer, status: u16, code: &str) -> Vec<String> {
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

/// Bodies that are not a JSON object.
const NOT_AN_OBJECT: [(&str, &[u8]); 16] = [
    ("nothing", b""),
    ("white space", b" \r\n"),
    ("a brace", b"{"),
    ("half an object", b"{\"username\": \"mall"),
    ("a list", b"[]"),
    ("null", b"null"),
    ("a text", b"\"{}\""),
    ("a number", b"42"),
    ("single quotes", b"{'username': 'mallory'}"),
    ("a comma too many", b"{\"username\": \"mallory\",}"),
    ("two objects", b"{} {}"),
    ("a comment", b"{/* */}"),
    ("NaN", b"{\"username\": NaN}"),
    ("half a surrogate pair", b"{\"username\": \"\\ud800\"}"),
    ("bytes that are not UTF-8", b"{\"username\": \"\xff\"}"),
    ("a raw control character", b"{\"username\": \"\x01\"}"),
];

#[tokio::test]
async fn a_body_that_is_not_a_json_object_or_not_declared_as_json_is_refused() {
    let world = World::start().await;
    let client = world.token("client").await;
    let file = world.some_file().await;
    let post = |path: &str, media_type: Option<&str>, body: Vec<u8>| {
        let request = world.request(Method::POST, path).bearer_auth(&client).body(body);
        media_type.iter().fold(request, |it, media_type| it.header(CONTENT_TYPE, *media_type))
    };
    let login = json!({"username": "client", "password": "local-client-password"});
    let endpoints = [
        (SIGNUP, signup_with("role", &json!("client"))),
        (LOGIN, login),
        (LOAD, json!({"file_id": file})),
        (&format!("{LINK}/{file}"), json!({"filename": "note.txt"})),
    ];
    let mut cases = Vec::new();
    for (path, good) in &endpoints {
        for (name, body) in NOT_AN_OBJECT {
            // With the file in the path, a link needs no body.
            if !(body.is_empty() && path.starts_with(LINK)) {
                let request = post(path, Some("application/json"), body.to_vec());
                cases.push(case(format!("{path}: {name}"), request, 400, "malformed_json"));
            }
        }
        let deep = "[".repeat(100_000).into_bytes();
        let request = post(path, Some("application/json"), deep);
        cases.push(case(format!("{path}: 100,000 brackets"), request, 400, "malformed_json"));
        for media_type in [
            None,
            Some("text/plain"),
            Some("text/plain;charset=application/json"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=application/json"),
            Some("application/xml"),
            Some("application/jsonp"),
            Some("json"),
            Some(""),
        ] {
            let name = format!("{path}: JSON sent as {media_type:?}");
            let request = post(path, media_type, good.to_string().into_bytes());
            cases.push(case(name, request, 415, "unsupported_media_type"));
        }
    }
    let form = b"username=client&password=local-client-password".to_vec();
    let request = post(LOGIN, Some("application/x-www-form-urlencoded"), form);
    cases.push(case("a login from an HTML form", request, 415, "unsupported_media_type"));
    let request = post(LOGIN, None, Vec::new());
    cases.push(case("a login without body and type", request, 415, "unsupported_media_type"));
    refuse_all(&world, cases).await;
}

#[tokio::test]
async fn the_media_type_of_json_is_read_without_case_and_parameters() {
    let world = World::start().await;
    let body = json!({"username": "client", "password": "local-client-password"}).to_string();
    for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/json;"] {
        let request = world.request(Method::POST, LOGIN).header(CONTENT_TYPE, media_type);
        let answer = send(request.body(body.clone())).await;
        assert_eq!(answer.status, 200, "{media_type}: {answer:?}");
    }
}

/// A sign-up that would succeed if `field` were not `value`.
fn signup_with(field: &str, value: &Value) -> Value {
    let mut body = json!({"username": "mallory", "email": "mallory@example.org",
        "password": "correct horse battery"});
    body[field] = value.clone();
    body
}

/// Values of `username`, `email` and `password` that break the rules.
fn broken_fields() -> Vec<(&'static str, Value)> {
    let names = ["", "ab", "a b", " mallory", "mal/ory", "../mallory", "mal\0ory", "mal\nory"];
    // A Cyrillic а, a full-width ａ, a letter with an accent, a space of no width.
    let look_alikes = ["\u{430}dmin", "\u{ff41}dmin", "admín", "admin\u{200b}", "<b>mallory"];
    let too_long = ["m".repeat(65), "m".repeat(100_000)];
    let names = names.into_iter().chain(look_alikes).map(str::to_owned).chain(too_long);
    let emails = [
        "",
        "mallory",
        "mallory@",
        "@example.org",
        "mallory@localhost",
        "mal lory@example.org",
        " mallory@example.org",
        "mallory@@example.org",
        "mal..lory@example.org",
        ".mallory@example.org",
        "mallory@example..org",
        "mallory@[127.0.0.1]",
        "\"mal lory\"@example.org",
        "Mallory <mallory@example.org>",
        "mallory@example.org, ops@example.com",
        "mallory@example.org\r\nBcc: victim@example.org",
        "mall\u{f6}ry@example.org",
        "mallory@ex\u{e4}mple.org",
        "mallory@example.org\0",
    ];
    let too_long = format!("{}@example.org", "m".repeat(300));
    let emails = emails.into_iter().map(str::to_owned).chain([too_long]);
    let passwords = [
        String::new(),
        "kurz_7!".to_owned(),
        // 7 characters of 28 bytes.
        "🔑".repeat(7),
        "x".repeat(257),
        "é".repeat(257),
        "x".repeat(MIB),
        "12345678".to_owned(),
        "iloveyou".to_owned(),
        "QwertyUiop".to_owned(),
        "mallory@example.org".to_owned(),
        "Mallory@Example.org".to_owned(),
    ];
    let with = |field: &'static str| move |value: String| (field, Value::String(value));
    let texts = names.map(with("username")).chain(emails.map(with("email")));
    let texts = texts.chain(passwords.map(with("password")));
    let others = ["username", "email", "password"].into_iter().flat_map(|field| {
        let values = [json!(null), json!(12_345_678), json!(true), json!(["mallory@example.org"])];
        values.into_iter().chain([json!({"$gt": ""})]).map(move |value| (field, value))
    });
    texts.chain(others).collect()
}

#[tokio::test]
async fn a_sign_up_that_breaks_a_rule_is_refused_field_by_field() {
    let world = World::start().await;
    let post = |body: &Value| world.request(Method::POST, SIGNUP).json(body);
    let mut cases = Vec::new();
    let shortened = |value: &Value| value.to_string().chars().take(40).collect::<String>();
    for (field, value) in broken_fields() {
        let name = format!("{field} {}", shortened(&value));
        let request = post(&signup_with(field, &value));
        cases.push(case(name, request, 422, "invalid_field").naming(field));
    }
    for field in ["username", "email", "password"] {
        let mut body = signup_with("role", &json!("client"));
        body.as_object_mut().unwrap().remove(field);
        let name = format!("no {field}");
        cases.push(case(name, post(&body), 422, "invalid_field").naming(field));
    }
    for (field, value) in [
        ("is_active", json!(true)),
        ("verified", json!(true)),
        ("is_verified", json!(true)),
        ("id", json!("1")),
        ("Username", json!("mallory")),
        ("constructor", json!({})),
        (&"x".repeat(10_000), json!(1)),
        ("role", json!("admin")),
        ("role", json!("superuser")),
        ("role", json!("")),
        ("role", json!(1)),
        ("role", json!(["ops"])),
    ] {
        let name = format!("{} {}", &field[..field.len().min(20)], shortened(&value));
        let request = post(&signup_with(field, &value));
        cases.push(case(name, request, 422, "invalid_field").naming(field));
    }
    for own in ["mallory.the.first", "Mallory.The.First"] {
        let mut body = signup_with("username", &json!(own));
        body["password"] = json!("mallory.the.first");
        let request = post(&body);
        let name = format!("the password of {own} is the name");
        cases.push(case(name, request, 422, "invalid_field").naming("password"));
    }
    let ops = signup_with("role", &json!("ops"));
    cases.push(case("Ops without invitation", post(&ops), 403, "ops_by_invitation"));
    for taken in ["client", "CLIENT", "Ops", "admin"] {
        let body = signup_with("username", &json!(taken));
        cases.push(case(format!("the name {taken}"), post(&body), 409, "username_taken"));
    }
    refuse_all(&world, cases).await;
    let good = world.post(SIGNUP, &signup_with("role", &json!("client"))).await;
    assert_eq!(good.status, 201, "with no fault it would have succeeded: {good:?}");
}

#[tokio::test]
async fn limits_of_names_and_passwords_are_inclusive() {
    let world = World::start().await;
    for (name, password) in [
        ("abc".to_owned(), "passt_8!".to_owned()),
        ("m".repeat(64), "é".repeat(256)),
        ("A.b_c@d+e-9".to_owned(), "        8 spaces and more".to_owned()),
    ] {
        let email = format!("{}@example.org", name.replace('@', "."));
        let body = json!({"username": name, "email": email, "password": password});
        let answer = world.post(SIGNUP, &body).await;
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        let url = answer.json()["verification_url"].as_str().unwrap().to_owned();
        assert_eq!(world.open(&url).await.status, 200);
        let answer = world.post(LOGIN, &json!({"username": name, "password": password})).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_login_that_is_incomplete_or_wrong_is_refused() {
    let world = World::start().await;
    let right = "local-client-password";
    let table = [
        (json!({}), 422, "invalid_field"),
        (json!({"username": "client"}), 422, "invalid_field"),
        (json!({"email": "client@example.com"}), 422, "invalid_field"),
        (json!({"password": right}), 422, "invalid_field"),
        (
            json!({"username": "client", "email": "client@example.com", "password": right}),
            422,
            "invalid_field",
        ),
        (json!({"username": "client", "password": ""}), 422, "invalid_field"),
        (json!({"username": "client", "password": "x".repeat(257)}), 422, "invalid_field"),
        (json!({"username": "client", "password": "x".repeat(MIB)}), 422, "invalid_field"),
        (json!({"username": "client", "password": null}), 422, "invalid_field"),
        (json!({"username": "client", "password": 12_345_678}), 422, "invalid_field"),
        (json!({"username": "client", "password": [right]}), 422, "invalid_field"),
        (json!({"username": {"$ne": null}, "password": right}), 422, "invalid_field"),
        (json!({"email": true, "password": right}), 422, "invalid_field"),
        (json!({"username": null, "password": right}), 422, "invalid_field"),
        (json!({"username": "client", "password": right, "role": "ops"}), 422, "invalid_field"),
        (json!({"username": "client", "password": "wrong password"}), 401, "invalid_credentials"),
        (json!({"username": "client", "password": "x"}), 401, "invalid_credentials"),
        (
            json!({"username": "client", "password": format!("{right} ")}),
            401,
            "invalid_credentials",
        ),
        (
            json!({"username": "client", "password": "LOCAL-CLIENT-PASSWORD"}),
            401,
            "invalid_credentials",
        ),
        (json!({"username": "nobody", "password": right}), 401, "invalid_credentials"),
        (json!({"username": "", "password": right}), 401, "invalid_credentials"),
        (json!({"username": "client\0", "password": right}), 401, "invalid_credentials"),
        (json!({"username": "x".repeat(100_000), "password": right}), 401, "invalid_credentials"),
        (json!({"username": "client@example.com", "password": right}), 401, "invalid_credentials"),
        (json!({"email": "client", "password": right}), 401, "invalid_credentials"),
        (json!({"email": "nobody@example.com", "password": right}), 401, "invalid_credentials"),
    ];
    let cases = table.map(|(body, status, code)| {
        let name: String = body.to_string().chars().take(80).collect();
        case(name, world.request(Method::POST, LOGIN).json(&body), status, code)
    });
    refuse_all(&world, cases.into()).await;
    for who in [("username", "client"), ("username", "CLIENT"), ("email", "Client@Example.com")] {
        let answer = world.post(LOGIN, &json!({who.0: who.1, "password": right})).await;
        assert_eq!(answer.status, 200, "{who:?}: {answer:?}");
    }
}

const BOUNDARY: &str = "a-boundary-of-the-tests";

/// A form by hand, since no client builds wrong ones. A part is what follows `form-data; `, and
/// its content.
fn form(parts: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; ").into_bytes();
        body.extend([&head, *disposition, b"\r\n\r\n", *content, b"\r\n"].concat());
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// A form with one file in the part `file`.
fn form_of(filename: &str, content: &[u8]) -> Vec<u8> {
    let escaped = filename.replace('"', "\\\"");
    form(&[(format!("name=\"file\"; filename=\"{escaped}\"").as_bytes(), content)])
}

/// Uploads as Ops whatever it is given.
struct Uploader<'a> {
    world: &'a World,
    ops: String,
}

impl Uploader<'_> {
    fn form(&self, body: Vec<u8>) -> RequestBuilder {
        self.typed(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    fn typed(&self, media_type: &str, body: Vec<u8>) -> RequestBuilder {
        let request = self.world.request(Method::POST, UPLOAD).bearer_auth(&self.ops);
        request.header(CONTENT_TYPE, media_type).body(body)
    }
}

async fn uploader(world: &World) -> Uploader<'_> {
    Uploader { world, ops: world.token("ops").await }
}

#[tokio::test]
async fn a_file_whose_name_deceives_escapes_or_breaks_a_header_is_refused() {
    let world = World::start().await;
    let uploader = uploader(&world).await;
    let too_long = format!("{}.txt", "é".repeat(148));
    assert_eq!(too_long.len(), 300);
    let mut cases: Vec<_> = [
        "",
        " ",
        ".",
        "..",
        "../note.txt",
        "../../etc/passwd.txt",
        "/etc/note.txt",
        "folder/note.txt",
        "folder\\note.txt",
        "C:\\note.txt",
        ".htaccess",
        ".note.txt",
        " note.txt",
        "note.txt ",
        "note.txt.",
        "no\tte.txt",
        "exe.\u{202e}txt",
        "\u{200f}note.txt",
        "no\u{2066}te.txt",
        "no\u{feff}te.txt",
        "no\u{85}te.txt",
        "no\u{2028}te.txt",
        &too_long,
        &format!("{}.txt", "a".repeat(252)),
        &format!("{}.txt", "a".repeat(100_000)),
    ]
    .into_iter()
    .map(|name| {
        let shown = format!("the name {:?}", name.chars().take(30).collect::<String>());
        case(shown, uploader.form(form_of(name, b"a note")), 422, "invalid_field")
    })
    .collect();
    // Characters that no header can hold, and line breaks, break the form itself.
    for name in ["no\0te.txt", "no\x7fte.txt", "no\x1bte.txt", "no\r\nte.txt"] {
        let request = uploader.form(form_of(name, b"a note"));
        cases.push(case(format!("the name {name:?}"), request, 400, "malformed_multipart"));
    }
    // A line break that forges a header leaves a name without an end, which is no name.
    let request = uploader.form(form_of("no\r\nSet-Cookie: te.txt", b"a note"));
    cases.push(case("a forged header in the name", request, 422, "invalid_field"));
    let latin_1 = b"name=\"file\"; filename=\"\xfcber.txt\"";
    let request = uploader.form(form(&[(latin_1, b"a note")]));
    cases.push(case("a name in Latin-1", request, 422, "invalid_field"));
    for name in ["report.pdf.exe", "report", "report.", "page.html", "macro.docm", "run.sh"] {
        if !name.ends_with('.') {
            let request = uploader.form(form_of(name, &pdf()));
            cases.push(case(format!("the name {name}"), request, 415, "file_type_not_allowed"));
        }
    }
    refuse_all(&world, cases).await;
}

#[tokio::test]
async fn a_file_whose_content_is_not_what_its_name_says_is_refused() {
    let world = World::start().await;
    let uploader = uploader(&world).await;
    let (zip, docx) = (zip_of_size(1000), docx());
    let mut cases: Vec<_> = [
        ("png.pdf", png()),
        ("pdf.png", pdf()),
        ("png.jpg", png()),
        ("png.jpeg", png()),
        ("png.txt", png()),
        ("pdf.txt", pdf()),
        ("pdf.csv", pdf()),
        ("program.txt", b"\x7fELF\x02\x01\x01\0".to_vec()),
        ("program.pdf", b"MZ\x90\0\x03\0\0\0".to_vec()),
        ("text.pdf", b"a note".to_vec()),
        // ISO 32000 readers look for the header in the first 1024 bytes.
        ("late.pdf", [" ".repeat(1024).as_bytes(), &pdf()].concat()),
        ("text.zip", b"a note".to_vec()),
        ("start-of-a.zip", zip[..3].to_vec()),
        ("zip.docx", zip.clone()),
        ("zip.pptx", zip.clone()),
        ("zip.xlsx", zip),
        ("docx.xlsx", docx.clone()),
        ("docx.pptx", docx.clone()),
        ("first-half-of-a.docx", docx[..docx.len() / 2].to_vec()),
        ("second-half-of-a.docx", docx[docx.len() / 2..].to_vec()),
        ("start-of-a.docx", docx[..4].to_vec()),
        ("docx.pdf", docx),
    ]
    .into_iter()
    .map(|(name, content)| {
        case(name, uploader.form(form_of(name, &content)), 415, "content_mismatch")
    })
    .collect();
    for name in ["empty.txt", "empty.pdf", "empty.docx", "empty.zip"] {
        cases.push(case(name, uploader.form(form_of(name, b"")), 422, "invalid_field"));
    }
    refuse_all(&world, cases).await;
}

#[tokio::test]
async fn a_text_that_speaks_of_other_types_is_a_text() {
    let world = World::start().await;
    let uploader = uploader(&world).await;
    for (name, content) in [
        ("how-to.txt", "A PDF file begins with %PDF-1.7."),
        ("signatures.csv", "type;first bytes\npdf;%PDF\nzip;PK\npng;PNG\n"),
        ("page.txt", "<!DOCTYPE html><script>alert(1)</script>"),
        ("script.txt", "#!/bin/sh\n"),
    ] {
        let answer = send(uploader.form(form_of(name, content.as_bytes()))).await;
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        let text = ["text/plain", "text/csv"];
        assert!(text.iter().any(|text| answer.json()["content_type"] == *text), "{answer:?}");
    }
}

#[tokio::test]
async fn a_form_that_is_broken_or_not_one_file_is_refused() {
    let world = World::start().await;
    let uploader = uploader(&world).await;
    let file: (&[u8], &[u8]) = (b"name=\"file\"; filename=\"note.txt\"", b"a note");
    let good = form(&[file]);
    let other = form(&[file, (b"name=\"comment\"", b"for you")]);
    let first = form(&[(b"name=\"comment\"", b"for you"), file]);
    let named: &[u8] = b"name=\"document\"; filename=\"note.txt\"";
    let one_file = [
        ("two files", form(&[file, file])),
        ("no part at all", form(&[])),
        ("a part of another name", form(&[(named, b"a note")])),
        ("a part that is no file", form(&[(b"name=\"file\"", b"a note")])),
        ("a part without a name", form(&[(b"filename=\"note.txt\"", b"a note")])),
        ("a field after the file", other),
        ("a field before the file", first),
        ("FILE for file", form(&[(b"name=\"FILE\"; filename=\"note.txt\"", b"a note")])),
    ];
    let mut cases: Vec<_> = one_file
        .into_iter()
        .map(|(name, body)| case(name, uploader.form(body), 422, "invalid_field"))
        .collect();
    let text = String::from_utf8(good.clone()).unwrap();
    let broken = [
        ("an empty body", Vec::new()),
        ("bytes that are no form", noise(1000)),
        ("a body without its last line", good[..good.len() - BOUNDARY.len() - 8].to_vec()),
        ("a body cut in its content", good[..text.find("a note").unwrap() + 3].to_vec()),
        ("a body cut in its headers", good[..text.find("filename").unwrap()].to_vec()),
        ("a boundary that never appears", text.replace(BOUNDARY, "another").into_bytes()),
        ("headers without their end", text.replace("\r\n\r\n", "\r\n").into_bytes()),
        ("a header without a colon", text.replace("Disposition:", "Disposition").into_bytes()),
    ];
    for (name, body) in broken {
        cases.push(case(name, uploader.form(body), 400, "malformed_multipart"));
    }
    for media_type in ["multipart/form-data", "multipart/form-data; charset=utf-8"] {
        let request = uploader.typed(media_type, good.clone());
        cases.push(case("no boundary", request, 400, "malformed_multipart"));
    }
    for media_type in [
        "",
        "text/plain",
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=a-boundary-of-the-tests",
        "multipart/form-database; boundary=a-boundary-of-the-tests",
    ] {
        let request = uploader.typed(media_type, good.clone());
        let name = format!("a form sent as {media_type:?}");
        cases.push(case(name, request, 415, "unsupported_media_type"));
    }
    let untyped = world.request(Method::POST, UPLOAD).bearer_auth(&uploader.ops).body(good.clone());
    cases.push(case("a form without a type", untyped, 415, "unsupported_media_type"));
    refuse_all(&world, cases).await;
    assert_eq!(send(uploader.form(good)).await.status, 201, "the form itself was good");
}

#[tokio::test]
async fn a_file_may_have_4_mib_and_a_larger_one_or_a_larger_request_is_refused() {
    let world = World::start().await;
    let uploader = uploader(&world).await;
    let largest = send(uploader.form(form_of("largest.zip", &zip_of_size(4 * MIB)))).await;
    assert_eq!(largest.status, 201, "{largest:?}");
    assert_eq!(largest.json()["size"], 4 * MIB);
    let mut cases = Vec::new();
    for (size, code) in [
        (4 * MIB + 1, "file_too_large"),
        (4_500_000, "file_too_large"),
        (5 * MIB, "request_too_large"),
        (11 * MIB, "request_too_large"),
    ] {
        let request = uploader.form(form_of("large.zip", &zip_of_size(size)));
        cases.push(case(format!("a file of {size} bytes"), request, 413, code));
    }
    let request = uploader.form(form_of("large.exe", &noise(4 * MIB + 1)));
    cases.push(case("a large file of another type", request, 413, "file_too_large"));
    let large = signup_with("password", &json!("x".repeat(5 * MIB)));
    let request = world.request(Method::POST, SIGNUP).json(&large);
    cases.push(case("a sign-up of 5 MiB", request, 413, "request_too_large"));
    let request = world.request(Method::POST, LOGIN).body(vec![b'{'; 11 * MIB]);
    cases.push(case("a login of 11 MiB", request, 413, "request_too_large"));
    refuse_all(&world, cases).await;
}

#[tokio::test]
async fn an_unusual_but_honest_file_name_comes_back_whole() {
    let world = World::start().await;
    let uploader = uploader(&world).await;
    let client = world.token("client").await;
    let longest = format!("{}.txt", "a".repeat(251));
    for (name, encoded) in [
        ("say \"hi\".txt", "say%20%22hi%22.txt"),
        ("\".txt", "%22.txt"),
        ("Übersicht – Q3.txt", "%C3%9Cbersicht%20%E2%80%93%20Q3.txt"),
        ("日本語.txt", "%E6%97%A5%E6%9C%AC%E8%AA%9E.txt"),
        ("a;b=c, (d).txt", "a%3Bb%3Dc%2C%20%28d%29.txt"),
        ("it's 100%.txt", "it%27s%20100%25.txt"),
        ("no%0D%0Ate.txt", "no%250D%250Ate.txt"),
        ("report.exe.txt", "report.exe.txt"),
        ("SHOUT.TXT", "SHOUT.TXT"),
        (&longest, &longest),
    ] {
        let answer = send(uploader.form(form_of(name, b"a note"))).await;
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        assert_eq!(answer.json()["filename"], name);
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let answer = world.open(&world.link(&id, &client).await).await;
        assert_eq!(answer.bytes, b"a note");
        // A header is ASCII, or `header` would have stopped here.
        let disposition = answer.header("content-disposition");
        let (stand_in, exact) = disposition.split_once("; filename*=UTF-8''").unwrap();
        assert_eq!(exact, encoded, "{name}");
        let stand_in = stand_in.strip_prefix("attachment; filename=\"").unwrap();
        let stand_in = stand_in.strip_suffix('"').unwrap();
        assert!(!stand_in.contains(['"', '\\']), "{stand_in}");
    }
}

/// The `cursor` of a list's next page.
async fn cursor(world: &World, path: &str, token: &str) -> String {
    let answer = world.get(&format!("{path}?limit=1"), token).await;
    answer.next().unwrap().split_once("cursor=").unwrap().1.to_owned()
}

/// Every list, and who may see it. Each has two pages of one record.
async fn lists(world: &World) -> [(String, String); 3] {
    let (client, ops) = (world.token("client").await, world.token("ops").await);
    world.some_file().await;
    let file = world.some_file().await;
    world.link(&file, &client).await;
    world.link(&file, &client).await;
    let receipts = format!("/api/files/{file}/receipts");
    [(LIST.to_owned(), client.clone()), (LINKS.to_owned(), client), (receipts, ops)]
}

#[tokio::test]
async fn a_page_that_a_list_never_offered_is_refused() {
    let (world, foreign) = (World::start().await, [("JWT_SECRET", "x".repeat(40))]);
    let foreign = World::start_with(&foreign.each_ref().map(|it| (it.0, it.1.as_str()))).await;
    let foreign_lists = lists(&foreign).await;
    for ((path, token), (foreign_path, foreign_token)) in
        lists(&world).await.iter().zip(&foreign_lists)
    {
        let genuine = cursor(&world, path, token).await;
        let foreign = cursor(&foreign, foreign_path, foreign_token).await;
        never_offered(&world, path, token, &genuine, &foreign).await;
    }
}

async fn never_offered(world: &World, path: &str, token: &str, genuine: &str, foreign: &str) {
    let list =
        |query: &str| world.request(Method::GET, &format!("{path}?{query}")).bearer_auth(token);
    let (content, tag) = genuine.split_once('.').unwrap();
    let (foreign_content, foreign_tag) = foreign.split_once('.').unwrap();
    let cursors = [
        "",
        ".",
        "x",
        "null",
        content,
        tag,
        &format!("{content}."),
        &format!(".{tag}"),
        &format!("{tag}.{content}"),
        &format!("{content}.{tag}."),
        &format!("{genuine}A"),
        &format!("{genuine}%3D"),
        &genuine[1..],
        &genuine[..genuine.len() - 1],
        &swap_a_letter(genuine, content.len() / 2),
        &swap_a_letter(genuine, content.len() + 5),
        foreign,
        &format!("{content}.{foreign_tag}"),
        &format!("{foreign_content}.{tag}"),
        token,
        &"A".repeat(8192),
    ];
    let mut cases: Vec<_> = cursors
        .map(|cursor| {
            let name = format!("{path}, the cursor {}", &cursor[..cursor.len().min(60)]);
            case(name, list(&format!("limit=1&cursor={cursor}")), 400, "invalid_parameter")
        })
        .into();
    let many = "1".repeat(8192);
    for limit in
        ["", "0", "101", "-1", "abc", "1.5", "1e1", "0x10", "%31%30%30%30", "%201", "1%00", &many]
    {
        let name = format!("{path}, the limit {}", &limit[..limit.len().min(20)]);
        cases.push(case(name, list(&format!("limit={limit}")), 400, "invalid_parameter"));
    }
    refuse_all(world, cases).await;
    for query in [&format!("cursor={genuine}"), "limit=1", "limit=100"] {
        assert_eq!(send(list(query)).await.status, 200, "{path}?{query}");
    }
}

/// `text` with another letter at `place`.
fn swap_a_letter(text: &str, place: usize) -> String {
    let other = if &text[place..=place] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..place], &text[place + 1..])
}

#[tokio::test]
async fn a_link_to_what_is_no_file_or_another_file_is_refused() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    let to = |id: &str| format!("{LINK}/{id}");
    let request = |method: Method, path: &str| world.request(method, path).bearer_auth(&token);
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut cases = Vec::new();
    for method in [Method::GET, Method::POST] {
        for malformed in [
            "1",
            "note.txt",
            "null",
            "not-a-uuid",
            "%00",
            "%20",
            "..%2f..%2fetc%2fpasswd",
            "..%5c..%5cwindows",
            "%F0%9F%92%A9",
            "%ff",
            &id.replace('-', ""),
            &id[1..],
            &format!("{id}0"),
            &format!("{id}%20"),
            &format!("{id}%0A"),
            &format!("%7B{id}%7D"),
            &format!("urn:uuid:{id}"),
            &id.replace('-', "_"),
            &format!("g{}", &id[1..]),
            &"0".repeat(8192),
        ] {
            let name = format!("{method} the id {}", &malformed[..malformed.len().min(50)]);
            let request = request(method.clone(), &to(malformed));
            cases.push(case(name, request, 400, "invalid_parameter"));
        }
        for unknown in [unknown, "00000000-0000-0000-0000-000000000000"] {
            let request = request(method.clone(), &to(unknown));
            cases.push(case(format!("{method} {unknown}"), request, 404, "file_unknown"));
        }
    }
    let nobody_asked = json!({"filename": "note.txt", "one_time": false});
    for (path, body, status, code) in [
        (to(&id), json!({"filename": "other.txt"}), 409, "filename_mismatch"),
        (to(&id), json!({"filename": "NOTE.TXT"}), 409, "filename_mismatch"),
        (to(&id), json!({"filename": ""}), 409, "filename_mismatch"),
        (to(&id), json!({"filename": 1}), 422, "invalid_field"),
        (to(&id), json!({"filename": ["note.txt"]}), 422, "invalid_field"),
        (to(&id), json!({"file_id": unknown}), 422, "invalid_field"),
        (to(&id), nobody_asked, 422, "invalid_field"),
        (to(unknown), json!({"filename": "note.txt"}), 404, "file_unknown"),
        (LOAD.to_owned(), json!({}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"filename": "note.txt"}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": null}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": 1}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": [id]}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": ""}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": "../note.txt"}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": id.replace('-', "")}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": id, "ttl": 1_000_000}), 422, "invalid_field"),
        (LOAD.to_owned(), json!({"file_id": unknown}), 404, "file_unknown"),
        (
            LOAD.to_owned(),
            json!({"file_id": id, "filename": "other.txt"}),
            409,
            "filename_mismatch",
        ),
    ] {
        let request = request(Method::POST, &path).json(&body);
        cases.push(case(format!("{path} {body}"), request, status, code));
    }
    refuse_all(&world, cases).await;
    // RFC 9562, section 4: written in lower case, read in either.
    let answer = send(request(Method::POST, &to(&id.to_uppercase()))).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json()["file_id"], id.as_str());
    let right = json!({"file_id": id, "filename": "note.txt"});
    assert_eq!(send(request(Method::POST, LOAD).json(&right)).await.status, 201);
}

#[tokio::test]
async fn terms_of_a_link_that_are_wrong_are_refused_by_name() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    let path = format!("{LINK}/{id}");
    let request = |path: &str| world.request(Method::POST, path).bearer_auth(&token);
    let shown = |value: &Value| value.to_string().chars().take(40).collect::<String>();
    let no_numbers =
        [json!("3"), json!(1.5), json!(3.0), json!(1e3), json!(true), json!([60]), json!({})];
    let no_flags = [json!(0), json!(1), json!("true"), json!(""), json!([true]), json!({})];
    let no_texts = [json!(1), json!(true), json!(["a note"]), json!({"text": "a note"})];
    let out_of_bounds =
        [json!(0), json!(-1), json!(101), json!(1_000_000), json!(u64::MAX), json!(1e300)];
    let no_lines = ["", "two\nlines", "two\r\nlines", "a\ttab", "a\0zero", "an escape \u{1b}[2J"];
    let too_long = ["x".repeat(201), "é".repeat(201), "🔑".repeat(201), "x".repeat(MIB)];
    let lines = no_lines.map(|text| json!(text)).into_iter().chain(too_long.map(|it| json!(it)));
    let table = [
        ("max_downloads", no_numbers.iter().chain(&out_of_bounds).cloned().collect::<Vec<_>>()),
        (
            "expires_in",
            no_numbers
                .iter()
                .cloned()
                .chain([json!(59), json!(604_801), json!(-60), json!(i64::MIN)])
                .collect(),
        ),
        ("bind", no_flags.into()),
        ("note", no_texts.into_iter().chain(lines).collect()),
        ("maxDownloads", vec![json!(2)]),
        ("one_time", vec![json!(true)]),
        ("id", vec![json!("x")]),
    ];
    let mut cases = Vec::new();
    for (field, value) in
        table.iter().flat_map(|(field, all)| all.iter().map(move |it| (*field, it)))
    {
        let name = format!("{field} {}", shown(value));
        let by_path = request(&path).json(&json!({field: value}));
        cases.push(case(name.clone(), by_path, 422, "invalid_field").naming(field));
        let by_body = request(LOAD).json(&json!({"file_id": id, field: value}));
        cases.push(case(format!("{LOAD}: {name}"), by_body, 422, "invalid_field").naming(field));
    }
    for text in [
        "{\"max_downloads\": 01}",
        "{\"bind\": True}",
        "{\"expires_in\": 60 seconds}",
        "{\"note\": 'x'}",
    ] {
        let request = request(&path).header(CONTENT_TYPE, "application/json").body(text);
        cases.push(case(text, request, 400, "malformed_json"));
    }
    refuse_all(&world, cases).await;
    // All that is wrong is told at once.
    let all = json!({"max_downloads": 0, "expires_in": 1, "bind": 1, "note": "", "x": 1});
    let answer = send(request(&path).json(&all)).await;
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["max_downloads", "expires_in", "bind", "note", "x"]);
    for note in ["x", " ", &"é".repeat(200), "🔑 für Ann: \"Q3\" <b>&amp;"] {
        let link = world.link_with(&id, &token, &json!({"note": note, "max_downloads": 100})).await;
        assert_eq!(link["note"], *note);
    }
}

#[tokio::test]
async fn a_note_is_one_line_also_where_unicode_has_line_ends_of_its_own() {
    let world = World::start().await;
    let token = world.token("client").await;
    let path = format!("{LINK}/{}", world.some_file().await);
    // LINE SEPARATOR, PARAGRAPH SEPARATOR, NEXT LINE: mandatory breaks (UAX #14).
    let cases = ["\u{2028}", "\u{2029}", "\u{85}"].map(|end| {
        let body = json!({"note": format!("two{end}lines")});
        let request = world.request(Method::POST, &path).bearer_auth(&token).json(&body);
        case(format!("{end:?}"), request, 422, "invalid_field").naming("note")
    });
    refuse_all(&world, cases.into()).await;
}

#[tokio::test]
async fn what_is_no_id_of_a_link_or_a_file_is_told_apart_from_one_that_is_unknown() {
    let world = World::start().await;
    let (client, ops) = (world.token("client").await, world.token("ops").await);
    let file = world.some_file().await;
    let link = world.link_with(&file, &client, &json!({})).await["id"].as_str().unwrap().to_owned();
    let revoke =
        |id: &str| world.request(Method::DELETE, &format!("{LINKS}/{id}")).bearer_auth(&client);
    let receipts = |id: &str| {
        world.request(Method::GET, &format!("/api/files/{id}/receipts")).bearer_auth(&ops)
    };
    let both = ["1", "null", "%00", "%20", "..%2f..%2fetc%2fpasswd", "%ff", "%F0%9F%92%A9", "{id}"];
    let mut cases = Vec::new();
    for malformed in both {
        cases.push(case(
            format!("DELETE {malformed}"),
            revoke(malformed),
            400,
            "invalid_parameter",
        ));
        cases.push(case(
            format!("receipts of {malformed}"),
            receipts(malformed),
            400,
            "invalid_parameter",
        ));
    }
    for malformed in [
        &link[1..],
        &format!("{link}A"),
        &format!("{link}%3D"),
        &format!("%20{}", &link[1..]),
        &format!("{}%2B", &link[1..]),
        &format!("link%23{link}"),
        &file,
        &"A".repeat(8000),
    ] {
        let name = format!("DELETE {}", &malformed[..malformed.len().min(60)]);
        cases.push(case(name, revoke(malformed), 400, "invalid_parameter"));
    }
    for malformed in [&link, &file.replace('-', ""), &format!("{file}%20"), &"0".repeat(8000)] {
        let name = format!("receipts of {}", &malformed[..malformed.len().min(60)]);
        cases.push(case(name, receipts(malformed), 400, "invalid_parameter"));
    }
    let unknown = revoke(&swap_a_letter(&link, 20));
    cases.push(case("an unknown link", unknown, 404, "link_unknown"));
    let unknown = receipts("01890a5d-ac96-774b-bcce-b302099a8057");
    cases.push(case("an unknown file", unknown, 404, "file_unknown"));
    refuse_all(&world, cases).await;
    assert_eq!(send(revoke(&link)).await.status, 204);
}

#[tokio::test]
async fn a_wish_to_be_notified_is_true_or_false_and_said_once() {
    let world = World::start().await;
    let uploader = uploader(&world).await;
    let file: (&[u8], &[u8]) = (b"name=\"file\"; filename=\"note.txt\"", b"a note");
    let wish: &[u8] = b"name=\"notify\"";
    let values: [&[u8]; 9] =
        [b"", b"1", b"yes", b"on", b"TRUE", b"True", b" true", b"true\n", b"\xff"];
    let mut cases: Vec<_> = values
        .into_iter()
        .map(|value| {
            let name = format!("notify={}", String::from_utf8_lossy(value));
            let request = uploader.form(form(&[file, (wish, value)]));
            case(name, request, 422, "invalid_field").naming("notify")
        })
        .collect();
    let twice = form(&[(wish, b"true"), file, (wish, b"true")]);
    cases.push(case("twice", uploader.form(twice), 422, "invalid_field").naming("notify"));
    let as_file: &[u8] = b"name=\"notify\"; filename=\"notify.txt\"";
    let as_file = form(&[file, (as_file, b"true")]);
    cases.push(case("as a file", uploader.form(as_file), 422, "invalid_field").naming("notify"));
    let alone = form(&[(wish, b"true")]);
    cases.push(case("no file", uploader.form(alone), 422, "invalid_field").naming("file"));
    refuse_all(&world, cases).await;
    for (wish, place) in [(b"true".as_slice(), 0), (b"false", 1)] {
        let mut parts = vec![file];
        parts.insert(place, (b"name=\"notify\"", wish));
        let answer = send(uploader.form(form(&parts))).await;
        assert_eq!(answer.status, 201, "before or after the file: {answer:?}");
    }
}

/// The value of the query parameter `token`.
fn token_of(url: &str) -> &str {
    url.split_once("token=").unwrap().1
}

#[tokio::test]
async fn a_token_of_one_kind_is_unknown_as_any_other_and_none_is_spent() {
    let world = World::start().await;
    let login = json!({"username": "client", "password": "local-client-password"});
    let login = world.post(LOGIN, &login).await.json();
    let access = login["access"].as_str().unwrap();
    let refresh = login["refresh"].as_str().unwrap();
    let link = world.link(&world.some_file().await, access).await;
    let verification = world.sign_up("rosa").await;
    let (download, verify) = (token_of(&link), token_of(&verification));
    let mut cases = Vec::new();
    for (path, own, foreign, code) in [
        (DOWNLOAD, download, verify, "link_unknown"),
        ("/api/files/download", download, verify, "link_unknown"),
        (VERIFY, verify, download, "verification_unknown"),
        ("/api/client/verify", verify, download, "verification_unknown"),
    ] {
        let get = |query: &str| world.request(Method::GET, &format!("{path}{query}"));
        for query in ["", "?", "?tok=x", &format!("?Token={own}"), &format!("?={own}")] {
            let name = format!("{path}{query}");
            cases.push(case(name, get(query), 400, "missing_parameter"));
        }
        for token in [
            "",
            "x",
            "null",
            "%00",
            "..%2f..%2fetc%2fpasswd",
            foreign,
            refresh,
            access,
            &own[1..],
            &own[..own.len() - 1],
            &format!("{own}A"),
            &format!("{own}%3D"),
            &format!("%20{own}"),
            &format!("spent%23{own}"),
            &swap_a_letter(own, 20),
            &"A".repeat(43),
            &"A".repeat(8192),
        ] {
            let name = format!("{path} with {}", &token[..token.len().min(60)]);
            cases.push(case(name, get(&format!("?token={token}")), 404, code));
        }
    }
    let request = world.request(Method::POST, &format!("{VERIFY}?token={download}"));
    cases.push(case("POST a download token", request, 404, "verification_unknown"));
    let request = world.request(Method::POST, VERIFY).json(&json!({"token": verify}));
    cases.push(case("POST a token in the body", request, 400, "missing_parameter"));
    refuse_all(&world, cases).await;
    assert_eq!(world.open(&link).await.status, 200, "the link was not spent");
    assert_eq!(world.open(&verification).await.status, 200, "nor was the verification");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    let link = world.link(&id, &token).await;
    let link = link.strip_prefix(&world.url("")).unwrap();
    let path = format!("{LINK}/{id}");
    let (own, receipts) =
        (format!("{LINKS}/{}", "A".repeat(43)), format!("/api/files/{id}/receipts"));
    let routes = [
        (SIGNUP, "POST"),
        ("/api/client/signup", "POST"),
        (VERIFY, "GET, POST"),
        (LOGIN, "POST"),
        ("/api/users/ops-login", "POST"),
        (UPLOAD, "POST"),
        (LIST, "GET"),
        (&path, "GET, POST"),
        (LOAD, "POST"),
        (LINKS, "GET"),
        (&own, "DELETE"),
        (&receipts, "GET"),
        (link, "GET, HEAD, POST"),
    ];
    let all = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
    let mut cases = Vec::new();
    for (path, allowed) in routes {
        let path = if path == link { path.to_owned() } else { format!("{path}/") };
        for method in all {
            if !allowed.split(", ").any(|allowed| allowed == method) {
                let request = world.request(method.parse().unwrap(), &path).bearer_auth(&token);
                cases.push(case(format!("{method} {path}"), request, 405, "method_not_allowed"));
            }
        }
        let answer = send(world.request(Method::PATCH, &path)).await;
        let mut told: Vec<_> = answer.header("allow").split(", ").collect();
        told.sort_unstable();
        assert_eq!(told.join(", "), allowed, "{path}");
    }
    refuse_all(&world, cases).await;
    assert_eq!(world.open(&world.url(link)).await.status, 200, "no method spent the link");
}

#[tokio::test]
async fn an_unknown_route_is_a_problem_like_any_other() {
    let world = World::start().await;
    let token = world.token("client").await;
    let mut cases = Vec::new();
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/files",
        "/api/users",
        "/api/files/list/1",
        "/api/files/list//",
        "//api/files/list",
        "/api//files/list",
        "/API/files/list",
        "/api/files/List",
        "/api/files/list.json",
        "/api/files/list%2f",
        "/api/files%2flist",
        "/api/files/generate-download-link",
        "/api/files/generate-download-link/",
        "/api/files/generate-download-link/a/b",
        "/api/link",
        "/api/links/a/b",
        "/api/files/receipts",
        "/api/files//receipts",
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
    refuse_all(&world, cases).await;
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
        headers
            .insert(name.parse::<reqwest::header::HeaderName>().unwrap(), value.parse().unwrap());
    }
    let status = StatusCode::from_bytes(status.as_bytes()).unwrap();
    Some(Answer { status, headers, bytes: answer[end + 4..].to_vec() })
}

#[tokio::test]
async fn a_path_that_climbs_is_not_followed() {
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
            "GET {path} HTTP/1.1\r\nHost: share\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        let answer = raw(&world, &request, false).await.unwrap();
        assert_eq!(faults_of(&answer, status, code), [""; 0], "{path}: {answer:?}");
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing_behind() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let before = world.stored().await;
    let form = String::from_utf8(form_of("note.txt", b"a note")).unwrap();
    let signup = signup_with("role", &json!("client")).to_string();
    let multipart = format!("multipart/form-data; boundary={BOUNDARY}");
    for (path, media_type, body) in
        [(UPLOAD, multipart.as_str(), form), (SIGNUP, "application/json", signup)]
    {
        // What is sent is complete in itself; only the length says that more was to come.
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: share\r\nAuthorization: Bearer {ops}\r\n\
             Content-Type: {media_type}\r\nConnection: close\r\n"
        );
        let longer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len() + 1);
        let chunk =
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len());
        for request in [longer, chunk] {
            // Nobody may be left to be answered; if somebody is, it is not the size that is wrong.
            if let Some(answer) = raw(&world, &request, true).await {
                assert_eq!(answer.status, 400, "{path}: {answer:?}");
            }
        }
        assert_eq!(world.stored().await, before, "{path}");
    }
}

#[tokio::test]
async fn a_link_never_leads_to_the_host_that_the_caller_names() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    world.some_file().await;
    let own = world.url("/");
    let lead_astray = |request: RequestBuilder| {
        let request = request.header(HOST, "evil.example").header("x-forwarded-proto", "ftp");
        let forwarded = "for=1.2.3.4;host=evil.example";
        request.header("x-forwarded-host", "evil.example").header("forwarded", forwarded)
    };
    let request = world.request(Method::POST, &format!("{LINK}/{id}")).bearer_auth(&token);
    let link = send(lead_astray(request)).await.json();
    assert!(link["download_url"].as_str().unwrap().starts_with(&own), "{link}");
    let request = world.request(Method::GET, &format!("{LIST}?limit=1")).bearer_auth(&token);
    let list = send(lead_astray(request)).await;
    assert!(list.header("link").starts_with(&format!("<{own}")), "{list:?}");
    let body = signup_with("role", &json!("client"));
    let signup = send(lead_astray(world.request(Method::POST, SIGNUP).json(&body))).await.json();
    assert!(signup["verification_url"].as_str().unwrap().starts_with(&own), "{signup}");
}
