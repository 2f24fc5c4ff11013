//! The API against its own description: `share_e2e::contract` compares every answer of every test,
//! and here the readers of request bodies are compared with the schemas of those bodies.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::multipart::Form;
use serde_json::{Value, json};
use share_e2e::api::{local_password, password_for};
use share_e2e::contract::{DOCUMENT, resolve};
use share_e2e::routes::{self, OPENAPI};
use share_e2e::scene::token_of;
use share_e2e::{Answer, Scene, send};

/// A body that an operation takes, to be sent with one field changed.
struct Body<'a> {
    method: &'a Method,
    path: String,
    token: &'a str,
    /// Its required fields, each with a value that is good.
    good: Value,
}

impl Body<'_> {
    async fn send_with(&self, scene: &Scene, field: &str, value: Value) -> Answer {
        let mut body = self.good.clone();
        body[field] = value;
        self.send(scene, &body).await
    }

    async fn send(&self, scene: &Scene, body: &Value) -> Answer {
        let request = scene.request(self.method.clone(), &self.path).bearer_auth(self.token);
        send(request.json(body)).await
    }
}

/// What a 422 says of a field; nothing when it does not complain of it.
fn complaint(answer: &Answer, field: &str) -> Option<String> {
    if answer.status != 422 {
        return None;
    }
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap().iter();
    let mut of_field = errors.filter(|it| it["field"] == field);
    of_field.next().map(|it| it["message"].as_str().unwrap().to_owned())
}

/// The fields that a reader knows, as it says them of one that it does not know.
fn fields_named_in(answer: &Answer) -> BTreeSet<String> {
    let message = complaint(answer, "no_such_field");
    assert!(message.is_some(), "{answer:?}");
    let message = message.unwrap();
    let (_, names) = message.split_once("which takes ").unwrap();
    names.split(", ").map(str::to_owned).collect()
}

fn request_schema(method: &Method, path: &str, media_type: &str) -> &'static Value {
    let operation = &DOCUMENT["paths"][path][method.as_str().to_lowercase()];
    let schema = &operation["requestBody"]["content"][media_type]["schema"];
    let reference = schema["$ref"].as_str().unwrap();
    DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap()
}

/// Values that are within the bounds of a schema, and values that are just beyond or of another
/// type. `text` makes a text of so many characters that is good in every other respect.
fn probes(schema: &Value, text: &dyn Fn(usize) -> String) -> (Vec<Value>, Vec<Value>) {
    let schema = resolve(schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        let choices = choices.iter().map(|choice| choice["const"].clone());
        return (choices.collect(), vec![json!("no such choice"), json!(1), json!({})]);
    }
    let types: Vec<_> = match &schema["type"] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let mut within = Vec::new();
    let mut beyond = vec![json!([]), json!({})];
    let bound = |name: &str| schema[name].as_i64();
    if types.contains(&"string") {
        beyond.extend([json!(1), json!(true)]);
        let length = |number: i64| usize::try_from(number).unwrap();
        if let Some(least) = bound("minLength") {
            within.push(json!(text(length(least))));
            beyond.push(json!(text(length(least - 1))));
        }
        if let Some(most) = bound("maxLength") {
            within.push(json!(text(length(most))));
            beyond.push(json!(text(length(most + 1))));
        }
    } else if types.contains(&"integer") {
        beyond.extend([json!("1"), json!(1.5), json!(true)]);
        let (least, most) = (bound("minimum").unwrap(), bound("maximum").unwrap());
        within.extend([json!(least), json!(most)]);
        beyond.extend([json!(least - 1), json!(most + 1)]);
    } else if types.contains(&"array") {
        assert_eq!(bound("minItems"), Some(1), "an empty list is beyond: {schema}");
        beyond.extend([json!("1"), json!([1])]);
    } else {
        assert!(types.contains(&"boolean"), "a schema of no type that bodies have: {schema}");
        within.extend([json!(true), json!(false)]);
        beyond.extend([json!(1), json!("true")]);
    }
    (within, beyond)
}

