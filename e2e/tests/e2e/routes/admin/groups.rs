//! `/api/admin/groups`: groups of Clients, and files that are for them.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::mail_server::MailServer;
use share_e2e::{Answer, Ops, World, routes, send};

use crate::SERVER;

const NOBODY: &str = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

async fn create(world: &World, admin: &str, name: &str) -> Answer {
    world.post_as(routes::GROUPS, admin, &json!({"name": name})).await
}

async fn member(world: &World, admin: &str, method: Method, group: &str, user: &str) -> Answer {
    send(world.request(method, &routes::member(group, user)).bearer_auth(admin)).await
}

async fn join(world: &World, admin: &str, group: &str, user: &str) -> Answer {
    member(world, admin, Method::PUT, group, user).await
}

async fn leave(world: &World, admin: &str, group: &str, user: &str) -> Answer {
    member(world, admin, Method::DELETE, group, user).await
}

async fn delete(world: &World, admin: &str, group: &str) -> Answer {
    send(world.request(Method::DELETE, &routes::group(group)).bearer_auth(admin)).await
}

/// The groups, each with the number of its members.
async fn groups(world: &World, token: &str) -> Vec<(String, Value)> {
    let groups = world.all(routes::GROUPS, 1, token).await.into_iter();
    groups.map(|row| (row["name"].as_str().unwrap().to_owned(), row["members"].clone())).collect()
}

#[tokio::test]
async fn who_is_refused_or_whose_invitation_is_withdrawn_is_in_no_group_any_more() {
    let world = World::start_with(&[("CLIENT_SIGNUP", "approval")]).await;
    let admin = world.token("admin").await;
    world.open(&world.sign_up("vera").await).await.is(200);
    let waiting = world.store.user_named("vera").await;
    let body = json!({"email": "guest@example.org", "role": "client"});
    let invited = world.post_as(routes::INVITATIONS, &admin, &body).await.is(201).id();
    for name in ["board", "staff", "visitors"] {
        create(&world, &admin, name).await.is(201);
    }
    for user in [&waiting, &invited] {
        join(&world, &admin, "board", user).await.is(204);
        join(&world, &admin, "visitors", user).await.is(204);
    }
    for path in [routes::approval(&waiting), routes::invitation(&invited)] {
        send(world.request(Method::DELETE, &path).bearer_auth(&admin)).await.is(204);
    }
    let stored = world.stored().await;
    for user in [waiting, invited] {
        let named = stored.mentions(&user).into_iter();
        let in_users: Vec<_> = named.filter(|it| it.starts_with("UsersTable")).collect();
        assert_eq!(in_users, [""; 0]);
    }
    let empty = ["board", "staff", "visitors"].map(|name| (name.to_owned(), json!(0)));
    assert_eq!(groups(&world, &admin).await, empty);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_a_group_while_the_invitation_is_withdrawn_is_not_left_in_it() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    create(&world, &admin, "board").await.is(201);
    let mut joined = 0;
    for round in 0..20 {
        let body = json!({"email": format!("guest{round}@example.org"), "role": "client"});
        let id = world.post_as(routes::INVITATIONS, &admin, &body).await.is(201).id();
        let path = routes::invitation(&id);
        let withdraw = send(world.request(Method::DELETE, &path).bearer_auth(&admin));
        let join = join(&world, &admin, "board", &id);
        // So that each of them is first at times, whatever else the machine does.
        let (join, withdrawn) = if round % 2 == 0 {
            futures_util::future::join(join, withdraw).await
        } else {
            let (withdrawn, join) = futures_util::future::join(withdraw, join).await;
            (join, withdrawn)
        };
        withdrawn.is(204);
        joined += u32::from(join.status == 204);
        assert_eq!(groups(&world, &admin).await, [("board".to_owned(), json!(0))], "{round}");
    }
    assert!((1..20).contains(&joined), "each of them was first: {joined}");
}

#[tokio::test]
async fn a_file_for_a_group_is_for_whoever_is_in_it_from_the_next_request_on() {
    let world = World::start().await;
    let (ops, admin) = (Ops::of(&world).await, world.token("admin").await);
    let (client, anna) = (world.token("client").await, world.another_client("anna").await);
    let user = AccessToken::read(&anna).user();
    let created = create(&world, &admin, "Board").await.is_json(201);
    assert_eq!((&created["name"], &created["members"]), (&json!("board"), &json!(0)));
    let file = ops.file("minutes.txt", &json!({"recipients": ["group:BOARD"]})).await;
    assert_eq!(ops.show(&file).await.json()["recipients"], json!(["group:board"]));
    let nothing: [&str; 0] = [];
    assert_eq!(world.names_listed(routes::LIST_FILES, &anna).await, nothing);

    for _ in 0..2 {
        join(&world, &admin, "board", &user).await.is_empty(204);
    }
    assert_eq!(world.names_listed(routes::LIST_FILES, &anna).await, ["minutes.txt"]);
    assert_eq!(world.names_listed(routes::LIST_FILES, &client).await, nothing);
    assert_eq!(groups(&world, &ops.token).await, [("board".to_owned(), json!(1))]);
    let link = world.link(&file, &anna).await;
    let in_it = world.get(&format!("{}?group=board", routes::USERS), &admin).await.is_json(200);
    let in_it: Vec<_> = in_it.as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(in_it, [&json!(user)]);

    for _ in 0..2 {
        leave(&world, &admin, "board", &user).await.is_empty(204);
    }
    assert_eq!(world.names_listed(routes::LIST_FILES, &anna).await, nothing);
    world.open(&link).await.refused(410, "file_gone");
    let refused = world.post_as(&routes::generate_link(&file), &anna, &json!({})).await;
    refused.refused(404, "file_unknown");
    let audit = world.store.audit_of_user(&user).await;
    assert_eq!(
        audit,
        ["account_created", "address_proven", "group_joined", "group_left", "session_begun"]
    );
    assert_eq!(world.store.actor(&user, "group_joined").await, AccessToken::read(&admin).user());
}

