//! `POST /api/users/signup`.

use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::api::form_with;
use share_e2e::bad_input::{not_json, nothing};
use share_e2e::matchers::case;
use share_e2e::{World, routes};

use crate::MIB;

/// A sign-up that would succeed if `field` were not `value`.
fn signup_with(field: &str, value: &Value) -> Value {
    let mut body = json!({"username": "mallory", "email": "mallory@example.org",
        "password": "correct horse battery"});
    body[field] = value.clone();
    body
}

#[tokio::test]
async fn a_sign_up_that_is_not_a_json_object_or_not_declared_as_json_is_refused() {
    let world = World::start().await;
    let token = world.token("client").await;
    let good = signup_with("role", &json!("client"));
    let mut cases = not_json(&world, routes::SIGNUP, &token, &good);
    cases.push(nothing(&world, routes::SIGNUP, &token));
    world.refuses(cases).await;
}

#[tokio::test]
async fn a_sign_up_of_5_mib_is_refused() {
    let world = World::start().await;
    let large = signup_with("password", &json!("x".repeat(5 * MIB)));
    let request = world.request(Method::POST, routes::SIGNUP).json(&large);
    world.refuses(vec![case("5 MiB", request, 413, "request_too_large")]).await;
}

/// Values of `username`, `email` and `password` that break the rules.
fn broken_fields() -> Vec<(&'static str, Value)> {
    let names = [
        "",
        "a",
        "a b",
        "mallory@example.org",
        "m@",
        " mallory",
        "mal/ory",
        "../mallory",
        "mal\0ory",
        "mal\nory",
    ];
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
    let post = |body: &Value| world.request(Method::POST, routes::SIGNUP).json(body);
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
    world.refuses(cases).await;
    let good = world.post(routes::SIGNUP, &signup_with("role", &json!("client"))).await;
    assert_eq!(good.status, 201, "with no fault it would have succeeded: {good:?}");
}

#[tokio::test]
async fn limits_of_names_and_passwords_are_inclusive() {
    let world = World::start().await;
    for (name, password) in [
        ("ab".to_owned(), "passt_8!".to_owned()),
        ("m".repeat(64), "é".repeat(256)),
        ("A.b_c+d-e9".to_owned(), "        8 spaces and more".to_owned()),
    ] {
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": password});
        let answer = world.post(routes::SIGNUP, &body).await;
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        let url = answer.field("verification_url");
        world.open(&url).await.is(200);
        let answer = world
            .post(routes::CLIENT_LOGIN, &json!({"username": name, "password": password}))
            .await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_name_in_letters_of_any_script_is_one_name_in_any_case_and_composition() {
    let world = World::start().await;
    let sign_up = async |name: &str, email: &str| {
        let body = json!({"username": name, "email": email, "password": "correct horse battery"});
        world.post(routes::SIGNUP, &body).await
    };
    let answer = sign_up("Zoe\u{308}", "zoe@example.org").await.is_json(201);
    assert_eq!(answer["username"], "Zo\u{eb}");
    world.open(answer["verification_url"].as_str().unwrap()).await.is(200);
    for name in ["Zo\u{eb}", "ZO\u{cb}", "zoe\u{308}"] {
        sign_up(name, "another@example.org").await.refused(409, "username_taken");
        world.login("client", ("username", name), "correct horse battery").await.is(200);
    }
    sign_up("Ольга", "olga@example.org").await.is(201);
}

#[tokio::test]
async fn a_name_that_was_never_proven_is_free_again_when_its_link_has_expired() {
    let world = World::start().await;
    let sign_up = async |email: &str| {
        let password = "correct horse battery";
        let body = json!({"username": "squatter", "email": email, "password": password});
        world.post(routes::SIGNUP, &body).await
    };
    let first = sign_up("first@example.org").await.is(201).field("verification_url");
    world.pass(24 * 60 * 60 - 1);
    sign_up("late@example.org").await.refused(409, "username_taken");
    world.pass(1);
    let owner = sign_up("late@example.org").await.is(201).field("verification_url");
    world.open(&first).await.refused(410, "verification_expired");
    world.open(&owner).await.is(200);
    let login = json!({"email": "late@example.org", "password": "correct horse battery"});
    world.post(routes::CLIENT_LOGIN, &login).await.is(200);
    world.pass(48 * 60 * 60);
    // What is proven lasts.
    sign_up("later@example.org").await.refused(409, "username_taken");
    sign_up("late@example.org").await.refused(409, "username_taken");
    world.post(routes::CLIENT_LOGIN, &login).await.is(200);
}

#[tokio::test]
async fn ops_that_may_sign_up_are_ready_at_once_without_a_mail_and_without_the_address() {
    let world = World::start_with(&[("OPS_SIGNUP", "open")]).await;
    let before = world.stored().await;
    let sign_up = async |name: &str, role: &str| {
        let body = json!({"username": name, "email": "olga@example.org", "role": role,
            "password": "correct horse battery"});
        world.post(routes::SIGNUP, &body).await
    };
    let answer = sign_up("olga", "ops").await.is_json(201);
    assert_eq!((&answer["username"], &answer["role"]), (&json!("olga"), &json!("ops")));
    assert!(answer["verification_url"].is_null(), "{answer}");
    let after = world.stored().await;
    assert_eq!(after.reserved_addresses(), before.reserved_addresses());
    assert_eq!(after.link_records(), before.link_records(), "no token");
    let login = world.login("ops", ("username", "olga"), "correct horse battery").await;
    let form = form_with("note.txt", b"a note");
    world.upload_as(&login.is(200).field("access"), form).await.is(201);
    let by_email =
        async || world.login("ops", ("email", "olga@example.org"), "correct horse battery").await;
    by_email().await.refused(401, "invalid_credentials");

    sign_up("olga", "ops").await.refused(409, "username_taken");
    sign_up("olga", "client").await.refused(409, "username_taken");
    // Whoever proves the address has it.
    let client = sign_up("olga-herself", "client").await.is(201).field("verification_url");
    world.open(&client).await.is(200);
    by_email().await.refused(401, "invalid_credentials");
    let client = ("email", "olga@example.org");
    world.login("client", client, "correct horse battery").await.is(200);
    world.login("ops", ("username", "olga"), "correct horse battery").await.is(200);
}
