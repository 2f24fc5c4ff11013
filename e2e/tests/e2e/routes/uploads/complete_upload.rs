//! `POST /api/uploads/{id}/complete`.

use reqwest::Method;
use share_e2e::matchers::case;
use share_e2e::samples::{sha256, zip_of_size};
use share_e2e::uploads::PART;
use share_e2e::{Upload, World, routes};

const CSV: &[u8] = b"a,b\n1,2\n";

#[tokio::test]
async fn a_file_of_two_parts_is_checked_and_then_listed_with_its_digest_and_downloaded_whole() {
    let world = World::start().await;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let content = zip_of_size(PART + 100);
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    upload.send_all().await;
    let told = upload.complete().await.is_json(202);
    assert_eq!(
        (told["id"].as_str(), told["state"].as_str()),
        (Some(&*upload.id), Some("checking"))
    );
    world.server.jobs_idle().await;
    let file = upload.file().await;
    assert_eq!((&file["state"], &file["sha256"]), (&"available".into(), &sha256(&content).into()));
    let listed = world.all(routes::LIST_FILES, 100, &client).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["sha256"], sha256(&content));
    assert_eq!(listed[0]["content_type"], "application/zip");
    let link = world.link(&upload.id, &client).await;
    world.open(&link).await.is_file(&content);
    world.is_consistent().await;
    assert_eq!(world.uploads_in_s3(), 0);
    // Twice is as good as once.
    let before = world.stored().await;
    assert_eq!(upload.complete().await.is_json(202)["state"], "available");
    world.unchanged(&before).await;
}

#[tokio::test]
async fn an_upload_that_lacks_parts_is_not_complete_and_says_which() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let content = zip_of_size(2 * PART + 1);
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    let before = world.stored().await;
    let lacks = async |numbers: &str| {
        let answer = upload.complete().await;
        answer.refused(409, "upload_incomplete");
        let detail = answer.field("detail");
        assert!(detail.contains(&format!("it lacks {numbers}.")), "{detail}");
    };
    lacks("1, 2, 3").await;
    upload.send([2]).await;
    lacks("1, 3").await;
    upload.send([3]).await;
    lacks("1").await;
    world.unchanged(&before).await;
    upload.send([1]).await;
    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    assert_eq!(upload.file().await["state"], "available");
}

#[tokio::test]
async fn of_many_missing_parts_ten_are_named() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let body = serde_json::json!({"filename": "a.zip", "size": 15 * PART});
    let id = world.begin_upload(&ops, &body).await.is(201).upload_id();
    let answer = world.complete_upload(&id, &ops).await;
    answer.refused(409, "upload_incomplete");
    let detail = answer.field("detail");
    assert!(detail.contains("1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 5 more"), "{detail}");
}

#[tokio::test]
async fn an_upload_that_s3_no_longer_has_is_over_and_not_complete() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
    upload.send_all().await;
    world.store.abort_in_s3(&upload.id).await;
    let before = world.stored().await;
    upload.complete().await.refused(410, "upload_ended");
    world.unchanged(&before).await;
}

#[tokio::test]
async fn an_upload_that_is_over_unknown_or_of_others_is_not_completed() {
    let world = World::start_with(&[("OPS_SIGNUP", "open")]).await;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let other = world.another_ops("rosa").await;
    let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
    upload.send_all().await;
    let aborted = Upload::begin(&world, &ops, "b.csv", CSV).await;
    aborted.abort().await.is(204);
    let complete = |id: &str| world.request(Method::POST, &routes::complete_upload(id));
    let unknown = upload.id.replace(&upload.id[30..], "000000");
    world
        .refuses(vec![
            case("nobody", complete(&upload.id), 401, "missing_token"),
            case("a Client", complete(&upload.id).bearer_auth(&client), 403, "wrong_role"),
            case("other Ops", complete(&upload.id).bearer_auth(&other), 404, "upload_unknown"),
            case("unknown", complete(&unknown).bearer_auth(&ops), 404, "upload_unknown"),
            case("no id", complete("a").bearer_auth(&ops), 400, "invalid_parameter"),
            case("aborted", complete(&aborted.id).bearer_auth(&ops), 410, "upload_ended"),
        ])
        .await;
    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    world.delete_file(&upload.id, &ops).await.is(204);
    upload.complete().await.refused(410, "upload_ended");
    world.is_gone(&upload.id).await;
}
