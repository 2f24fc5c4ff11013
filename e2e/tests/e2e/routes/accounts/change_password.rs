//! `POST /api/account/password`.

use futures_util::future::join_all;
use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::{Answer, World, routes};

const OLD: &str = "local-client-password";
const NEW: &str = "a password of my own";

async fn login(world: &World, password: &str) -> Answer {
    world.login("client", ("username", "client"), password).await
}

fn change(current: &str, new: &str) -> Value {
    json!({"current": current, "new": new})
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session_and_its_owner_is_told() {
    let (world, mails) = World::with_mails().await;
    let (own, other) = (login(&world, OLD).await, login(&world, OLD).await);
    let (access, refresh) = (own.field("access"), own.field("refresh"));
    world.post_as(routes::PASSWORD, &access, &change(OLD, NEW)).await.is(204);

    world.get(routes::ACCOUNT, &other.field("access")).await.refused(401, "session_revoked");
    let ended = json!({"refresh": other.field("refresh")});
    world.post(routes::REFRESH, &ended).await.refused(401, "session_revoked");
    // The session that changed it goes on: with its access token, and with a refresh token.
    world.get(routes::ACCOUNT, &access).await.is(200);
    let refreshed = world.post(routes::REFRESH, &json!({"refresh": refresh})).await;
    world.get(routes::ACCOUNT, &refreshed.is(200).field("access")).await.is(200);

    login(&world, OLD).await.refused(401, "invalid_credentials");
    login(&world, NEW).await.is(200);
    let mail = mails.newest("client@example.com");
    assert_eq!(mail.subject, "Your password was changed");
    assert!(!mail.text.contains("token="), "{mail:?}");
    assert_eq!(mails.mails().len(), 1);
    let audit = world.store.audit_of_user(&AccessToken::read(&access).user()).await;
    assert!(audit.contains(&"password_changed".to_owned()), "{audit:?}");
}

#[tokio::test]
async fn a_session_goes_on_however_often_it_changes_the_password() {
    let world = World::start().await;
    let (own, other) = (login(&world, OLD).await, login(&world, OLD).await);
    let access = own.field("access");
    let mut current = OLD.to_owned();
    for number in 0..4 {
        let new = format!("{NEW} {number}");
        world.post_as(routes::PASSWORD, &access, &change(&current, &new)).await.is(204);
        world.get(routes::ACCOUNT, &access).await.is(200);
        world.get(routes::ACCOUNT, &other.field("access")).await.refused(401, "session_revoked");
        current = new;
    }
    let refresh = json!({"refresh": own.field("refresh")});
    world.post(routes::REFRESH, &refresh).await.is(200);
}

#[tokio::test]
async fn a_wrong_or_a_weak_password_changes_nothing() {
    let (world, mails) = World::with_mails().await;
    let access = login(&world, OLD).await.field("access");
    let before = world.stored().await;
    let send = async |body: Value| world.post_as(routes::PASSWORD, &access, &body).await;
    send(change("a wrong password", NEW)).await.refused(403, "wrong_password");
    send(change("", NEW)).await.refused(422, "invalid_field");
    for weak in ["short", "password", "client@example.com"] {
        let answer = send(change(OLD, weak)).await;
        answer.refused(422, "invalid_field");
        assert_eq!(answer.json()["errors"][0]["field"], "new", "{weak}");
    }
    world.unchanged(&before).await;
    assert_eq!(mails.mails().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_changes_at_once_one_wins() {
    let (world, mails) = World::with_mails().await;
    let access = login(&world, OLD).await.field("access");
    let answers = join_all((0..16).map(async |number| {
        let body = change(OLD, &format!("a password of my own {number}"));
        (number, world.post_as(routes::PASSWORD, &access, &body).await)
    }))
    .await;
    let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.status == 204).collect();
    let [(winner, _)] = won.as_slice() else { panic!("{answers:?}") };
    for (number, answer) in &answers {
        if number != winner {
            answer.refused(403, "wrong_password");
        }
    }
    login(&world, &format!("a password of my own {winner}")).await.is(200);
    assert_eq!(mails.mails().len(), 1);
}
