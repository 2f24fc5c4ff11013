//! `GET` and `POST /change-email`.

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::mail_server::MailServer;
use share_e2e::{Answer, World, routes, send};

const PASSWORD: &str = "local-client-password";
const OLD: &str = "client@example.com";
const NEW: &str = "new@example.net";
const DAY: i64 = 24 * 60 * 60;

/// The address of the page to which the mailed link leads.
async fn link(world: &World, mails: &MailServer, address: &str) -> String {
    let access = world.token("client").await;
    let body = json!({"email": address, "password": PASSWORD});
    world.post_as(routes::EMAIL, &access, &body).await.is(202);
    let mail = mails.newest(address);
    world.url(&format!("{0}?token={1}", routes::CHANGE_EMAIL, mail.token(routes::CHANGE_EMAIL)))
}

async fn confirm(world: &World, link: &str) -> Answer {
    confirm_with(world, link, PASSWORD).await
}

async fn confirm_with(world: &World, link: &str, password: &str) -> Answer {
    send(world.http.post(link).json(&json!({"password": password}))).await
}

#[tokio::test]
async fn the_account_has_the_address_once_it_is_proven_and_the_old_one_is_told() {
    let (world, mails) = World::with_mails().await;
    let reset = json!({"email": OLD});
    world.post(routes::PASSWORD_RESET, &reset).await.is(202);
    let reset = mails.newest(OLD).token(routes::RESET_PASSWORD).to_owned();
    let link = link(&world, &mails, NEW).await;
    let before = world.stored().await;
    let page = world.open(&link).await.is_page(200);
    assert!(page.contains(NEW) && page.contains("<form method=\"post\">"), "{page}");
    world.unchanged(&before).await;
    let changed = confirm(&world, &link).await.is_json(200);
    assert_eq!(changed["email"], NEW);
    confirm(&world, &link).await.refused(410, "email_change_used");

    world.login("client", ("email", NEW), PASSWORD).await.is(200);
    let old = world.login("client", ("email", OLD), PASSWORD).await;
    old.refused(401, "invalid_credentials");
    let mail = mails.newest(OLD);
    assert_eq!(mail.subject, "Your e-mail address was changed");
    assert!(!mail.text.contains(NEW), "{mail:?}");
    mail.token(routes::UNDO_EMAIL);
    // A link that went to the old address sets no password any more.
    let body = json!({"token": reset, "password": "a password of my own"});
    let answer = world.post(routes::PASSWORD_RESET_CONFIRM, &body).await;
    answer.refused(410, "password_reset_used");
    let user = AccessToken::read(&world.token("client").await).user();
    let audit = world.store.audit_of_user(&user).await;
    assert!(audit.contains(&"email_changed".to_owned()), "{audit:?}");
    // Somebody else can have the old address, who proves it.
    let body = json!({"username": "heir", "email": OLD, "password": "a password of an heir"});
    world.post(routes::SIGNUP, &body).await.is(201);
    assert_eq!(mails.newest(OLD).subject, "Verify your e-mail address");
}

#[tokio::test]
async fn an_address_goes_to_whoever_proves_it_first() {
    let (world, mails) = World::with_mails().await;
    for taken in ["ops@example.com"] {
        let link = link(&world, &mails, taken).await;
        let before = world.stored().await;
        confirm(&world, &link).await.refused(409, "email_taken");
        world.unchanged(&before).await;
    }
    // A sign-up that waits for its proof does not keep the address, and cannot be proven afterwards.
    let body = json!({"username": "early", "email": NEW, "password": "a password for early"});
    world.post(routes::SIGNUP, &body).await.is(201);
    let early = mails.newest(NEW).token(routes::VERIFY_PAGE).to_owned();
    let link = link(&world, &mails, NEW).await;
    confirm(&world, &link).await.is(200);
    let answer = json!({"password": "a password for early"});
    let answer = world.post(&routes::verify_page(&early), &answer).await;
    answer.refused(409, "email_taken");
}

