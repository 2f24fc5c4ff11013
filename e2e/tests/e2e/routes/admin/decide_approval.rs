//! `POST` and `DELETE /api/approvals/{id}`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::api::password_for;
use share_e2e::mail_server::MailServer;
use share_e2e::ops::Ops;
use share_e2e::{Answer, Scene, World, routes, send};

async fn world() -> World {
    World::start_with(&[("CLIENT_SIGNUP", "approval")]).await
}

/// Somebody who has signed up and proven the address; gives the account.
async fn wait(world: &World, name: &str) -> String {
    let proof = world.open(&world.sign_up(name).await).await;
    assert!(proof.is_json(200)["message"].as_str().unwrap().contains("waits to be approved"));
    world.store.user_named(name).await
}

async fn decide(world: &World, method: Method, id: &str, token: &str) -> Answer {
    send(world.request(method, &routes::approval(id)).bearer_auth(token)).await
}

async fn login(world: &World, name: &str) -> Answer {
    world.login("client", ("username", name), &password_for(name)).await
}

#[tokio::test]
async fn a_proven_account_cannot_be_used_until_somebody_lets_it_in() {
    let world = world().await;
    let (id, ops) = (wait(&world, "vera").await, world.token("ops").await);
    login(&world, "vera").await.refused(403, "approval_pending");
    let by_address = ("email", "vera@example.org");
    let wrong = world.login("client", by_address, "not the password").await;
    wrong.refused(401, "invalid_credentials");
    decide(&world, Method::POST, &id, &ops).await.is_empty(204);
    let access = login(&world, "vera").await.is(200).field("access");
    world.get(routes::LIST_FILES, &access).await.is(200);
    let audit = world.store.audit_of_user(&id).await;
    assert_eq!(audit, ["account_created", "address_proven", "session_begun", "user_approved"]);
    let actor = world.store.actor(&id, "user_approved").await;
    assert_eq!(actor, AccessToken::read(&ops).user());
    let before = world.stored().await;
    for method in [Method::POST, Method::DELETE] {
        decide(&world, method, &id, &ops).await.refused(404, "approval_unknown");
    }
    world.unchanged(&before).await;
}

#[tokio::test]
async fn who_is_not_let_in_has_no_account_and_can_sign_up_once_more() {
    let world = world().await;
    let (id, admin) = (wait(&world, "vera").await, world.token("admin").await);
    decide(&world, Method::DELETE, &id, &admin).await.is_empty(204);
    login(&world, "vera").await.refused(401, "invalid_credentials");
    let audit = world.store.audit_of_user(&id).await;
    assert_eq!(audit, ["account_created", "address_proven", "user_refused"]);
    decide(&world, Method::POST, &id, &admin).await.refused(404, "approval_unknown");
    let again = wait(&world, "vera").await;
    assert_ne!(again, id);
    decide(&world, Method::POST, &again, &admin).await.is(204);
    login(&world, "vera").await.is(200);
}

#[tokio::test]
async fn nobody_is_let_in_before_the_address_is_proven_and_nothing_else_waits() {
    let world = world().await;
    world.sign_up("vera").await;
    let (vera, ops) = (world.store.user_named("vera").await, world.token("ops").await);
    let client = world.store.user_named("client").await;
    let before = world.stored().await;
    for id in [&vera, &client, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"] {
        for method in [Method::POST, Method::DELETE] {
            decide(&world, method, id, &ops).await.refused(404, "approval_unknown");
        }
    }
    decide(&world, Method::POST, "vera", &ops).await.refused(400, "invalid_parameter");
    world.unchanged(&before).await;
    login(&world, "vera").await.refused(403, "email_not_verified");
}

#[tokio::test]
async fn whom_an_admin_has_disabled_nobody_lets_in_or_deletes() {
    let world = world().await;
    let (id, ops) = (wait(&world, "vera").await, world.token("ops").await);
    world.store.set_active(&id, false).await;
    let before = world.stored().await;
    for method in [Method::POST, Method::DELETE] {
        decide(&world, method, &id, &ops).await.refused(404, "approval_unknown");
    }
    assert!(world.all(routes::APPROVALS, 100, &ops).await.is_empty());
    world.unchanged(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_who_decide_at_once_one_does() {
    let world = world().await;
    let ops = world.token("ops").await;
    for round in 0..10 {
        let name = format!("vera{round}");
        let id = wait(&world, &name).await;
        let methods = (0..64).map(|it| if it % 2 == 0 { Method::POST } else { Method::DELETE });
        let asked =
            methods.map(async |method| (method.clone(), decide(&world, method, &id, &ops).await));
        let answers = join_all(asked).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, it)| it.status == 204);
        assert_eq!(won.len(), 1, "round {round}");
        for (_, answer) in lost {
            answer.refused(404, "approval_unknown");
        }
        let approved = won[0].0 == Method::POST;
        assert_eq!(login(&world, &name).await.status, if approved { 200 } else { 401 });
        assert_eq!(
            world
                .store
                .audit_of_user(&id)
                .await
                .iter()
                .filter(|it| it.starts_with("user_"))
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn who_waits_is_told_by_mail_what_was_decided() {
    let mails = MailServer::start().await;
    let first = world().await;
    let (good, bad) = (wait(&first, "good").await, wait(&first, "bad").await);
    let mut variables = mails.variables().to_vec();
    variables.push(("CLIENT_SIGNUP", "approval"));
    let world = World::start_on(first.stop().await, &variables).await;
    let ops = world.token("ops").await;
    let terms = json!({"recipients": ["good@example.org"], "notify_recipients": true});
    Ops::of(&world).await.file("for-good.txt", &terms).await;
    assert!(mails.mails().is_empty(), "who waits is told of no file");
    decide(&world, Method::POST, &good, &ops).await.is(204);
    decide(&world, Method::DELETE, &bad, &ops).await.is(204);
    let sent: Vec<_> = mails.mails().into_iter().map(|it| (it.to, it.subject)).collect();
    let sent: Vec<_> = sent.iter().map(|(to, subject)| (to.as_str(), subject.as_str())).collect();
    assert_eq!(
        sent,
        [
            ("bad@example.org", "Your sign-up was not approved"),
            ("good@example.org", "Your account is approved"),
        ]
    );
}

#[tokio::test]
async fn what_was_given_out_before_does_not_let_anybody_in_who_waits() {
    let scene = Scene::start().await;
    let vera = scene.another_client("vera").await;
    let id = scene.world.store.user_named("vera").await;
    scene.world.store.let_wait(&id).await;
    scene.get(routes::LIST_FILES, &vera).await.refused(403, "approval_pending");
    let body = json!({"filename": "a.txt", "size": 1, "recipients": ["vera"]});
    scene.post_as(routes::UPLOADS, &scene.ops, &body).await.refused(422, "invalid_field");
    decide(&scene.world, Method::POST, &id, &scene.ops).await.is(204);
    scene.get(routes::LIST_FILES, &vera).await.is(200);
    scene.post_as(routes::UPLOADS, &scene.ops, &body).await.is(201);
}
