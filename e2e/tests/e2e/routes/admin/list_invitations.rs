//! `GET /api/admin/invitations`.

use serde_json::json;
use share_e2e::ops::Ops;
use share_e2e::{World, routes};

#[tokio::test]
async fn an_invitation_is_listed_for_seven_days_and_then_its_address_can_be_invited_again() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let body = json!({"email": "guest@example.org", "role": "ops", "username": "guest"});
    let invited = world.post_as(routes::INVITATIONS, &admin, &body).await.is_json(201);
    let end = share_e2e::scene::second(&invited["expires_at"]);
    world.pass_until(end - 60);
    let admin = world.token("admin").await;
    assert_eq!(world.all(routes::INVITATIONS, 100, &admin).await, [invited]);
    world.pass(60);
    assert!(world.all(routes::INVITATIONS, 100, &admin).await.is_empty());
    world.post_as(routes::INVITATIONS, &admin, &body).await.is(201);
    assert_eq!(world.all(routes::INVITATIONS, 100, &admin).await.len(), 1);
}

#[tokio::test]
async fn recipients_who_were_invited_for_a_file_are_listed_too() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    ops.file("for-one.txt", &json!({"recipients": ["guest@example.org"]})).await;
    let admin = world.token("admin").await;
    let listed = world.all(routes::INVITATIONS, 100, &admin).await;
    assert_eq!(listed.len(), 1);
    let shown = (&listed[0]["email"], &listed[0]["role"]);
    assert_eq!(shown, (&json!("guest@example.org"), &json!("client")));
}
