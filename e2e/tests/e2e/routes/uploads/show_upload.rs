//! `GET /api/uploads/{id}`.

use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::matchers::case;
use share_e2e::samples::{sha256, zip_of_size};
use share_e2e::uploads::PART;
use share_e2e::{Upload, World, routes};

#[tokio::test]
async fn an_upload_shows_the_parts_that_s3_has_and_then_what_became_of_the_file() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let content = zip_of_size(PART + 100);
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    let told = upload.show().await.is_json(200);
    assert_eq!(told["upload_id"], upload.id);
    assert_eq!(told["state"], "uploading");
    assert_eq!(told["filename"], "a.zip");
    assert_eq!(told["size"], content.len());
    assert_eq!((&told["part_size"], &told["parts"]), (&json!(PART), &json!(2)));
    assert_eq!(told["received"], json!([]));
    upload.send([2]).await;
    let part = |number: usize| {
        let bytes = upload.part(number);
        json!({"number": number, "size": bytes.len(), "sha256": sha256(bytes)})
    };
    assert_eq!(upload.show().await.is_json(200)["received"], json!([part(2)]));
    upload.send([1]).await;
    assert_eq!(upload.show().await.is_json(200)["received"], json!([part(1), part(2)]));

    upload.complete().await.is(202);
    world.server.jobs_idle().await;
    let told = upload.show().await.is_json(200);
    assert_eq!(told["state"], "available");
    for gone in ["received", "parts", "part_size", "expires_at", "reason"] {
        assert_eq!(told[gone], Value::Null, "{gone}");
    }
}

#[tokio::test]
async fn an_upload_that_was_not_taken_says_why() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let rejected = world.upload_in_parts(&ops, "a.pdf", b"no PDF").await;
    let told = world.show_upload(&rejected, &ops).await.is_json(200);
    assert_eq!(told["state"], "rejected");
    assert_eq!(told["reason"]["code"], "content_mismatch", "{told}");
    let aborted = Upload::begin(&world, &ops, "a.csv", b"a").await;
    aborted.abort().await.is(204);
    assert_eq!(aborted.show().await.is_json(200)["state"], "deleted");
}

#[tokio::test]
async fn nobody_but_its_uploader_is_shown_an_upload() {
    let world = World::start_with(&[("OPS_SIGNUP", "open")]).await;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let other = world.another_ops("rosa").await;
    let upload = Upload::begin(&world, &ops, "a.csv", b"a").await;
    let show = |id: &str| world.request(Method::GET, &routes::upload(id));
    let unknown = upload.id.replace(&upload.id[30..], "000000");
    world
        .refuses(vec![
            case("nobody", show(&upload.id), 401, "missing_token"),
            case("a Client", show(&upload.id).bearer_auth(&client), 403, "wrong_role"),
            case("other Ops", show(&upload.id).bearer_auth(&other), 404, "upload_unknown"),
            case("unknown", show(&unknown).bearer_auth(&ops), 404, "upload_unknown"),
            case("no id", show("a").bearer_auth(&ops), 400, "invalid_parameter"),
        ])
        .await;
}