#[tokio::test]
async fn only_the_newest_link_is_good_and_only_for_a_day_and_for_the_password_of_then() {
    let (world, mails) = World::with_mails().await;
    let older = link(&world, &mails, NEW).await;
    let newer = link(&world, &mails, "newer@example.net").await;
    confirm(&world, &older).await.refused(410, "email_change_used");
    world.pass(DAY);
    confirm(&world, &newer).await.refused(410, "email_change_expired");
    let link = link(&world, &mails, NEW).await;
    let access = world.token("client").await;
    let body = json!({"current": PASSWORD, "new": "a password of my own"});
    world.post_as(routes::PASSWORD, &access, &body).await.is(204);
    let own = "a password of my own";
    confirm_with(&world, &link, own).await.refused(410, "email_change_used");
    let access = world.login("client", ("username", "client"), own).await;
    let body = json!({"email": NEW, "password": "a password of my own"});
    world.post_as(routes::EMAIL, &access.field("access"), &body).await.is(202);
    let token = mails.newest(NEW).token(routes::CHANGE_EMAIL).to_owned();
    world.post(routes::PASSWORD_RESET, &json!({"email": OLD})).await.is(202);
    let reset = mails.newest(OLD).token(routes::RESET_PASSWORD).to_owned();
    let body = json!({"token": reset, "password": "another password of mine"});
    world.post(routes::PASSWORD_RESET_CONFIRM, &body).await.is(200);
    let link = world.url(&format!("{}?token={token}", routes::CHANGE_EMAIL));
    let answer = confirm_with(&world, &link, "another password of mine").await;
    answer.refused(410, "email_change_used");
}

#[tokio::test]
async fn who_reads_the_mail_needs_the_password_of_the_account_too() {
    let (world, mails) = World::with_mails().await;
    let link = link(&world, &mails, NEW).await;
    let before = world.stored().await;
    confirm_with(&world, &link, "a wrong password").await.refused(403, "wrong_password");
    send(world.http.post(&link).json(&json!({}))).await.refused(422, "invalid_field");
    let form = async |password: &str| {
        let request = world.http.post(&link).header("accept", "text/html");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        send(request.body(format!("password={password}"))).await
    };
    let page = form("a+wrong+password").await.is_page(403);
    assert!(page.contains("name=\"password\"") && page.contains(NEW), "{page}");
    world.unchanged(&before).await;
    form(PASSWORD).await.is_page(200);
    world.login("client", ("email", NEW), PASSWORD).await.is(200);
}

#[tokio::test]
async fn a_change_that_waits_for_its_proof_dies_with_the_sessions_of_the_account() {
    let ends = [
        json!({"sessions": "end"}),
        json!({"active": false}),
        json!({"role": "ops"}),
        json!({"password": "reset"}),
    ];
    for end in ends {
        let (world, mails) = World::with_mails().await;
        let link = link(&world, &mails, NEW).await;
        let admin = world.token("admin").await;
        let user = routes::user(&world.store.user_named("client").await);
        for change in [&end, &json!({"active": true})] {
            let patch = world.request(Method::PATCH, &user).bearer_auth(&admin).json(change);
            send(patch).await.is(200);
        }
        let mut password = PASSWORD;
        if end == json!({"password": "reset"}) {
            password = "a password of my own";
            let token = mails.newest(OLD).token(routes::RESET_PASSWORD).to_owned();
            let body = json!({"token": token, "password": password});
            world.post(routes::PASSWORD_RESET_CONFIRM, &body).await.is(200);
        }
        let answer = confirm_with(&world, &link, password).await;
        answer.refused(410, "email_change_used");
    }
    let (world, mails) = World::with_mails().await;
    let link = link(&world, &mails, NEW).await;
    let access = world.token("client").await;
    let all = world.request(Method::DELETE, routes::SESSIONS).bearer_auth(&access);
    send(all).await.is(204);
    confirm(&world, &link).await.refused(410, "email_change_used");
}

#[tokio::test]
async fn an_address_can_be_changed_again_only_when_the_change_cannot_be_undone_any_more() {
    let (world, mails) = World::with_mails().await;
    confirm(&world, &link(&world, &mails, NEW).await).await.is(200);
    let again = json!({"email": "newer@example.net", "password": PASSWORD});
    let ask = async || {
        let access = world.token("client").await;
        world.post_as(routes::EMAIL, &access, &again).await
    };
    world.pass(7 * DAY - 60);
    ask().await.refused(409, "email_just_changed");
    world.pass(60);
    ask().await.is(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_who_confirm_at_once_one_succeeds_and_the_old_address_is_told_once() {
    let (world, mails) = World::with_mails().await;
    let link = link(&world, &mails, NEW).await;
    let answers = join_all((0..64).map(|_| confirm(&world, &link))).await;
    let lost: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert_eq!(lost.len(), 63);
    for answer in lost {
        answer.refused(410, "email_change_used");
    }
    let told = mails.mails().iter().filter(|mail| mail.to == OLD).count();
    assert_eq!(told, 1);
    world.login("client", ("email", NEW), PASSWORD).await.is(200);
}