/// A text of so many characters that is a good value of this field.
fn good_text(field: &str, length: usize) -> String {
    match field {
        // Each one another, so that no name is taken.
        "username" => {
            let name: String =
                std::iter::repeat_with(fastrand::alphanumeric).take(length).collect();
            name.to_lowercase()
        }
        "email" => {
            let labels = format!("{0}.{0}.{0}.com", "d".repeat(61));
            let local: String = std::iter::repeat_with(fastrand::alphanumeric)
                .take(length - labels.len() - 1)
                .collect();
            format!("{local}@{labels}")
        }
        _ => "zq7".chars().cycle().take(length).collect(),
    }
}

/// A route, and for each alternative of its body a path, an access token and a good one.
type Case<'a> = (&'static str, Vec<(String, &'a str, Value)>);

/// The bodies with which an account is changed or taken back.
fn bodies_of_accounts(client: &str) -> [Case<'_>; 4] {
    let case = |route: &'static str, token, body| (route, vec![(route.to_owned(), token, body)]);
    let password = json!({ "current": "a wrong password", "new": "a password of some length" });
    let email = json!({ "email": "new@example.net", "password": "a wrong password" });
    let address = json!({ "email": "new@example.net" });
    [
        case(routes::PASSWORD, client, password),
        case(routes::EMAIL, client, email),
        case(routes::PASSWORD_RESET, "", address.clone()),
        case(routes::VERIFICATION, "", address),
    ]
}

#[tokio::test]
async fn the_reader_of_each_body_takes_the_fields_types_and_bounds_that_its_description_names() {
    let scene = Scene::start_with(&[("OPS_SIGNUP", "open")]).await;
    let invitation = scene.invitation("contract-invited").await;
    let by_name = json!({ "username": "nobody", "password": "a wrong password" });
    let by_email = json!({ "email": "nobody@example.org", "password": "a wrong password" });
    let by_code = json!({ "challenge": "of nobody", "code": "123456" });
    let login = |route: &'static str| {
        let bodies = [&by_name, &by_email, &by_code];
        (route, bodies.map(|body| (route.to_owned(), "", body.clone())).to_vec())
    };
    let code = json!({ "code": "123456" });
    scene.create_totp(&scene.client, &local_password("client")).await;
    let enrolled = scene.another_client("contract-enrolled").await;
    scene.enrol(&enrolled, &password_for("contract-enrolled")).await;
    let sign_up = || {
        let name = good_text("username", 20);
        json!({
            "username": name, "email": format!("{name}@example.org"),
            "password": "a password of some length",
        })
    };
    let link = routes::generate_link(&scene.file);
    let by_id = json!({ "file_id": scene.file });
    let password = json!({ "password": "a password of some length" });
    let verification = routes::verify_page(token_of(&scene.sign_up("contract-verifies").await));
    let (wrong, decline) = (json!({ "password": "wrong" }), json!({ "decline": "yes" }));
    let (link_path, body) =
        ("/api/files/generate-download-link/{file_id}", routes::GENERATE_LINK_BY_BODY);
    let upload = json!({ "filename": "note.txt", "size": 6 });
    let begun = scene.post_as(routes::UPLOADS, &scene.ops, &upload).await.field("upload_id");
    let parts = json!({ "parts": [{ "number": 1, "sha256": "0".repeat(64) }] });
    let ops = scene.ops.as_str();
    let mut cases = vec![
        (routes::SIGNUP, vec![(routes::SIGNUP.to_owned(), "", sign_up())]),
        (routes::UPLOADS, vec![(routes::UPLOADS.to_owned(), ops, upload)]),
        ("/api/uploads/{id}/parts", vec![(routes::upload_parts(&begun), ops, parts)]),
        ("/api/files/{file_id}", vec![(routes::file(&scene.file), ops, json!({}))]),
        login(routes::CLIENT_LOGIN),
        login(routes::OPS_LOGIN),
        (routes::TOTP, vec![(routes::TOTP.to_owned(), &scene.client, wrong.clone())]),
        (
            routes::CONFIRM_TOTP,
            vec![(routes::CONFIRM_TOTP.to_owned(), &scene.client, code.clone())],
        ),
        (routes::RECOVERY_CODES, vec![(routes::RECOVERY_CODES.to_owned(), &enrolled, code)]),
        (link_path, vec![(link, scene.client.as_str(), json!({}))]),
        (body, vec![(body.to_owned(), scene.client.as_str(), by_id)]),
        (routes::SET_PASSWORD, vec![(routes::set_password(&invitation), "", password)]),
        (routes::VERIFY_PAGE, vec![(verification.clone(), "", wrong), (verification, "", decline)]),
    ];
    cases.extend(bodies_of_accounts(&scene.client));
    for (route, bodies) in cases {
        let method = if route == "/api/files/{file_id}" { Method::PATCH } else { Method::POST };
        let schemas = alternatives(request_schema(&method, route, "application/json"));
        assert_eq!(schemas.len(), bodies.len(), "{route}: a body for each alternative");
        for ((path, token, good), schema) in bodies.into_iter().zip(schemas) {
            let body = Body { method: &method, path, token, good };
            let properties = schema["properties"].as_object().unwrap();
            let answer = body.send_with(&scene, "no_such_field", json!(1)).await;
            let described: BTreeSet<_> = properties.keys().cloned().collect();
            assert_eq!(fields_named_in(&answer), described, "{route}");
            let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            for field in required.iter().filter_map(Value::as_str) {
                let mut without = body.good.clone();
                without.as_object_mut().unwrap().remove(field);
                let answer = body.send(&scene, &without).await;
                // A body without what tells it from the other alternative is read as that one.
                let asked = match field {
                    "email" if route.ends_with("login") => "username",
                    "challenge" => "username",
                    "decline" => "password",
                    _ => field,
                };
                let said = complaint(&answer, asked);
                assert_eq!(said.as_deref(), Some("is required"), "{route} {field}: {answer:?}");
            }
            for (field, schema) in properties {
                let (within, beyond) = probes(schema, &|length| good_text(field, length));
                for value in beyond {
                    let shown = value.to_string();
                    let answer = body.send_with(&scene, field, value).await;
                    let said = complaint(&answer, field);
                    assert!(said.is_some(), "{route} {field} {shown}: {answer:?}");
                }
                // One good value spends the token.
                if route == routes::SET_PASSWORD || field == "decline" {
                    continue;
                }
                for value in within {
                    let shown = value.to_string();
                    let is_signup = route == routes::SIGNUP;
                    let mut good = if is_signup { sign_up() } else { body.good.clone() };
                    good[field] = value;
                    let answer = body.send(&scene, &good).await;
                    assert_eq!(complaint(&answer, field), None, "{route} {field} {shown}");
                    let refused = [401, 403].contains(&answer.status.as_u16());
                    assert!(answer.status.is_success() || refused, "{answer:?}");
                }
            }
        }
    }
}

