//! `POST /api/account/totp`.

use reqwest::Method;
use serde_json::json;
use share_e2e::api::local_password;
use share_e2e::bad_input::not_json;
use share_e2e::matchers::case;
use share_e2e::{World, routes, send};

#[tokio::test]
async fn the_secret_is_shown_as_text_and_as_an_address_and_changes_nothing_yet() {
    let world = World::start().await;
    for role in ["client", "ops", "admin"] {
        let (token, password) = (world.token(role).await, local_password(role));
        let body = json!({"password": password});
        let created = world.post_as(routes::TOTP, &token, &body).await.is_json(201);
        let secret = created["secret"].as_str().unwrap();
        assert_eq!(secret.len(), 32);
        let uri = format!(
            "otpauth://totp/Secure%20File%20Share:{role}?secret={secret}&\
             issuer=Secure%20File%20Share"
        );
        assert_eq!(created["uri"], uri);
        world.login(role, ("username", role), &password).await.is(200);
    }
}

#[tokio::test]
async fn without_the_right_password_there_is_no_secret() {
    let world = World::start().await;
    let token = world.token("client").await;
    let right = json!({"password": local_password("client")});
    let post = || world.request(Method::POST, routes::TOTP).bearer_auth(&token);
    let mut cases = not_json(&world, routes::TOTP, &token, &right);
    let wrong = json!({"password": "one of somebody else"});
    cases.push(case("a wrong password", post().json(&wrong), 403, "wrong_password"));
    cases.push(case("no body", post(), 422, "invalid_field").naming("password"));
    for body in [json!({}), json!({"password": null}), json!({"password": 5})] {
        let name = body.to_string();
        cases.push(case(name, post().json(&body), 422, "invalid_field").naming("password"));
    }
    let more = json!({"password": local_password("client"), "secret": "mine"});
    cases.push(case("another field", post().json(&more), 422, "invalid_field").naming("secret"));
    world.refuses(cases).await;
}

#[tokio::test]
async fn a_second_secret_replaces_the_first_until_one_is_confirmed() {
    let world = World::start().await;
    let (token, password) = (world.token("client").await, local_password("client"));
    let first = world.create_totp(&token, &password).await;
    let second = world.create_totp(&token, &password).await;
    let confirm = async |code: String| world.confirm_totp(&token, &code).await;
    confirm(first.code(world.now())).await.refused(403, "wrong_code");
    confirm(second.code(world.now())).await.is(200);
    let body = json!({"password": password});
    let post = world.request(Method::POST, routes::TOTP).bearer_auth(&token).json(&body);
    send(post).await.refused(409, "second_factor_present");
    world.pass(30);
    let challenge = world.challenge("client").await;
    world.login_with("client", &challenge, &second.code(world.now())).await.is(200);
}

#[tokio::test]
async fn a_secret_that_is_not_confirmed_is_gone_with_the_sessions_of_the_account() {
    let world = World::start().await;
    let (token, password) = (world.token("client").await, local_password("client"));
    let app = world.create_totp(&token, &password).await;
    send(world.request(Method::DELETE, routes::SESSIONS).bearer_auth(&token)).await.is(204);
    let token = world.token("client").await;
    let answer = world.confirm_totp(&token, &app.code(world.now())).await;
    answer.refused(409, "second_factor_missing");
}