#[tokio::test]
async fn a_deleted_group_has_no_members_and_a_later_one_of_its_name_sees_nothing_of_it() {
    let world = World::start().await;
    let (ops, admin) = (Ops::of(&world).await, world.token("admin").await);
    let anna = world.another_client("anna").await;
    let user = AccessToken::read(&anna).user();
    create(&world, &admin, "board").await.is(201);
    create(&world, &admin, "staff").await.is(201);
    let client = world.store.user_named("client").await;
    for (group, user) in [("board", &user), ("board", &client), ("staff", &user)] {
        join(&world, &admin, group, user).await.is(204);
    }
    ops.file("minutes.txt", &json!({"recipients": ["group:board"]})).await;
    ops.file("menu.txt", &json!({"recipients": ["group:staff"]})).await;
    delete(&world, &admin, "board").await.is_empty(204);
    assert_eq!(world.names_listed(routes::LIST_FILES, &anna).await, ["menu.txt"]);
    assert_eq!(groups(&world, &admin).await, [("staff".to_owned(), json!(1))]);
    delete(&world, &admin, "board").await.refused(404, "group_unknown");

    create(&world, &admin, "board").await.is(201);
    join(&world, &admin, "board", &user).await.is(204);
    assert_eq!(world.names_listed(routes::LIST_FILES, &anna).await, ["menu.txt"]);
}

#[tokio::test]
async fn what_cannot_be_done_to_a_group_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let (ops, admin) = (Ops::of(&world).await, world.token("admin").await);
    create(&world, &admin, "board").await.is(201);
    let user = world.store.user_named("client").await;
    let before = world.stored().await;
    create(&world, &admin, "BOARD").await.refused(409, "group_exists");
    for name in ["b", "a board", "büro"] {
        create(&world, &admin, name).await.refused(422, "invalid_field");
    }
    join(&world, &admin, "nobody", &user).await.refused(404, "group_unknown");
    join(&world, &admin, "board", NOBODY).await.refused(404, "user_unknown");
    join(&world, &admin, "board", "x").await.refused(400, "invalid_parameter");
    leave(&world, &admin, "nobody", &user).await.refused(404, "group_unknown");
    delete(&world, &admin, "b").await.refused(400, "invalid_parameter");
    let path = format!("{}?group=nobody", routes::USERS);
    world.get(&path, &admin).await.refused(404, "group_unknown");
    for recipients in [json!(["group:nobody"]), json!(["group:"]), json!(["group:a b"])] {
        let body = json!({"filename": "a.txt", "size": 1, "recipients": recipients});
        ops.announce(&body).await.refused(422, "invalid_field");
    }
    world.unchanged(&before).await;
}

#[tokio::test]
async fn an_account_is_in_at_most_twenty_groups() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let user = world.store.user_named("client").await;
    for number in 0..21 {
        let name = format!("group-{number}");
        create(&world, &admin, &name).await.is(201);
        let answer = join(&world, &admin, &name, &user).await;
        if number < 20 {
            answer.is(204);
        } else {
            answer.refused(409, "group_full");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_while_a_group_is_deleted_is_not_in_it_afterwards() {
    let world = World::start().await;
    let (ops, admin) = (Ops::of(&world).await, world.token("admin").await);
    let clients = [world.token("client").await, world.another_client("anna").await];
    for round in 0..10 {
        create(&world, &admin, "board").await.is(201);
        ops.file(&format!("{round}.txt"), &json!({"recipients": ["group:board"]})).await;
        let joins = (0..32).map(|number| {
            let (world, admin) = (&world, &admin);
            let user = AccessToken::read(&clients[number % 2]).user();
            async move { join(world, admin, "board", &user).await.status.as_u16() }
        });
        let deleted = async { delete(&world, &admin, "board").await };
        let (joined, deleted) = futures_util::join!(join_all(joins), deleted);
        deleted.is(204);
        assert!(joined.iter().all(|status| [204, 404].contains(status)), "{joined:?}");
        assert!(groups(&world, &admin).await.is_empty(), "round {round}");
        for client in &clients {
            let nothing: [&str; 0] = [];
            assert_eq!(world.names_listed(routes::LIST_FILES, client).await, nothing);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_group_are_told_of_a_file_once_however_they_are_named() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    for name in ["anna", "ben", "carl"] {
        world.another_client(name).await;
    }
    for (group, name) in [
        ("board", "anna"),
        ("board", "ben"),
        ("board", "carl"),
        ("staff", "anna"),
        ("staff", "ben"),
    ] {
        create(&world, &admin, group).await;
        let user = world.store.user_named(name).await;
        join(&world, &admin, group, &user).await.is(204);
    }
    let data = world.stop().await;
    let mail_server = MailServer::start().await;
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let ops = Ops::of(&server.api).await;
    let named = json!(["group:board", "group:staff", "ben@example.org", "carl"]);
    let terms = json!({"recipients": named, "notify_recipients": true});
    ops.file("minutes.txt", &terms).await;
    let mut told: Vec<_> = mail_server.mails().into_iter().map(|mail| mail.to).collect();
    told.sort();
    assert_eq!(told, ["anna@example.org", "ben@example.org", "carl@example.org"]);
}
