//! `DELETE /api/admin/invitations/{id}`.

use futures_util::future::join;
use reqwest::Method;
use serde_json::json;
use share_e2e::mail_server::MailServer;
use share_e2e::{Answer, World, routes, send};

const PASSWORD: &str = "a password of my own";

async fn withdraw(world: &World, admin: &str, id: &str) -> Answer {
    send(world.request(Method::DELETE, &routes::invitation(id)).bearer_auth(admin)).await
}

async fn accept(world: &World, token: &str) -> Answer {
    world.post(&routes::set_password(token), &json!({"password": PASSWORD})).await
}

#[tokio::test]
async fn a_withdrawn_invitation_cannot_be_accepted_and_its_name_and_address_are_free() {
    let mails = MailServer::start().await;
    let world = World::start_with(&mails.variables()).await;
    let admin = world.token("admin").await;
    let body = json!({"email": "guest@example.org", "role": "ops", "username": "guest"});
    let id = world.post_as(routes::INVITATIONS, &admin, &body).await.is(201).id();
    withdraw(&world, &admin, &id).await.is_empty(204);
    accept(&world, mails.mails()[0].token(routes::SET_PASSWORD))
        .await
        .refused(404, "invitation_unknown");
    assert!(world.all(routes::INVITATIONS, 100, &admin).await.is_empty());
    let audit = world.store.audit_of_user(&id).await;
    assert_eq!(audit, ["account_created", "invitation_withdrawn"]);
    let before = world.stored().await;
    withdraw(&world, &admin, &id).await.refused(404, "invitation_unknown");
    let client = world.store.user_named("client").await;
    withdraw(&world, &admin, &client).await.refused(404, "invitation_unknown");
    withdraw(&world, &admin, "guest").await.refused(400, "invalid_parameter");
    world.unchanged(&before).await;
    world.post_as(routes::INVITATIONS, &admin, &body).await.is(201);
}

#[tokio::test]
async fn an_accepted_invitation_cannot_be_withdrawn() {
    let mails = MailServer::start().await;
    let world = World::start_with(&mails.variables()).await;
    let admin = world.token("admin").await;
    let body = json!({"email": "guest@example.org", "role": "ops", "username": "guest"});
    let id = world.post_as(routes::INVITATIONS, &admin, &body).await.is(201).id();
    accept(&world, mails.mails()[0].token(routes::SET_PASSWORD)).await.is(200);
    let before = world.stored().await;
    withdraw(&world, &admin, &id).await.refused(404, "invitation_unknown");
    world.unchanged(&before).await;
    world.login("ops", ("username", "guest"), PASSWORD).await.is(200);
}

#[tokio::test]
async fn an_invitation_to_an_address_that_somebody_else_proved_is_over_and_can_be_withdrawn() {
    let (world, mails) = World::with_mails().await;
    let admin = world.token("admin").await;
    let body = json!({"email": "boss@example.org", "role": "admin", "username": "boss"});
    let id = world.post_as(routes::INVITATIONS, &admin, &body).await.is(201).id();
    let link = mails.newest("boss@example.org").token(routes::SET_PASSWORD).to_owned();
    let body = json!({"username": "carla", "email": "boss@example.org", "password": PASSWORD});
    world.post(routes::SIGNUP, &body).await.is(201);
    let proof = mails.newest("boss@example.org").token(routes::VERIFY_PAGE).to_owned();
    world.post(&routes::verify_page(&proof), &json!({"password": PASSWORD})).await.is(200);
    accept(&world, &link).await.refused(409, "email_taken");
    // The address becomes free, and the link is no better for it.
    let access = world.login("client", ("username", "carla"), PASSWORD).await.field("access");
    let body = json!({"email": "carla@example.org", "password": PASSWORD});
    world.post_as(routes::EMAIL, &access, &body).await.is(202);
    let change = mails.newest("carla@example.org").token(routes::CHANGE_EMAIL).to_owned();
    let change = format!("{}?token={change}", routes::CHANGE_EMAIL);
    world.post(&change, &json!({"password": PASSWORD})).await.is(200);
    accept(&world, &link).await.refused(409, "email_taken");
    withdraw(&world, &admin, &id).await.is(204);
    accept(&world, &link).await.refused(404, "invitation_unknown");
    let body = json!({"email": "boss@example.org", "role": "admin", "username": "boss"});
    world.post_as(routes::INVITATIONS, &admin, &body).await.is(201);
}

#[tokio::test]
async fn a_disabled_invitation_is_neither_accepted_nor_sent_once_more() {
    let (world, mails) = World::with_mails().await;
    let admin = world.token("admin").await;
    let body = json!({"email": "guest@example.org", "role": "ops", "username": "guest"});
    let id = world.post_as(routes::INVITATIONS, &admin, &body).await.is(201).id();
    let disable = world.request(Method::PATCH, &routes::user(&id)).bearer_auth(&admin);
    send(disable.json(&json!({"active": false}))).await.is(200);
    let link = mails.newest("guest@example.org").token(routes::SET_PASSWORD).to_owned();
    let before = world.stored().await;
    accept(&world, &link).await.refused(404, "invitation_unknown");
    withdraw(&world, &admin, &id).await.refused(404, "invitation_unknown");
    let resend = world.post_as(&routes::invitation(&id), &admin, &json!({})).await;
    resend.refused(404, "invitation_unknown");
    assert!(world.all(routes::INVITATIONS, 100, &admin).await.is_empty());
    world.unchanged(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_or_withdrawn_and_never_both() {
    let mails = MailServer::start().await;
    let world = World::start_with(&mails.variables()).await;
    let admin = world.token("admin").await;
    let (mut accepted_first, mut withdrawn_first) = (0, 0);
    // Hashing a password takes a while, so the other one comes later: after about as long.
    let mut delay = 1;
    for round in 0..20 {
        let email = format!("guest{round}@example.org");
        let body = json!({"email": email, "role": "ops", "username": format!("guest{round}")});
        let id = world.post_as(routes::INVITATIONS, &admin, &body).await.is(201).id();
        let mail = mails.mails().into_iter().find(|it| it.to == email).unwrap();
        let later = async {
            for _ in 0..delay {
                world.get(routes::LIST_UPLOADED, "").await.is(401);
            }
            withdraw(&world, &admin, &id).await
        };
        let (accepted, withdrawn) =
            join(accept(&world, mail.token(routes::SET_PASSWORD)), later).await;
        let login = world.login("ops", ("email", &email), PASSWORD).await;
        match (accepted.status.as_u16(), withdrawn.status.as_u16()) {
            (200, 404) => {
                login.is(200);
                accepted_first += 1;
                delay = delay * 2 / 3;
            }
            (404, 204) => {
                login.is(401);
                withdrawn_first += 1;
                delay = delay * 3 / 2 + 1;
            }
            both => panic!("round {round}: {both:?}"),
        }
    }
    assert!(accepted_first > 0 && withdrawn_first > 0, "{accepted_first}, {withdrawn_first}");
}
