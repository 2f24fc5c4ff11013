//! `GET /api/files/uploaded`.

use serde_json::json;
use share_e2e::{Ops, World, routes};

#[tokio::test]
async fn an_ops_account_sees_its_own_files_of_every_state_but_deleted() {
    let world = World::start().await;
    let (ops, olga) = (Ops::of(&world).await, Ops::named(&world, "olga").await);
    ops.announce(&json!({"filename": "uploading.txt", "size": 10})).await.is(201);
    ops.file("available.txt", &json!({"recipients": []})).await;
    ops.large_file("rejected.pdf", b"no PDF at all", &json!({})).await;
    ops.file("ending.txt", &json!({"expires_in": 3600})).await;
    let deleted = ops.file("deleted.txt", &json!({})).await;
    ops.delete(&deleted).await.is(204);
    let aborted = ops.upload_of(10).await;
    ops.abort(&aborted).await.is(204);
    olga.file("of-olga.txt", &json!({})).await;
    world.server.jobs_idle().await;

    let files = world.all(routes::LIST_UPLOADED, 2, &ops.token).await;
    let states: Vec<_> = files
        .iter()
        .map(|file| (file["filename"].as_str().unwrap(), file["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("ending.txt", "available"),
        ("rejected.pdf", "rejected"),
        ("available.txt", "available"),
        ("uploading.txt", "uploading"),
    ];
    assert_eq!(states.len(), expected.len(), "{states:?}");
    for state in expected {
        assert!(states.contains(&state), "{state:?} of {states:?}");
    }
    for file in &files {
        let id = file["id"].as_str().unwrap();
        assert_eq!(ops.show(id).await.is_json(200), *file, "the same as alone");
    }
    assert_eq!(world.names_listed(routes::LIST_UPLOADED, &olga.token).await, ["of-olga.txt"]);
}

#[tokio::test]
async fn clients_and_admins_have_no_such_list() {
    let world = World::start().await;
    for role in ["client", "admin"] {
        let token = world.token(role).await;
        world.get(routes::LIST_UPLOADED, &token).await.refused(403, "wrong_role");
    }
}
