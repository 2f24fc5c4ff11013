//! `DELETE /api/uploads/{id}`.

use reqwest::Method;
use share_e2e::matchers::case;
use share_e2e::{Upload, World, routes};

const CSV: &[u8] = b"a,b\n1,2\n";

#[tokio::test]
async fn an_aborted_upload_leaves_nothing_in_s3_and_counts_no_more() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let user = world.store.user_named("ops").await;
    let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
    upload.send_all().await;
    let late = upload.sign(1).await;
    assert_eq!(world.store.usage(&user).await, (CSV.len() as u64, 1));
    upload.abort().await.is_empty(204);
    world.is_gone(&upload.id).await;
    assert_eq!(world.store.usage(&user).await, (0, 0));
    // A request that was signed before brings nothing any more.
    upload.put(&late, CSV).await.refused_by_s3(404, "NoSuchUpload");
    // Once more is as good as once.
    let before = world.stored().await;
    upload.abort().await.is_empty(204);
    upload.complete().await.refused(410, "upload_ended");
    world.unchanged(&before).await;
    world.is_gone(&upload.id).await;
}

#[tokio::test]
async fn an_upload_that_is_complete_unknown_or_of_others_is_not_aborted() {
    let world = World::start_with(&[("OPS_SIGNUP", "open")]).await;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let other = world.another_ops("rosa").await;
    let done = world.upload_in_parts(&ops, "done.csv", CSV).await;
    let rejected = world.upload_in_parts(&ops, "done.pdf", CSV).await;
    let upload = Upload::begin(&world, &ops, "a.csv", CSV).await;
    upload.send_all().await;
    let abort = |id: &str| world.request(Method::DELETE, &routes::upload(id));
    let unknown = upload.id.replace(&upload.id[30..], "000000");
    world
        .refuses(vec![
            case("available", abort(&done).bearer_auth(&ops), 409, "upload_completed"),
            case("rejected", abort(&rejected).bearer_auth(&ops), 409, "upload_completed"),
            case("nobody", abort(&upload.id), 401, "missing_token"),
            case("a Client", abort(&upload.id).bearer_auth(&client), 403, "wrong_role"),
            case("other Ops", abort(&upload.id).bearer_auth(&other), 404, "upload_unknown"),
            case("unknown", abort(&unknown).bearer_auth(&ops), 404, "upload_unknown"),
            case("no id", abort("a").bearer_auth(&ops), 400, "invalid_parameter"),
        ])
        .await;
    assert_eq!(upload.received().await, [1], "its parts are still there");
    world.is_consistent().await;
}
