//! `POST /api/account/totp/confirm`.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use share_e2e::api::local_password;
use share_e2e::bad_input::{not_json, nothing};
use share_e2e::matchers::case;
use share_e2e::second_factor::recovery_codes;
use share_e2e::{World, routes};

#[tokio::test]
async fn a_code_of_the_app_makes_the_factor_count_and_shows_ten_recovery_codes() {
    let world = World::start().await;
    let token = world.token("client").await;
    let app = world.create_totp(&token, &local_password("client")).await;
    let now = world.now();
    let shown = world.confirm_totp(&token, &app.code(now)).await.is_json(200);
    assert!(shown.get("session").is_none(), "the caller has one");
    let codes = recovery_codes(&shown);
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10);
    for code in &codes {
        let groups: Vec<_> = code.split('-').map(str::len).collect();
        assert_eq!(groups, [4; 6], "{code}");
    }
    world.confirm_totp(&token, &app.code(now)).await.refused(409, "second_factor_present");
    // The code of the confirmation has been seen.
    let challenge = world.challenge("client").await;
    world.login_with("client", &challenge, &app.code(now)).await.refused(401, "invalid_code");
    world.get(routes::LIST_FILES, &token).await.is(200);
}

#[tokio::test]
async fn without_a_code_of_the_app_nothing_is_confirmed() {
    let world = World::start().await;
    let token = world.token("client").await;
    let post = || world.request(Method::POST, routes::CONFIRM_TOTP).bearer_auth(&token);
    let none =
        case("no app", post().json(&json!({"code": "123456"})), 409, "second_factor_missing");
    world.refuses(vec![none]).await;

    let app = world.create_totp(&token, &local_password("client")).await;
    let right = json!({"code": app.code(world.now())});
    let mut cases = not_json(&world, routes::CONFIRM_TOTP, &token, &right);
    cases.push(nothing(&world, routes::CONFIRM_TOTP, &token));
    for body in [json!({}), json!({"code": 123_456}), json!({"code": "1".repeat(65)})] {
        let name = body.to_string();
        cases.push(case(name, post().json(&body), 422, "invalid_field").naming("code"));
    }
    for code in [&app.wrong_code(world.now()), "", "12345", "0123-4567-89ab-cdef"] {
        let body = json!({"code": code});
        cases.push(case(format!("code {code}"), post().json(&body), 403, "wrong_code"));
    }
    world.refuses(cases).await;
    world.login("client", ("username", "client"), &local_password("client")).await.is(200);
}
