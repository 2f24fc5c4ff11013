//! `GET` and `POST /reset-password`, and `POST /api/account/password-reset/confirm`.

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::mail_server::MailServer;
use share_e2e::{Answer, World, routes, send};

const OLD: &str = "local-client-password";
const NEW: &str = "a password of my own";
const ADDRESS: &str = "client@example.com";

/// The token of a new link.
async fn token(world: &World, mails: &MailServer) -> String {
    world.post(routes::PASSWORD_RESET, &json!({"email": ADDRESS})).await.is(202);
    mails.newest(ADDRESS).token(routes::RESET_PASSWORD).to_owned()
}

async fn confirm(world: &World, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    world.post(routes::PASSWORD_RESET_CONFIRM, &body).await
}

async fn login(world: &World, password: &str) -> Answer {
    world.login("client", ("email", ADDRESS), password).await
}

#[tokio::test]
async fn the_page_sets_a_new_password_and_ends_all_sessions_and_looking_at_it_does_nothing() {
    let (world, mails) = World::with_mails().await;
    let session = login(&world, OLD).await;
    let token = token(&world, &mails).await;
    let url = world.url(&format!("{}?token={token}", routes::RESET_PASSWORD));
    let before = world.stored().await;
    for _ in 0..2 {
        let page = world.open(&url).await.is_page(200);
        assert!(page.contains("name=\"password\""), "{page}");
        send(world.http.request(Method::HEAD, &url)).await.is(200);
    }
    let form = |password: &str| {
        let request = world.http.post(&url).header(ACCEPT, "text/html");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(format!("password={password}"))
    };
    let refused = send(form("short")).await.is_page(422);
    assert!(refused.contains("at least 8 characters"), "{refused}");
    world.unchanged(&before).await;
    let answer = send(form("a+password+of+my+own")).await;
    let page = answer.is_page(200);
    assert!(page.contains("new password is set"), "{page}");
    assert!(!answer.headers.contains_key("set-cookie"), "nobody is logged in by it");

    let access = session.field("access");
    world.get(routes::ACCOUNT, &access).await.refused(401, "session_revoked");
    let refresh = json!({"refresh": session.field("refresh")});
    world.post(routes::REFRESH, &refresh).await.refused(401, "session_revoked");
    login(&world, OLD).await.refused(401, "invalid_credentials");
    login(&world, NEW).await.is(200);
    assert_eq!(mails.newest(ADDRESS).subject, "Your password was changed");
    send(form("another+password")).await.is_page(410);
    let audit = world.store.audit_of_user(&AccessToken::read(&access).user()).await;
    assert!(audit.contains(&"password_reset".to_owned()), "{audit:?}");
}

#[tokio::test]
async fn only_the_newest_link_is_good_and_only_for_an_hour() {
    let (world, mails) = World::with_mails().await;
    let older = token(&world, &mails).await;
    let newer = token(&world, &mails).await;
    let before = world.stored().await;
    let page = world.url(&format!("{}?token={older}", routes::RESET_PASSWORD));
    world.open(&page).await.refused(410, "password_reset_used");
    confirm(&world, &older, NEW).await.refused(410, "password_reset_used");
    let unknown = "dGhpcyB0b2tlbiB3YXMgbmV2ZXIgZ2l2ZW4gb3V0Li4";
    confirm(&world, unknown, NEW).await.refused(404, "password_reset_unknown");
    confirm(&world, &newer, "short").await.refused(422, "invalid_field");
    world.unchanged(&before).await;
    world.pass(60 * 60 - 30);
    confirm(&world, &newer, NEW).await.is(200);
    confirm(&world, &newer, NEW).await.refused(410, "password_reset_used");
    let late = token(&world, &mails).await;
    world.pass(60 * 60);
    confirm(&world, &late, NEW).await.refused(410, "password_reset_expired");
}

#[tokio::test]
async fn a_link_is_void_once_the_password_was_changed_by_its_owner() {
    let (world, mails) = World::with_mails().await;
    let token = token(&world, &mails).await;
    let access = login(&world, OLD).await.field("access");
    let body = json!({"current": OLD, "new": NEW});
    world.post_as(routes::PASSWORD, &access, &body).await.is(204);
    confirm(&world, &token, "another password").await.refused(410, "password_reset_used");
    login(&world, NEW).await.is(200);
}

#[tokio::test]
async fn a_disabled_account_cannot_be_reset() {
    let (world, mails) = World::with_mails().await;
    let token = token(&world, &mails).await;
    let user = world.store.user_named("client").await;
    world.store.set_active(&user, false).await;
    let before = world.stored().await;
    confirm(&world, &token, NEW).await.refused(403, "account_disabled");
    world.unchanged(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_who_use_a_link_at_once_one_sets_the_password() {
    let (world, mails) = World::with_mails().await;
    let token = token(&world, &mails).await;
    let answers = join_all((0..64).map(async |number| {
        let password = format!("a password of number {number}");
        let answer = confirm(&world, &token, &password).await;
        (password, answer)
    }))
    .await;
    let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.status == 200).collect();
    let [(password, _)] = won.as_slice() else { panic!("{} have won", won.len()) };
    for (other, answer) in answers.iter().filter(|(other, _)| other != password) {
        answer.refused(410, "password_reset_used");
        assert_ne!(other, password);
    }
    login(&world, password).await.is(200);
    assert_eq!(mails.mails().len(), 2, "the link, and one notice");
}
