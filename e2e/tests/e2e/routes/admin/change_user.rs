//! `PATCH /api/admin/users/{id}`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::api::password_for;
use share_e2e::{Answer, Scene, World, routes, send};

async fn change(world: &World, admin: &str, user: &str, change: &Value) -> Answer {
    let request = world.request(Method::PATCH, &routes::user(user)).bearer_auth(admin);
    send(request.json(change)).await
}

#[tokio::test]
async fn another_role_counts_with_the_next_request_and_ends_the_sessions() {
    let world = World::start().await;
    let (client, admin) = (world.token("client").await, world.token("admin").await);
    let user = AccessToken::read(&client).user();
    let changed = change(&world, &admin, &user, &json!({"role": "ops"})).await.is_json(200);
    assert_eq!((&changed["id"], &changed["role"]), (&json!(user), &json!("ops")));
    world.get(routes::LIST_FILES, &client).await.refused(401, "session_revoked");
    let who = ("username", "client");
    world.login("client", who, "local-client-password").await.refused(401, "invalid_credentials");
    let ops = world.login("ops", who, "local-client-password").await.is(200).field("access");
    world.get("/api/files/uploaded", &ops).await.is(200);
    let audit = world.store.audit_of_user(&user).await;
    assert_eq!(audit, ["role_changed", "session_begun", "session_begun"]);
    let actor = world.store.actor(&user, "role_changed").await;
    assert_eq!(actor, AccessToken::read(&admin).user());

    let before = world.stored().await;
    change(&world, &admin, &user, &json!({"role": "ops"})).await.is(200);
    change(&world, &admin, &user, &json!({})).await.is(200);
    world.unchanged(&before).await;
}

#[tokio::test]
async fn a_disabled_account_can_do_nothing_until_it_is_enabled_and_its_sessions_stay_over() {
    let scene = Scene::start().await;
    let (world, link) = (&scene.world, scene.plain_link().await);
    let admin = world.token("admin").await;
    let user = AccessToken::read(&scene.client).user();
    let disabled = change(world, &admin, &user, &json!({"active": false})).await.is_json(200);
    assert_eq!(disabled["state"], "disabled");
    world.get(routes::LIST_FILES, &scene.client).await.refused(403, "account_disabled");
    world.open(&link.url).await.refused(410, "link_revoked");
    let who = ("username", "client");
    world.login("client", who, "local-client-password").await.refused(403, "account_disabled");

    let enabled = change(world, &admin, &user, &json!({"active": true})).await.is_json(200);
    assert_eq!(enabled["state"], "active");
    world.get(routes::LIST_FILES, &scene.client).await.refused(401, "session_revoked");
    world.login("client", who, "local-client-password").await.is(200);
    world.open(&link.url).await.is_whole();
    let audit = world.store.audit_of_user(&user).await;
    assert_eq!(audit, ["session_begun", "session_begun", "user_disabled", "user_enabled"]);
}

