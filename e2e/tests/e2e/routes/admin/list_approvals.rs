//! `GET /api/approvals`.

use reqwest::Method;
use serde_json::json;
use share_e2e::api::password_for;
use share_e2e::{World, routes, send};

#[tokio::test]
async fn those_who_have_proven_their_address_wait_in_the_order_in_which_they_signed_up() {
    let world = World::start_with(&[("CLIENT_SIGNUP", "approval")]).await;
    let ops = world.token("ops").await;
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        world.open(&world.sign_up(name).await).await.is(200);
        ids.push(world.store.user_named(name).await);
    }
    world.sign_up("unproven").await;
    let waiting = world.all(routes::APPROVALS, 1, &ops).await;
    assert_eq!(waiting.iter().map(|it| it["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    let shown = (&waiting[0]["username"], &waiting[0]["email"]);
    assert_eq!(shown, (&json!("first"), &json!("first@example.org")));
    assert!(!waiting[0].to_string().contains("password"));
    let admin = world.token("admin").await;
    assert_eq!(world.all(routes::APPROVALS, 100, &admin).await, waiting);
    let listed = world.get(&format!("{}?state=waiting", routes::USERS), &admin).await.is_json(200);
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|it| &it["username"]).collect();
    assert_eq!(names, ["first", "second", "third"]);
    let client = world.token("client").await;
    world.get(routes::APPROVALS, &client).await.refused(403, "wrong_role");
    for id in &ids {
        let decide = world.request(Method::POST, &routes::approval(id)).bearer_auth(&ops);
        send(decide).await.is(204);
    }
    assert!(world.all(routes::APPROVALS, 100, &ops).await.is_empty());
    let who = ("username", "third");
    world.login("client", who, &password_for("third")).await.is(200);
}
