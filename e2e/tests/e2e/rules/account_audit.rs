//! What the audit says of the beginning of an account, and that it names nobody.

use reqwest::Method;
use serde_json::{Map, json};
use share_e2e::api::password_for;
use share_e2e::scene::token_of;
use share_e2e::{World, routes, send};

#[tokio::test]
async fn a_sign_up_and_the_proof_of_its_address_are_in_the_audit() {
    let world = World::start().await;
    let token = token_of(&world.sign_up("rosa").await).to_owned();
    let user = world.store.user_named("rosa").await;
    assert_eq!(world.store.audit_of_user(&user).await, ["account_created"]);
    let before = world.stored().await;
    let wrong = json!({"password": "not the password"});
    let path = routes::verify_page(&token);
    world.post(&path, &wrong).await.refused(403, "wrong_password");
    world.unchanged(&before).await;
    world.post(&path, &json!({"password": password_for("rosa")})).await.is(200);
    assert_eq!(world.store.audit_of_user(&user).await, ["account_created", "address_proven"]);
    let program = token_of(&world.sign_up("opal").await).to_owned();
    send(world.request(Method::POST, &format!("{}?token={program}", routes::VERIFY_EMAIL)))
        .await
        .is(200);
    let user = world.store.user_named("opal").await;
    assert_eq!(world.store.audit_of_user(&user).await, ["account_created", "address_proven"]);
}

#[tokio::test]
async fn a_declined_sign_up_stays_in_the_audit_by_the_id_of_its_account() {
    let world = World::start().await;
    let token = token_of(&world.sign_up("rosa").await).to_owned();
    let user = world.store.user_named("rosa").await;
    world.post(&routes::verify_page(&token), &json!({"decline": "yes"})).await.is(200);
    assert_eq!(world.store.audit_of_user(&user).await, ["account_created", "sign_up_declined"]);
}

#[tokio::test]
async fn a_sign_up_that_cannot_be_mailed_ends_with_a_line_in_the_audit() {
    let (world, _mails) = World::with_mails().await;
    let body = json!({"username": "rosa", "email": "refused@example.org",
        "password": password_for("rosa")});
    world.post(routes::SIGNUP, &body).await.refused(503, "dependency_unavailable");
    let admin = world.token("admin").await;
    let query = format!("{}?action=account_created", routes::AUDIT);
    let lines = world.get(&query, &admin).await.is_json(200);
    assert_eq!(lines.as_array().unwrap().len(), 1, "{lines}");
    assert_eq!(lines[0]["detail"], "client by sign-up");
    let id = lines[0]["subject"].as_str().unwrap().trim_start_matches("user:");
    assert_eq!(world.store.audit_of_user(id).await, ["account_created", "sign_up_withdrawn"]);
    assert_eq!(world.stored().await.mentions("refused@example.org"), [""; 0]);
}

#[tokio::test]
async fn an_accepted_invitation_is_in_the_audit() {
    let world = World::start().await;
    let token = world.invitation("iris").await;
    let user = world.store.user_named("iris").await;
    let answer = json!({"password": "correct horse battery"});
    world.post(&routes::set_password(&token), &answer).await.is(200);
    assert_eq!(world.store.audit_of_user(&user).await, ["account_created", "invitation_accepted"]);
}

#[tokio::test]
async fn an_account_that_an_operator_makes_is_in_the_audit_with_the_name_of_the_function() {
    let world = World::start().await;
    let input = [("username", "iris"), ("email", "iris@example.com"), ("role", "ops")];
    let input: Map<_, _> =
        input.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    world.server.invoke_job("CreateAccount", input).await.unwrap();
    let user = world.store.user_named("iris").await;
    let admin = world.token("admin").await;
    let query = format!("{}?subject=user:{user}", routes::AUDIT);
    let lines = world.get(&query, &admin).await.is_json(200);
    assert_eq!(lines.as_array().unwrap().len(), 1, "{lines}");
    assert_eq!(lines[0]["action"], "account_created");
    assert_eq!(
        (&lines[0]["actor"], &lines[0]["request_id"]),
        (&json!(user), &json!("CreateAccount"))
    );
}

#[tokio::test]
async fn no_line_of_the_audit_has_a_name_an_address_or_a_secret() {
    let (world, mails) = World::with_mails().await;
    // From an address that counts.
    let api = world.from("127.0.0.2");
    let password = password_for("rosalind");
    let body = json!({"username": "rosalind", "email": "rosalind@example.org",
        "password": password});
    api.post(routes::SIGNUP, &body).await.is(201);
    let token = mails.newest("rosalind@example.org").token(routes::VERIFY_PAGE).to_owned();
    api.post(&routes::verify_page(&token), &json!({"password": password})).await.is(200);
    let access = api.login("client", ("username", "rosalind"), &password).await;
    let refresh = access.is(200).field("refresh");
    let stored = world.stored().await;
    let audit = |text: &str| {
        let mentions = stored.mentions(&text.to_lowercase()).into_iter();
        mentions.filter(|record| record.starts_with("AuditTable")).collect::<Vec<_>>()
    };
    assert_eq!(audit("session_begun").len(), 1);
    for secret in ["rosalind", "example.org", &token, &refresh, "127.0.0.2"] {
        assert_eq!(audit(secret), [""; 0], "{secret}");
    }
}
