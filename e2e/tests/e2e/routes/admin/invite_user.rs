//! `POST /api/admin/invitations` and `POST /api/admin/invitations/{id}`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::mail_server::MailServer;
use share_e2e::matchers::case;
use share_e2e::store::Snapshot;
use share_e2e::{Answer, World, routes, send};

const PASSWORD: &str = "a password of my own";

async fn invite(world: &World, admin: &str, body: &Value) -> Answer {
    world.post_as(routes::INVITATIONS, admin, body).await
}

async fn resend(world: &World, admin: &str, id: &str) -> Answer {
    send(world.request(Method::POST, &routes::invitation(id)).bearer_auth(admin)).await
}

async fn accept(world: &World, token: &str) -> Answer {
    world.post(&routes::set_password(token), &json!({"password": PASSWORD})).await
}

#[tokio::test]
async fn who_is_invited_sets_a_password_and_logs_in_with_the_role() {
    let mails = MailServer::start().await;
    let world = World::start_with(&mails.variables()).await;
    let admin = world.token("admin").await;
    for (role, username) in [("ops", Some("Olga")), ("client", None), ("admin", Some("ada"))] {
        let mut body = json!({"email": format!("{role}.guest@example.org"), "role": role});
        if let Some(username) = username {
            body["username"] = json!(username);
        }
        let invited = invite(&world, &admin, &body).await.is_json(201);
        let listed = world.all(routes::INVITATIONS, 100, &admin).await;
        assert_eq!(listed, std::slice::from_ref(&invited));
        let mail = mails.mails().into_iter().find(|it| body["email"] == it.to.as_str()).unwrap();
        assert_eq!(invited["username"], mail.username());
        assert!(username.is_none_or(|name| name == mail.username()));
        accept(&world, mail.token(routes::SET_PASSWORD)).await.is(200);
        assert!(world.all(routes::INVITATIONS, 100, &admin).await.is_empty());
        world.login(role, ("username", mail.username()), PASSWORD).await.is(200);
        world.login(role, ("email", &mail.to), PASSWORD).await.is(200);
        resend(&world, &admin, invited["id"].as_str().unwrap())
            .await
            .refused(404, "invitation_unknown");
    }
}

#[tokio::test]
async fn an_invitation_that_is_sent_once_more_has_a_new_link_and_ends_the_older() {
    let mails = MailServer::start().await;
    let world = World::start_with(&mails.variables()).await;
    let body = json!({"email": "guest@example.org", "role": "ops", "username": "guest"});
    let admin = world.token("admin").await;
    let invited = invite(&world, &admin, &body).await.is_json(201);
    let older = mails.mails()[0].token(routes::SET_PASSWORD).to_owned();
    world.pass(6 * 24 * 60 * 60);
    let admin = world.token("admin").await;
    let again = resend(&world, &admin, invited["id"].as_str().unwrap()).await.is_json(200);
    assert!(again["expires_at"].as_str() > invited["expires_at"].as_str());
    assert_eq!(world.all(routes::INVITATIONS, 100, &admin).await, [again]);
    let newer =
        mails.mails().into_iter().find(|it| it.token(routes::SET_PASSWORD) != older).unwrap();
    accept(&world, &older).await.refused(404, "invitation_unknown");
    world.pass(7 * 24 * 60 * 60 - 60);
    accept(&world, newer.token(routes::SET_PASSWORD)).await.is(200);
    world.login("ops", ("username", "guest"), PASSWORD).await.is(200);
    let user = world.store.user_named("guest").await;
    assert!(world.store.audit_of_user(&user).await.contains(&"invitation_renewed".to_owned()));
}

#[tokio::test]
async fn three_invitations_a_day_go_to_one_address_and_what_was_not_sent_does_not_count() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let body = json!({"email": "guest@example.org", "role": "ops"});
    let id = invite(&world, &admin, &body).await.is(201).id();
    for _ in 0..5 {
        invite(&world, &admin, &body).await.refused(409, "email_known");
    }
    for _ in 0..2 {
        resend(&world, &admin, &id).await.is(200);
    }
    let wait = resend(&world, &admin, &id).await.limited("too_many_invitations");
    world.pass(wait);
    let admin = world.token("admin").await;
    resend(&world, &admin, &id).await.is(200);
}

