//! `GET` and `POST /undo-email`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::mail_server::MailServer;
use share_e2e::{Answer, World, routes, send};

const PASSWORD: &str = "local-client-password";
const OLD: &str = "client@example.com";
const NEW: &str = "new@example.net";
const DAY: i64 = 24 * 60 * 60;

/// Changes the address of the Client, and gives the page that undoes it.
async fn changed(world: &World, mails: &MailServer) -> String {
    change(world, mails, &world.token("client").await).await
}

/// The same with this access token.
async fn change(world: &World, mails: &MailServer, access: &str) -> String {
    let body = json!({"email": NEW, "password": PASSWORD});
    world.post_as(routes::EMAIL, access, &body).await.is(202);
    let token = mails.newest(NEW).token(routes::CHANGE_EMAIL).to_owned();
    let confirm = world.url(&format!("{0}?token={token}", routes::CHANGE_EMAIL));
    send(world.http.post(&confirm).json(&json!({"password": PASSWORD}))).await.is(200);
    let mail = mails.newest(OLD);
    world.url(&format!("{0}?token={1}", routes::UNDO_EMAIL, mail.token(routes::UNDO_EMAIL)))
}

async fn undo(world: &World, page: &str) -> Answer {
    send(world.http.post(page)).await
}

#[tokio::test]
async fn a_reset_that_an_admin_forces_ends_neither_the_link_that_undoes_the_change_nor_outlives_it()
{
    let (world, mails) = World::with_mails().await;
    let (access, admin) = (world.token("client").await, world.token("admin").await);
    let user = routes::user(&AccessToken::read(&access).user());
    let page = change(&world, &mails, &access).await;
    let at = world.now();
    let reset = world.request(Method::PATCH, &user).bearer_auth(&admin);
    let shown = send(reset.json(&json!({"password": "reset"}))).await.is_json(200);
    assert_eq!(shown["email"], NEW);
    let changed: jiff::Timestamp = shown["email_changed_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(changed.as_second(), at.as_second());
    let thiefs = mails.newest(NEW).token(routes::RESET_PASSWORD).to_owned();
    undo(&world, &page).await.is(200);
    let confirm = async |token: &str| {
        let body = json!({"token": token, "password": "a password of my own"});
        world.post(routes::PASSWORD_RESET_CONFIRM, &body).await
    };
    confirm(&thiefs).await.refused(410, "password_reset_used");
    confirm(mails.newest(OLD).token(routes::RESET_PASSWORD)).await.is(200);
    let shown = world.get(&user, &admin).await.is_json(200);
    assert_eq!((&shown["email"], &shown["email_changed_at"]), (&json!(OLD), &Value::Null));
}

#[tokio::test]
async fn a_factor_that_a_thief_may_have_set_up_goes_with_the_change_and_an_older_one_stays() {
    for (days_before, stays) in [(0, false), (8, true)] {
        let (world, mails) = World::with_mails().await;
        let access = world.token("client").await;
        let factor = world.enrol(&access, PASSWORD).await;
        world.pass(days_before * DAY);
        let challenge = world.challenge("client").await;
        let login = json!({"challenge": challenge, "code": factor.codes[0]});
        let access = world.post(routes::CLIENT_LOGIN, &login).await.is(200).field("access");
        let page = change(&world, &mails, &access).await;
        undo(&world, &page).await.is(200);
        let token = mails.newest(OLD).token(routes::RESET_PASSWORD).to_owned();
        let body = json!({"token": token, "password": "a password of my own"});
        world.post(routes::PASSWORD_RESET_CONFIRM, &body).await.is(200);
        let login = world.login("client", ("email", OLD), "a password of my own").await;
        if stays {
            login.refused(401, "second_factor_required");
        } else {
            login.is(200);
            let user = AccessToken::read(&access).user();
            let audit = world.store.audit_of_user(&user).await;
            assert!(audit.contains(&"second_factor_removed".to_owned()), "{audit:?}");
        }
    }
}

#[tokio::test]
async fn the_old_address_takes_the_account_back_from_who_knew_the_password() {
    let (world, mails) = World::with_mails().await;
    let page = changed(&world, &mails).await;
    let session = world.login("client", ("email", NEW), PASSWORD).await;
    let reset = json!({"email": NEW});
    world.post(routes::PASSWORD_RESET, &reset).await.is(202);
    let of_the_thief = mails.newest(NEW).token(routes::RESET_PASSWORD).to_owned();
    world.pass(7 * DAY - 600);
    let thief = world.login("client", ("email", NEW), PASSWORD).await.field("access");
    let before = world.stored().await;
    let shown = world.open(&page).await.is_page(200);
    assert!(shown.contains(OLD) && !shown.contains(NEW), "{shown}");
    world.unchanged(&before).await;
    assert_eq!(undo(&world, &page).await.is_json(200)["email"], OLD);
    undo(&world, &page).await.refused(410, "email_undo_used");

    world.get(routes::ACCOUNT, &thief).await.refused(401, "session_revoked");
    let refresh = json!({"refresh": session.field("refresh")});
    world.post(routes::REFRESH, &refresh).await.refused(401, "session_revoked");
    for address in [OLD, NEW] {
        let login = world.login("client", ("email", address), PASSWORD).await;
        login.refused(401, "invalid_credentials");
    }
    let body = json!({"token": of_the_thief, "password": "a password of a thief"});
    let answer = world.post(routes::PASSWORD_RESET_CONFIRM, &body).await;
    assert_eq!(answer.status, 410, "{answer:?}");
    let token = mails.newest(OLD).token(routes::RESET_PASSWORD).to_owned();
    let body = json!({"token": token, "password": "a password of my own"});
    world.post(routes::PASSWORD_RESET_CONFIRM, &body).await.is(200);
    let login = world.login("client", ("email", OLD), "a password of my own").await;
    let user = AccessToken::read(&login.is(200).field("access")).user();
    // The address of the thief is free again.
    let body = json!({"username": "heir", "email": NEW, "password": "a password of an heir"});
    world.post(routes::SIGNUP, &body).await.is(201);
    assert_eq!(mails.newest(NEW).subject, "Verify your e-mail address");
    let audit = world.store.audit_of_user(&user).await;
    assert!(audit.contains(&"email_restored".to_owned()), "{audit:?}");
}

#[tokio::test]
async fn after_7_days_it_is_too_late() {
    let (world, mails) = World::with_mails().await;
    let page = changed(&world, &mails).await;
    world.pass(7 * DAY);
    let before = world.stored().await;
    undo(&world, &page).await.refused(410, "email_undo_expired");
    world.unchanged(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_who_undo_at_once_one_succeeds() {
    let (world, mails) = World::with_mails().await;
    let page = changed(&world, &mails).await;
    let answers = join_all((0..16).map(|_| undo(&world, &page))).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.refused(410, "email_undo_used");
    }
}
