//! A second factor counts once, for its account only, and nobody can read it.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::api::local_password;
use share_e2e::mail_server::MailServer;
use share_e2e::second_factor::recovery_codes;
use share_e2e::world::real_time;
use share_e2e::{Answer, World, routes};
use tempfile::TempDir;

use crate::SERVER;

/// How many try at the same moment.
const CLIENTS: usize = 64;

/// That exactly one won, and that the others had a wrong code or too many guesses.
fn one_won(answers: &[Answer], round: usize) {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    assert_eq!(won.len(), 1, "round {round}");
    let codes: BTreeSet<_> = lost.iter().map(|it| (it.status.as_u16(), it.code())).collect();
    for (status, code) in &codes {
        let expected = [(401, "invalid_code"), (429, "too_many_guesses")];
        assert!(expected.contains(&(*status, code)), "round {round}: {status} {code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_logins_with_one_code_of_the_app_one_wins() {
    let world = World::start().await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    for round in 0..5 {
        let challenge = world.challenge("client").await;
        let code = factor.app.code(world.now());
        let answers =
            join_all((0..CLIENTS).map(|_| world.login_with("client", &challenge, &code))).await;
        one_won(&answers, round);
        world.pass(24 * 60 * 60);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_logins_with_one_recovery_code_one_wins() {
    let world = World::start().await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    let challenge = world.challenge("client").await;
    for (round, code) in factor.codes.iter().enumerate() {
        let answers =
            join_all((0..CLIENTS).map(|_| world.login_with("client", &challenge, code))).await;
        one_won(&answers, round);
    }
    let user = AccessToken::read(&token).user();
    let audit = world.store.audit_of_user(&user).await;
    let entries = audit.iter().filter(|action| *action == "recovery_code_used");
    assert_eq!(entries.count(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_confirmations_one_wins_and_its_codes_are_the_ones() {
    let world = World::start().await;
    let token = world.token("client").await;
    let app = world.create_totp(&token, &local_password("client")).await;
    let code = app.code(world.now());
    let answers = join_all((0..CLIENTS).map(|_| world.confirm_totp(&token, &code))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    for answer in lost {
        answer.refused(409, "second_factor_present");
    }
    assert_eq!(won.len(), 1);
    let challenge = world.challenge("client").await;
    for code in recovery_codes(&won[0].json()) {
        world.login_with("client", &challenge, &code).await.is(200);
    }
}

#[tokio::test]
async fn a_seed_that_is_copied_to_another_account_is_worthless_there() {
    let world = World::start().await;
    let (client, ops) = (world.token("client").await, world.token("ops").await);
    let clients = world.enrol(&client, &local_password("client")).await;
    let own = world.enrol(&ops, &local_password("ops")).await;
    let [from, to] = [&client, &ops].map(|token| AccessToken::read(token).user());
    world.store.copy_second_factor(&from, &to).await;
    let challenge = world.challenge("ops").await;
    for app in [&clients.app, &own.app] {
        let code = app.code(world.now());
        world.login_with("ops", &challenge, &code).await.refused(401, "invalid_code");
    }
}

#[tokio::test]
async fn neither_tables_nor_logs_have_a_seed_or_a_code_in_the_clear() {
    let data = TempDir::new().unwrap();
    let mut secrets = Vec::new();
    let console = {
        let server = SERVER.start_with(&[], data.path());
        let api = &server.api;
        let (token, password) = (api.token("client").await, local_password("client"));
        let app = api.create_totp(&token, &password).await;
        let confirmed = api.confirm_totp(&token, &app.code(real_time())).await;
        let codes = recovery_codes(&confirmed.is_json(200));
        let challenge = api.challenge("client").await;
        api.login_with("client", &challenge, &codes[0]).await.is(200);
        secrets.push(challenge);
        secrets.extend(app.forms_of_the_seed());
        secrets.extend(codes.iter().cloned());
        secrets.extend(codes.iter().map(|code| code.replace('-', "")));
        server.interrupt().1.join("\n")
    };
    let world = World::start_on(data, &[]).await;
    let stored = format!("{:?}", world.stored().await);
    assert!(stored.contains("second_factor"), "it is there");
    for secret in &secrets {
        assert!(!console.contains(secret.as_str()), "{secret} in {console}");
        assert!(!stored.contains(secret.as_str()), "{secret} is stored");
    }
}

#[tokio::test]
async fn the_owner_is_mailed_at_every_change() {
    let (mail, data) = (MailServer::start().await, TempDir::new().unwrap());
    let server = SERVER.start_with(&mail.variables(), data.path());
    let (api, password) = (&server.api, local_password("client"));
    let token = api.token("client").await;
    let app = api.create_totp(&token, &password).await;
    let confirmed = api.confirm_totp(&token, &app.code(real_time())).await;
    let codes = recovery_codes(&confirmed.is_json(200));
    let challenge = api.challenge("client").await;
    api.login_with("client", &challenge, &codes[0]).await.is(200);
    let body = json!({"code": codes[1]});
    let renewed = api.post_as(routes::RECOVERY_CODES, &token, &body).await;
    let renewed = recovery_codes(&renewed.is_json(201));
    api.delete_totp(&token, &password, &renewed[0]).await.is(204);
    let mails = mail.mails();
    let subjects: BTreeSet<_> = mails.iter().map(|it| it.subject.as_str()).collect();
    let expected = BTreeSet::from([
        "A second factor was added",
        "A recovery code was used",
        "New recovery codes were made",
        "The second factor was removed",
    ]);
    assert_eq!(subjects, expected);
    assert_eq!(mails.len(), 4);
    for mail in &mails {
        assert_eq!(mail.to, "client@example.com");
        assert!(!codes.iter().any(|code| mail.text.contains(code)), "{}", mail.text);
    }
    assert!(mails.iter().any(|it| it.text.contains("Unused ones left: 9")));
}

#[tokio::test]
async fn every_change_is_in_the_audit() {
    let world = World::start().await;
    let (token, password) = (world.token("client").await, local_password("client"));
    let user = AccessToken::read(&token).user();
    let factor = world.enrol(&token, &password).await;
    let challenge = world.challenge("client").await;
    world.login_with("client", &challenge, &factor.codes[0]).await.is(200);
    let body = json!({"code": factor.codes[1]});
    world.post_as(routes::RECOVERY_CODES, &token, &body).await.is(201);
    let code = factor.app.code(world.now());
    world.delete_totp(&token, &password, &code).await.is(204);
    let audit = world.store.audit_of_user(&user).await;
    for action in [
        "second_factor_added",
        "recovery_code_used",
        "recovery_codes_replaced",
        "second_factor_removed",
    ] {
        let count = audit.iter().filter(|it| *it == action).count();
        assert_eq!(count, 1, "{action} in {audit:?}");
    }
}

#[tokio::test]
async fn a_seed_gets_the_current_key_when_its_owner_logs_in() {
    let keys = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];
    let rotated = json!({"current": keys[1], "previous": [keys[0]]}).to_string();
    let world = World::start_with(&[("SECOND_FACTOR_SECRET", keys[0])]).await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    let cases = [(rotated.as_str(), 200), (keys[1], 200), (keys[0], 401)];
    for (later, (secret, status)) in (1..).zip(cases) {
        let world = World::over(&world, &[("SECOND_FACTOR_SECRET", secret)]).await;
        world.pass(later * 60);
        let challenge = world.challenge("client").await;
        let code = factor.app.code(world.now());
        let answer = world.login_with("client", &challenge, &code).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}
