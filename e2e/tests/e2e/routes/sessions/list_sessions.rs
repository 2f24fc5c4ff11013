//! `GET /api/sessions` and `GET /api/admin/users/{id}/sessions`.

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

#[tokio::test]
async fn an_admin_sees_the_sessions_of_an_account_as_its_owner_does_but_none_is_the_current_one() {
    let world = World::start().await;
    let tokens = [world.token("client").await, world.token("client").await];
    let (admin, user) = (world.token("admin").await, AccessToken::read(&tokens[0]).user());
    let path = routes::sessions_of_user(&user);
    let mut own = world.all(routes::SESSIONS, 100, &tokens[1]).await;
    assert_eq!((own.len(), &own[0]["current"]), (2, &json!(true)));
    own[0]["current"] = json!(false);
    assert_eq!(world.all(&path, 1, &admin).await, own);

    send(world.request(Method::DELETE, routes::SESSIONS).bearer_auth(&tokens[0])).await.is(204);
    assert!(world.all(&path, 100, &admin).await.is_empty(), "sessions that have ended");
}

#[tokio::test]
async fn of_an_admins_own_account_the_session_that_asks_is_the_current_one() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let path = routes::sessions_of_user(&AccessToken::read(&admin).user());
    assert_eq!(world.all(&path, 100, &admin).await, world.all(routes::SESSIONS, 100, &admin).await);
}

#[tokio::test]
async fn the_sessions_of_nobody_are_not_found_and_a_cursor_is_good_for_one_account() {
    let world = World::start().await;
    let (first, _) = (world.token("client").await, world.token("client").await);
    let admin = world.token("admin").await;
    let nobody = routes::sessions_of_user("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    world.get(&nobody, &admin).await.refused(404, "user_unknown");
    let of_client = routes::sessions_of_user(&AccessToken::read(&first).user());
    let of_admin = routes::sessions_of_user(&AccessToken::read(&admin).user());
    let page = world.get(&format!("{of_client}?limit=1"), &admin).await;
    let next = world.path_of(page.next().unwrap()).to_owned();
    world.get(&next, &admin).await.is(200);
    let elsewhere = next.replace(&of_client, &of_admin);
    world.get(&elsewhere, &admin).await.refused(400, "invalid_parameter");
}
