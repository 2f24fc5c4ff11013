//! `POST /api/account/email`.

use serde_json::{Value, json};
use share_e2e::mail_server::MailServer;
use share_e2e::{World, routes};

const PASSWORD: &str = "local-client-password";

fn body(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

#[tokio::test]
async fn the_new_address_gets_a_link_whoever_has_it_and_the_account_keeps_the_old_one() {
    let (world, mails) = World::with_mails().await;
    let access = world.token("client").await;
    let mut answers = Vec::new();
    for address in ["new@example.net", "ops@example.com"] {
        let answer = world.post_as(routes::EMAIL, &access, &body(address, PASSWORD)).await;
        let mail = mails.newest(address);
        assert_eq!(mail.subject, "Confirm your new e-mail address");
        assert!(mail.text.contains("client"), "{mail:?}");
        mail.token(routes::CHANGE_EMAIL);
        answers.push(answer.is(202).text());
    }
    assert_eq!(answers[0], answers[1], "nobody learns whose address it is");
    let account = world.get(routes::ACCOUNT, &access).await.is_json(200);
    assert_eq!(account["email"], "client@example.com");
}

#[tokio::test]
async fn it_needs_the_password_and_an_address_that_is_another() {
    let (world, mails) = World::with_mails().await;
    let access = world.token("client").await;
    let before = world.stored().await;
    let send = async |body: Value| world.post_as(routes::EMAIL, &access, &body).await;
    send(body("new@example.net", "a wrong one")).await.refused(403, "wrong_password");
    for email in ["Client@Example.com", "nowhere", ""] {
        send(body(email, PASSWORD)).await.refused(422, "invalid_field");
    }
    world.unchanged(&before).await;
    assert_eq!(mails.mails().len(), 0);
}

#[tokio::test]
async fn one_account_causes_five_mails_a_day_whatever_the_addresses() {
    let (world, mails) = World::with_mails().await;
    world.begin_day();
    let access = world.token("client").await;
    let send = async |number: usize| {
        let body = body(&format!("new{number}@example.net"), PASSWORD);
        world.post_as(routes::EMAIL, &access, &body).await
    };
    for number in 0..5 {
        send(number).await.is(202);
    }
    let before = world.stored().await;
    send(5).await.limited("too_many_mails");
    world.unchanged(&before).await;
    assert_eq!(mails.mails().len(), 5);
}

#[tokio::test]
async fn a_client_does_not_leave_the_domains_that_can_sign_up() {
    let mails = MailServer::start().await;
    let domains = [("CLIENT_SIGNUP", "domains"), ("ALLOWED_EMAIL_DOMAINS", "example.com")];
    let variables = [mails.variables().as_slice(), &domains].concat();
    let world = World::start_with(&variables).await;
    let access = world.token("client").await;
    let before = world.stored().await;
    let answer = world.post_as(routes::EMAIL, &access, &body("c@example.net", PASSWORD)).await;
    answer.refused(403, "signup_closed");
    world.unchanged(&before).await;
    assert_eq!(mails.mails().len(), 0);
    let answer = world.post_as(routes::EMAIL, &access, &body("c@example.com", PASSWORD)).await;
    answer.is(202);
    let ops = world.token("ops").await;
    let body = body("o@example.net", "local-ops-password");
    world.post_as(routes::EMAIL, &ops, &body).await.is(202);
}
