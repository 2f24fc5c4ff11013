//! The server is killed (`kill -9`) at each of its writes in the midst of the deletion of an account.

use reqwest::Method;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::{routes, send};

use super::upload_crashes::{DYNAMODB, Stage};

/// Deletes a Client with a link, a session and a place in a group and among a file's recipients; the
/// server is killed at this write, counted from 1.
async fn delete_with_kill_at(stage: &mut Stage, number: usize) {
    let world = &stage.server.api;
    let name = format!("rosalind{}", stage.kills);
    let client = world.another_client(&name).await;
    let (admin, ops) = (world.token("admin").await, world.token("ops").await);
    let (file, user) = (world.some_file().await, AccessToken::read(&client).user());
    world.link_with(&file, &client, &json!({"note": name})).await;
    let recipients = json!({"recipients": [name, "client"]});
    let change = world.request(Method::PATCH, &routes::file(&file)).bearer_auth(&ops);
    send(change.json(&recipients)).await.is(200);
    let group = format!("group-{}", stage.kills);
    world.post_as(routes::GROUPS, &admin, &json!({"name": group})).await.is(201);
    let member = routes::member(&group, &user);
    send(world.request(Method::PUT, &member).bearer_auth(&admin)).await.is(204);

    stage.proxy.halt_at(number);
    let deleted =
        stage.ask(|api, _| api.request(Method::DELETE, &routes::user(&user)).bearer_auth(&admin));
    deleted.await.is_empty(204);
    stage.run("EraseAccounts", &json!({})).await;
    stage.proxy.halt_at(0);
    assert_eq!(stage.engines.stored().await.mentions(&name), [""; 0]);
    // An hour, so that the server takes another sign-up.
    stage.pass(60 * 60).await;
    stage.run("EraseAccounts", &json!({})).await;
    let left = stage.engines.stored().await.mentions(&user);
    let left: Vec<_> = left.into_iter().filter(|it| it.starts_with("UsersTable")).collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_any_write_of_a_deletion_leaves_nothing_that_names_the_owner() {
    let mut stage = Stage::start(DYNAMODB.0, DYNAMODB.1).await;
    let mut number = 1;
    loop {
        let kills = stage.kills;
        delete_with_kill_at(&mut stage, number).await;
        if stage.kills == kills {
            break;
        }
        number += 1;
        assert!(number < 100, "the deletion ends");
    }
    // Close; revoke, erase the link's maker; sessions, group, recipients; the account.
    assert!(number > 7, "{number}");
}
