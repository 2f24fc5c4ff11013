//! `GET /api/admin/users` and `GET /api/admin/users/{id}`.

use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::{World, routes};

/// The names of the accounts that a list with this query has, in its order.
async fn names(world: &World, query: &str, admin: &str) -> Vec<String> {
    let (mut names, mut next) = (Vec::new(), Some(format!("{}?limit=2{query}", routes::USERS)));
    while let Some(page) = next {
        let answer = world.get(&page, admin).await;
        let rows = answer.is_json(200).as_array().unwrap().clone();
        names.extend(rows.iter().map(|row| row["username"].as_str().unwrap().to_owned()));
        next = answer.next().map(|url| world.path_of(url).to_owned());
    }
    names
}

#[tokio::test]
async fn accounts_are_listed_by_name_and_found_by_a_part_of_their_name_or_address() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    for name in ["Zoe", "Béatrice", "ALBERT"] {
        let body = json!({"username": name, "password": "a password of my own",
            "email": format!("{}@example.net", name.len())});
        world.post(routes::SIGNUP, &body).await.is(201);
    }
    let all = ["admin", "ALBERT", "Béatrice", "client", "ops", "Zoe"];
    assert_eq!(names(&world, "", &admin).await, all);
    for (query, found) in [
        ("&q=RT", &["ALBERT"][..]),
        ("&q=b%C3%89a", &["Béatrice"]),
        ("&q=EXAMPLE.net", &["ALBERT", "Béatrice", "Zoe"]),
        ("&q=3%40example.net", &["Zoe"]),
        ("&q=nobody", &[]),
        ("&q=e&role=ops", &["ops"]),
        ("&role=client&state=active", &["client"]),
        ("&role=client&state=unverified", &["ALBERT", "Béatrice", "Zoe"]),
    ] {
        assert_eq!(names(&world, query, &admin).await, found, "{query}");
    }
}

#[tokio::test]
async fn a_list_has_the_accounts_of_one_state_and_no_sign_up_that_has_lapsed() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    world.sign_up("waiting").await;
    let input = json!({"username": "guest", "email": "guest@example.org", "role": "ops"});
    let input = input.as_object().unwrap().clone();
    world.server.invoke_job("CreateAccount", input).await.unwrap();
    world.store.set_active(&world.store.user_named("ops").await, false).await;
    for (state, found) in [
        ("active", &["admin", "client"][..]),
        ("disabled", &["ops"]),
        ("unverified", &["waiting"]),
        ("invited", &["guest"]),
    ] {
        let query = format!("&state={state}");
        assert_eq!(names(&world, &query, &admin).await, found, "{state}");
        for row in world
            .get(&format!("{}?state={state}", routes::USERS), &admin)
            .await
            .json()
            .as_array()
            .unwrap()
        {
            assert_eq!(row["state"], state);
        }
    }
    world.pass(24 * 60 * 60);
    let admin = world.token("admin").await;
    assert_eq!(names(&world, "", &admin).await, ["admin", "client", "guest", "ops"]);
}

#[tokio::test]
async fn accounts_are_listed_by_when_their_owners_were_last_seen() {
    let world = World::start().await;
    world.pass(60);
    world.another_client("latecomer").await;
    world.pass(60);
    world.token("client").await;
    world.pass(60);
    let admin = world.token("admin").await;
    let seen = ["admin", "client", "latecomer", "ops"];
    assert_eq!(names(&world, "&sort=-last_seen", &admin).await, seen);
    let reversed = ["ops", "latecomer", "client", "admin"];
    assert_eq!(names(&world, "&sort=last_seen", &admin).await, reversed, "ops never logged in");
}

#[tokio::test]
async fn an_account_of_an_earlier_version_is_listed_from_its_next_login_on() {
    let world = World::start().await;
    let (admin, user) = (world.token("admin").await, world.store.user_named("client").await);
    world.store.unlist(&user).await;
    assert_eq!(names(&world, "", &admin).await, ["admin", "ops"]);
    world.token("client").await;
    assert_eq!(names(&world, "", &admin).await, ["admin", "client", "ops"]);
    assert_eq!(names(&world, "&sort=-last_seen", &admin).await, ["client", "admin", "ops"]);
}

#[tokio::test]
async fn an_account_is_shown_with_what_an_admin_needs_and_without_secrets() {
    let world = World::start().await;
    let (client, admin) = (world.token("client").await, world.token("admin").await);
    let id = AccessToken::read(&client).user();
    let shown = world.get(&routes::user(&id), &admin).await.is_json(200);
    let rest = json!({"id": id, "username": "client", "email": "client@example.com",
        "role": "client", "state": "active", "second_factor": false});
    for (name, value) in rest.as_object().unwrap() {
        assert_eq!(&shown[name], value);
    }
    let mut fields: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected =
        ["created_at", "email", "id", "last_seen_at", "role", "second_factor", "state", "username"];
    assert_eq!(fields, expected);
    let listed = world.all(routes::USERS, 100, &admin).await;
    let listed: Vec<&Value> = listed.iter().filter(|row| row["id"] == *id).collect();
    assert_eq!(listed, [&shown]);
    let nobody = routes::user("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    world.get(&nobody, &admin).await.refused(404, "user_unknown");
    world.get(&routes::user("x"), &admin).await.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn a_list_of_accounts_in_an_unknown_order_role_or_state_is_refused() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    for query in ["sort=age", "role=root", "state=deleted", "q="] {
        let path = format!("{}?{query}", routes::USERS);
        world.get(&path, &admin).await.refused(400, "invalid_parameter");
    }
}
