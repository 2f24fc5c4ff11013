//! Who can sign up as a Client. Who waits for an approval: `routes/admin/decide_approval.rs`.

use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::api::password_for;
use share_e2e::matchers::case;
use share_e2e::{World, routes};

fn sign_up(email: &str) -> Value {
    json!({"username": "vera", "email": email, "password": "correct horse battery"})
}

#[tokio::test]
async fn only_addresses_of_the_named_domains_sign_up_and_no_answer_tells_who_has_an_account() {
    let variables =
        [("CLIENT_SIGNUP", "domains"), ("ALLOWED_EMAIL_DOMAINS", "Example.org,example.net")];
    let world = World::start_with(&variables).await;
    let post = |email: &str| world.request(Method::POST, routes::SIGNUP).json(&sign_up(email));
    // The first is that of an account.
    let others = ["client@example.com", "vera@example.com", "vera@mail.example.org"];
    let cases = others.map(|email| case(email, post(email), 403, "signup_closed"));
    world.refuses(cases.into()).await;
    world.post(routes::SIGNUP, &sign_up("Vera@EXAMPLE.org")).await.is(201);
    world.another_client("anna").await;
}

#[tokio::test]
async fn where_clients_are_invited_nobody_signs_up_and_an_invitation_is_accepted() {
    let world = World::start_with(&[("CLIENT_SIGNUP", "invitation"), ("OPS_SIGNUP", "open")]).await;
    let post = |email: &str| world.request(Method::POST, routes::SIGNUP).json(&sign_up(email));
    let cases = ["client@example.com", "vera@example.com"]
        .map(|email| case(email, post(email), 403, "client_by_invitation"));
    world.refuses(cases.into()).await;
    let mut ops = sign_up("vera@example.com");
    ops["role"] = json!("ops");
    world.post(routes::SIGNUP, &ops).await.is(201);
}

#[tokio::test]
async fn who_signed_up_before_an_approval_was_asked_for_does_not_wait() {
    let before = World::start().await;
    let proof = before.sign_up("vera").await;
    let path = before.path_of(&proof).to_owned();
    let world = World::start_on(before.stop().await, &[("CLIENT_SIGNUP", "approval")]).await;
    world.get(&path, "").await.is(200);
    world.login("client", ("username", "vera"), &password_for("vera")).await.is(200);
}
