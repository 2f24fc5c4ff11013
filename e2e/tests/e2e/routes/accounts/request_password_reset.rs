//! `POST /api/account/password-reset`.

use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::{World, routes};

#[tokio::test]
async fn every_address_gets_the_same_answer_and_a_mail_and_only_an_account_gets_a_link() {
    let (world, mails) = World::with_mails().await;
    let disabled = AccessToken::read(&world.token("admin").await).user();
    world.store.set_active(&disabled, false).await;
    let sign_up = json!({"username": "early", "email": "early@example.org",
        "password": "a password for early"});
    world.post(routes::SIGNUP, &sign_up).await.is(201);
    let mut answers = Vec::new();
    for (address, subject) in [
        ("client@example.com", "Set a new password"),
        ("OPS@example.com", "Set a new password"),
        ("nobody@example.com", "No account with this e-mail address"),
        // Disabled, and not verified.
        ("admin@example.com", "No account with this e-mail address"),
        ("early@example.org", "No account with this e-mail address"),
    ] {
        let answer = world.post(routes::PASSWORD_RESET, &json!({"email": address})).await;
        let mail = mails.newest(&address.to_lowercase());
        assert_eq!(mail.subject, subject, "{address}");
        assert_eq!(mail.text.contains("token="), subject == "Set a new password", "{mail:?}");
        let mut headers = answer.is(202).headers.clone();
        headers.remove("date");
        answers.push((headers, answer.text()));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    world.post(routes::PASSWORD_RESET, &json!({"email": "x"})).await.refused(422, "invalid_field");
}

#[tokio::test]
async fn as_many_records_are_put_for_an_unknown_address_as_for_a_known_one() {
    let (world, _mails) = World::with_mails().await;
    let mut counts = Vec::new();
    let mut before = world.stored().await;
    for address in ["client@example.com", "nobody@example.com"] {
        world.post(routes::PASSWORD_RESET, &json!({"email": address})).await.is(202);
        let after = world.stored().await;
        counts.push(after.differences(&before).len());
        before = after;
    }
    // The token, that it is the newest one, and the count of mails.
    assert_eq!(counts, [3, 3]);
}

#[tokio::test]
async fn a_mail_that_cannot_be_sent_is_the_same_failure_for_every_address() {
    let (world, _mails) = World::with_mails().await;
    let answer = world.post(routes::PASSWORD_RESET, &json!({"email": "refused@example.com"})).await;
    answer.refused(503, "dependency_unavailable");
}

#[tokio::test]
async fn after_three_mails_in_a_day_the_answer_is_the_same_and_the_last_link_stays_good() {
    let (world, mails) = World::with_mails().await;
    let ask =
        async || world.post(routes::PASSWORD_RESET, &json!({"email": "ops@example.com"})).await;
    let first = ask().await.is(202).text();
    for _ in 0..4 {
        assert_eq!(ask().await.is(202).text(), first);
    }
    assert_eq!(mails.mails().len(), 3);
    let token = mails.newest("ops@example.com").token(routes::RESET_PASSWORD).to_owned();
    let body = json!({"token": token, "password": "a password of my own"});
    world.post(routes::PASSWORD_RESET_CONFIRM, &body).await.is(200);
    world.pass(24 * 60 * 60);
    ask().await.is(202);
    assert_eq!(mails.newest("ops@example.com").subject, "Set a new password");
}