#[tokio::test]
async fn an_admin_is_told_that_an_address_or_a_name_is_known() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    world.another_client("anna").await;
    world.sign_up("bert").await;
    let guest = json!({"email": "guest@example.org", "role": "client"});
    invite(&world, &admin, &guest).await.is(201);
    invite(&world, &admin, &guest).await.refused(409, "email_known");
    let with_name = json!({"email": "other@example.org", "role": "client", "username": "ANNA"});
    let anna = json!({"email": "anna@example.org", "role": "ops"});
    let refused = async || {
        invite(&world, &admin, &anna).await.refused(409, "email_known");
        invite(&world, &admin, &with_name).await.refused(409, "username_taken");
    };
    refused().await; // leaves two counters at zero
    let before = world.stored().await;
    refused().await;
    world.unchanged(&before).await;
    // A sign-up that nobody has proven holds no address.
    invite(&world, &admin, &json!({"email": "bert@example.org", "role": "ops"})).await.is(201);
}

#[tokio::test]
async fn a_request_that_lacks_something_invites_nobody() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let post = |body: Value| {
        world.request(Method::POST, routes::INVITATIONS).bearer_auth(&admin).json(&body)
    };
    let good = json!({"email": "guest@example.org", "role": "client"});
    let mut cases = Vec::new();
    for (field, value) in
        [("email", json!("guest")), ("role", json!("king")), ("username", json!("a b"))]
    {
        let mut body = good.clone();
        body[field] = value;
        cases.push(case(field, post(body), 422, "invalid_field").naming(field));
    }
    cases.push(case("no role", post(json!({"email": "a@example.org"})), 422, "invalid_field"));
    let unknown = routes::invitation("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    let unknown = world.request(Method::POST, &unknown).bearer_auth(&admin);
    cases.push(case("nobody", unknown, 404, "invitation_unknown"));
    world.refuses(cases).await;
}

#[tokio::test]
async fn an_invitation_that_cannot_be_mailed_leaves_nothing_but_two_lines_in_the_audit() {
    let mails = MailServer::start().await;
    let world = World::start_with(&mails.variables()).await;
    let admin = world.token("admin").await;
    let refused = json!({"email": "refused@example.org", "role": "ops", "username": "guest"});
    let fails =
        async || invite(&world, &admin, &refused).await.refused(503, "dependency_unavailable");
    fails().await; // leaves a counter at zero
    let before = world.stored().await;
    fails().await;
    let withdrawn = format!("{}?action=invitation_withdrawn", routes::AUDIT);
    let lines = world.get(&withdrawn, &admin).await.is_json(200);
    let lines = lines.as_array().unwrap();
    for line in lines {
        let id = line["subject"].as_str().unwrap().trim_start_matches("user:");
        let audit = world.store.audit_of_user(id).await;
        assert_eq!(audit, ["account_created", "invitation_withdrawn"]);
    }
    assert_eq!(lines.len(), 2);
    let records = |it: &Snapshot| (it.user_records(), it.link_records());
    assert_eq!(records(&world.stored().await), records(&before));
    let other = json!({"email": "guest@example.org", "role": "ops", "username": "guest"});
    invite(&world, &admin, &other).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_who_accept_one_invitation_one_does_and_of_64_invitations_to_one_address_one_is_made()
{
    let mails = MailServer::start().await;
    let world = World::start_with(&mails.variables()).await;
    let admin = world.token("admin").await;
    let body = json!({"email": "guest@example.org", "role": "client"});
    let answers = join_all((0..64).map(|_| invite(&world, &admin, &body))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
    assert_eq!((won.len(), mails.mails().len()), (1, 1));
    for answer in lost {
        answer.refused(409, "email_known");
    }
    let mail = &mails.mails()[0];
    let answers = join_all((0..64).map(|_| accept(&world, mail.token(routes::SET_PASSWORD)))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    assert_eq!(won.len(), 1);
    for answer in lost {
        answer.refused(410, "invitation_used");
    }
}