#[tokio::test]
async fn an_admin_ends_the_sessions_of_an_account_and_nothing_else() {
    let world = World::start().await;
    let (client, admin) = (world.token("client").await, world.token("admin").await);
    let user = AccessToken::read(&client).user();
    change(&world, &admin, &user, &json!({"sessions": "end"})).await.is(200);
    world.get(routes::LIST_FILES, &client).await.refused(401, "session_revoked");
    world.token("client").await;
    let audit = world.store.audit_of_user(&user).await;
    assert_eq!(audit, ["session_begun", "session_begun", "sessions_ended"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_an_admin_has_reset_opens_nothing_and_its_owner_is_mailed_a_new_link() {
    let (world, mail_server) = World::with_mails().await;
    let (client, admin) = (world.token("client").await, world.token("admin").await);
    let user = AccessToken::read(&client).user();
    let changed = change(&world, &admin, &user, &json!({"password": "reset"})).await;
    assert_eq!(changed.is_json(200)["state"], "active");
    world.get(routes::LIST_FILES, &client).await.refused(401, "session_revoked");
    let who = ("username", "client");
    world.login("client", who, "local-client-password").await.refused(401, "invalid_credentials");
    let audit = world.store.audit_of_user(&user).await;
    assert_eq!(audit, ["password_reset_forced", "session_begun"]);

    let mails = mail_server.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, "client@example.com");
    let path = format!("/reset-password?token={}", mails[0].token("/reset-password"));
    world.post(&path, &json!({"password": "a password of my own"})).await.is(200);
    world.login("client", who, "a password of my own").await.is(200);
}

#[tokio::test]
async fn an_admin_removes_a_second_factor_whose_owner_then_logs_in_with_the_password_alone() {
    let world = World::start().await;
    let (client, admin) = (world.token("client").await, world.token("admin").await);
    let user = AccessToken::read(&client).user();
    world.enrol(&client, "local-client-password").await;
    let who = ("username", "client");
    let asked = world.login("client", who, "local-client-password").await;
    asked.refused(401, "second_factor_required");
    let shown = world.get(&routes::user(&user), &admin).await.is_json(200);
    assert_eq!(shown["second_factor"], true);

    let reset = json!({"second_factor": "reset"});
    let changed = change(&world, &admin, &user, &reset).await.is_json(200);
    assert_eq!(changed["second_factor"], false);
    world.get(routes::LIST_FILES, &client).await.refused(401, "session_revoked");
    world.token("client").await;
    let audit = world.store.audit_of_user(&user).await;
    let added_and_removed = ["second_factor_added", "second_factor_removed"];
    assert_eq!(audit, [&added_and_removed[..], &["session_begun", "session_begun"]].concat());
    let before = world.stored().await;
    change(&world, &admin, &user, &reset).await.is(200);
    world.unchanged(&before).await;
}

#[tokio::test]
async fn what_cannot_be_done_to_an_account_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    world.sign_up("waiting").await;
    let user = world.store.user_named("waiting").await;
    let before = world.stored().await;
    for (body, field) in [
        (json!({"role": "root"}), "role"),
        (json!({"active": "no"}), "active"),
        (json!({"sessions": "all"}), "sessions"),
        (json!({"password": "a new password"}), "password"),
        (json!({"password": "reset"}), "password"),
        (json!({"second_factor": "off"}), "second_factor"),
        (json!({"email": "other@example.org"}), "email"),
    ] {
        let answer = change(&world, &admin, &user, &body).await;
        answer.refused(422, "invalid_field");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{body}");
    }
    let nobody = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    change(&world, &admin, nobody, &json!({"active": false})).await.refused(404, "user_unknown");
    world.unchanged(&before).await;
}

#[tokio::test]
async fn the_last_admin_who_can_log_in_is_neither_demoted_nor_disabled() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let user = AccessToken::read(&admin).user();
    // None of these could run the installation.
    for (name, role, active) in [("a0", "admin", false), ("a1", "ops", true)] {
        world.another_client(name).await;
        let id = world.store.user_named(name).await;
        world.store.set_role(&id, role).await;
        world.store.set_active(&id, active).await;
    }
    world.sign_up("a2").await;
    world.store.set_role(&world.store.user_named("a2").await, "admin").await;

    let before = world.stored().await;
    for body in [
        json!({"role": "ops"}),
        json!({"active": false}),
        json!({"role": "client", "active": false, "sessions": "end"}),
    ] {
        change(&world, &admin, &user, &body).await.refused(409, "last_admin");
    }
    world.unchanged(&before).await;

    let a0 = world.store.user_named("a0").await;
    change(&world, &admin, &a0, &json!({"active": true})).await.is(200);
    change(&world, &admin, &user, &json!({"role": "ops"})).await.is(200);
    assert_eq!(world.store.active_admins().await, ["a0"]);
    change(&world, &admin, &a0, &json!({"role": "ops"})).await.refused(401, "session_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_take_each_others_rights_64_times_at_once_one_keeps_them() {
    let world = World::start().await;
    world.another_admin("other").await;
    let ids = [world.store.user_named("admin").await, world.store.user_named("other").await];
    for round in 0..10 {
        let other = world.login("ops", ("username", "other"), &password_for("other")).await;
        let tokens = [world.token("admin").await, other.is(200).field("access")];
        let requests = (0..64).map(|number| {
            let body =
                if number % 4 < 2 { json!({"role": "ops"}) } else { json!({"active": false}) };
            let (world, tokens, ids) = (&world, &tokens, &ids);
            async move { change(world, &tokens[number % 2], &ids[1 - number % 2], &body).await }
        });
        let answers = join_all(requests).await;
        for answer in &answers {
            let allowed = [200, 401, 403, 409].contains(&answer.status.as_u16());
            assert!(allowed, "{answer:?}");
        }
        assert!(answers.iter().any(|answer| answer.status == 200), "round {round}");
        assert_eq!(world.store.active_admins().await.len(), 1, "round {round}");
        for id in &ids {
            world.store.set_role(id, "admin").await;
            world.store.set_active(id, true).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_admins_who_all_demote_all_at_once_one_is_left() {
    let world = World::start().await;
    let mut tokens = vec![world.token("admin").await];
    for number in 0..7 {
        tokens.push(world.another_admin(&format!("a{number}")).await);
    }
    let body = json!({"role": "client"});
    let requests = tokens.iter().flat_map(|by| tokens.iter().map(move |of| (by, of)));
    let requests = requests.map(|(by, of)| {
        let (world, body, user) = (&world, &body, AccessToken::read(of).user());
        async move { change(world, by, &user, body).await }
    });
    let answers = join_all(requests).await;
    assert_eq!(answers.len(), 64);
    let demoted = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(demoted >= 7, "{demoted}: twice is as good as once");
    assert_eq!(world.store.active_admins().await.len(), 1);
}

#[tokio::test]
async fn ones_own_password_and_factor_are_changed_only_by_who_knows_them() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let user = AccessToken::read(&admin).user();
    world.enrol(&admin, "local-admin-password").await;
    let before = world.stored().await;
    for field in ["password", "second_factor"] {
        let answer = change(&world, &admin, &user, &json!({field: "reset"})).await;
        answer.refused(422, "invalid_field");
    }
    world.unchanged(&before).await;
}

#[tokio::test]
async fn an_admin_without_a_password_is_not_one_who_is_left() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let user = AccessToken::read(&admin).user();
    let other = AccessToken::read(&world.another_admin("anna").await).user();
    change(&world, &admin, &other, &json!({"password": "reset"})).await.is(200);
    let before = world.stored().await;
    change(&world, &admin, &user, &json!({"role": "ops"})).await.refused(409, "last_admin");
    world.unchanged(&before).await;
}
