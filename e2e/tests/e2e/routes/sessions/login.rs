//! `POST /api/sessions`, `POST /api/client/login` and `POST /api/ops/login`.

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use share_e2e::bad_input::{not_json, nothing};
use share_e2e::matchers::case;
use share_e2e::{World, routes, send};

use crate::MIB;

#[tokio::test]
async fn a_login_that_is_not_a_json_object_or_not_declared_as_json_is_refused() {
    let world = World::start().await;
    let token = world.token("client").await;
    let good = json!({"username": "client", "password": "local-client-password"});
    let mut cases = not_json(&world, routes::CLIENT_LOGIN, &token, &good);
    cases.push(nothing(&world, routes::CLIENT_LOGIN, &token));
    let post = || world.request(Method::POST, routes::CLIENT_LOGIN).bearer_auth(&token);
    let form = post().header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let form = form.body("username=client&password=local-client-password");
    cases.push(case("an HTML form", form, 415, "unsupported_media_type"));
    cases.push(case("neither body nor type", post(), 415, "unsupported_media_type"));
    world.refuses(cases).await;
}

#[tokio::test]
async fn a_login_of_11_mib_is_refused() {
    let world = World::start().await;
    let request = world.request(Method::POST, routes::CLIENT_LOGIN).body(vec![b'{'; 11 * MIB]);
    world.refuses(vec![case("11 MiB", request, 413, "request_too_large")]).await;
}

#[tokio::test]
async fn the_media_type_of_json_is_read_without_case_and_parameters() {
    let world = World::start().await;
    let body = json!({"username": "client", "password": "local-client-password"}).to_string();
    for media_type in ["application/json; charset=utf-8", "Application/JSON", "application/json;"] {
        let request = world.request(Method::POST, routes::CLIENT_LOGIN);
        let request = request.header(CONTENT_TYPE, media_type);
        let answer = send(request.body(body.clone())).await;
        assert_eq!(answer.status, 200, "{media_type}: {answer:?}");
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
        case(name, world.request(Method::POST, routes::CLIENT_LOGIN).json(&body), status, code)
    });
    world.refuses(cases.into()).await;
    for who in [("username", "client"), ("username", "CLIENT"), ("email", "Client@Example.com")] {
        let answer = world.login("client", who, right).await;
        assert_eq!(answer.status, 200, "{who:?}: {answer:?}");
    }
}

/// Of the Client's password, with 4 MiB and one pass. Made with argon2-cffi 25.1:
/// `hash_secret(b"local-client-password", b"somesaltsomesalt", 1, 4096, 1, 32, Type.ID)`
const WEAK: &str = "$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$\
                    3xV/9r8MIey1yBXDYtTA27Dus3XRnP5C89SOaptiRHM";

#[tokio::test]
async fn the_right_password_replaces_a_weak_hash_of_it_and_a_wrong_one_does_not() {
    let world = World::start().await;
    let client = world.store.user_named("client").await;
    world.store.set_password_hash(&client, WEAK).await;
    let log_in = |password: &'static str| world.login("client", ("username", "client"), password);
    log_in("another password").await.refused(401, "invalid_credentials");
    assert_eq!(world.store.password_hash(&client).await, WEAK);
    let right = "local-client-password";
    join_all((0..16).map(|_| log_in(right))).await.iter().for_each(|answer| {
        answer.is(200);
    });
    let hash = world.store.password_hash(&client).await;
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    log_in(right).await.is(200);
    assert_eq!(world.store.password_hash(&client).await, hash, "it is not replaced again");
}

#[tokio::test]
async fn nobody_who_may_not_log_in_replaces_a_weak_hash() {
    let world = World::start().await;
    let client = world.store.user_named("client").await;
    world.store.set_password_hash(&client, WEAK).await;
    let (name, right) = (("username", "client"), "local-client-password");
    world.login("ops", name, right).await.refused(401, "invalid_credentials");
    world.store.set_active(&client, false).await;
    world.login("client", name, right).await.refused(403, "account_disabled");
    assert_eq!(world.store.password_hash(&client).await, WEAK);
}

#[tokio::test]
async fn whoever_it_is_can_log_in_at_one_route_and_gets_a_session_of_the_own_role() {
    let world = World::start().await;
    for role in ["client", "ops", "admin"] {
        let body = json!({"username": role, "password": format!("local-{role}-password")});
        let answer = send(world.request(Method::POST, routes::SESSIONS).json(&body)).await;
        answer.is(200);
        let account = world.get(routes::ACCOUNT, &answer.field("access")).await.is_json(200);
        assert_eq!(account["role"], role);
        let wrong = json!({"username": role, "password": "another password"});
        let answer = send(world.request(Method::POST, routes::SESSIONS).json(&wrong)).await;
        answer.refused(401, "invalid_credentials");
    }
}