/// The objects of which a body is one.
fn alternatives(schema: &'static Value) -> Vec<&'static Value> {
    match schema["anyOf"].as_array() {
        Some(schemas) => schemas.iter().collect(),
        None => vec![schema],
    }
}

#[tokio::test]
async fn the_form_of_an_upload_has_the_fields_that_its_description_names() {
    let scene = Scene::start().await;
    let form = Form::new().text("no_such_field", "1");
    let answer = scene.upload_as(&scene.ops, form).await;
    let schema = request_schema(&Method::POST, routes::UPLOAD, "multipart/form-data");
    let described: BTreeSet<_> =
        schema["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields_named_in(&answer), described);
}

#[tokio::test]
async fn the_server_describes_itself_to_programs_and_to_people_without_scripts_or_other_hosts() {
    let scene = Scene::start().await;
    let document = scene.open(&scene.url(OPENAPI)).await.is_json(200);
    assert_eq!(document, *DOCUMENT);
    assert_eq!(document["openapi"], "3.1.0");
    let page = scene.open(&scene.url(routes::DOCS)).await.is_page(200);
    for operation in share_contract::operations::ALL {
        assert!(page.contains(&format!("<h2>{}</h2>", operation.name)), "{}", operation.name);
    }
    for loaded in ["<script", "<link", "<img", "<iframe", "src=", "@import", "http://", "https://"]
    {
        assert!(!page.contains(loaded), "the page has {loaded}");
    }
}
