//! `GET /api/sessions`.

use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::scene::second;
use share_e2e::{World, routes, send};

#[tokio::test]
async fn a_session_is_listed_with_its_device_its_address_and_when_it_was_used() {
    let world = World::start().await;
    let login = world.request(Method::POST, routes::CLIENT_LOGIN).header(USER_AGENT, "A browser");
    let body = json!({"username": "client", "password": "local-client-password"});
    let before_login = world.now();
    let begun = send(login.json(&body)).await;
    let after_login = world.now();
    let other = world.token("client").await;
    world.token("ops").await;
    world.pass(60);
    let used = world.post(routes::REFRESH, &json!({"refresh": begun.field("refresh")})).await;
    let sessions = world.all(routes::SESSIONS, 1, &used.field("access")).await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert_eq!((&sessions[0]["current"], &sessions[0]["device"]), (&json!(false), &json!("")));
    let first = &sessions[1];
    assert_eq!(first["id"], AccessToken::read(&begun.field("access")).session());
    assert_eq!((&first["current"], &first["device"]), (&json!(true), &json!("A browser")));
    assert_eq!(first["address"], "127.0.0.1");
    let created = second(&first["created_at"]);
    assert!((before_login.as_second()..=after_login.as_second()).contains(&created), "{first}");
    assert_eq!(second(&first["expires_at"]) - created, 14 * 24 * 60 * 60);
    let used_after = second(&first["last_used_at"]) - created;
    assert!((60..90).contains(&used_after), "{first}");
    let seen_by_other = world.all(routes::SESSIONS, 100, &other).await;
    assert_eq!(seen_by_other[0]["current"], json!(true));
}

#[tokio::test]
async fn a_session_that_is_over_is_not_listed() {
    let world = World::start().await;
    world.token("client").await; // is idle for too long
    world.pass(7 * 24 * 60 * 60);
    let access = world.token("client").await;
    assert_eq!(world.all(routes::SESSIONS, 100, &access).await.len(), 1);
}
