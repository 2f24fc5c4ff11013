//! `DELETE /api/files/{file_id}`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use share_e2e::matchers::case;
use share_e2e::samples::noise;
use share_e2e::scene::{CHOSEN, count};
use share_e2e::{Link, Ops, Scene, World, routes, send};

use crate::MIB;

#[tokio::test]
async fn a_deleted_file_is_in_no_list_its_links_and_leases_end_and_its_receipts_stay() {
    let scene = Scene::start().await;
    let ops = Ops::of(&scene).await;
    let (live, begun) = (scene.plain_link().await, scene.plain_link().await);
    let used = scene.plain_link().await;
    scene.open(&used.url).await.is_whole();
    scene.download(&begun, CHOSEN, "bytes=0-4").await.is_part(0..5);
    scene.server.jobs_idle().await;
    let receipts = scene.receipts().await;
    assert_eq!(scene.s3_objects(), (1, 1));

    ops.delete(&scene.file).await.is_empty(204);
    assert_eq!(scene.names_listed(routes::LIST_FILES, &scene.client).await, Vec::<String>::new());
    assert_eq!(scene.names_listed(routes::LIST_UPLOADED, &ops.token).await, Vec::<String>::new());
    assert_eq!(scene.s3_objects(), (0, 0), "neither bytes nor tags");
    let again = scene.post_as(&routes::generate_link(&scene.file), &scene.client, &json!({})).await;
    again.refused(404, "file_unknown");
    for link in [&live, &begun] {
        scene.download(link, CHOSEN, "bytes=5-").await.refused(410, "file_gone");
        send(scene.http.head(&link.url)).await.is_empty(410);
        scene.open(&link.page).await.is(410);
        send(scene.http.head(&link.page)).await.is_empty(410);
    }

    scene.server.jobs_idle().await;
    let before = scene.stored().await;
    ops.delete(&scene.file).await.is_empty(204);
    scene.unchanged(&before).await;
    let shown = ops.show(&scene.file).await.is_json(200);
    assert_eq!(shown["state"], "deleted");
    assert_eq!((&shown["links"], &shown["downloads"]), (&json!(3), &json!(2)));
    assert_eq!(scene.receipts().await, receipts, "they stay");
    assert_eq!(count(&receipts, "redeemed"), 2);
    for (token, link) in [(&scene.client, &used), (&ops.token, &begun)] {
        let certificate = scene.get(&routes::certificate(&link.id), token).await;
        certificate.is(200);
    }
}

#[tokio::test]
async fn its_uploader_and_admins_delete_a_file_and_nobody_else_does() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let (admin, olga) = (Ops::admin(&world).await, Ops::named(&world, "olga").await);
    let client = world.token("client").await;
    let file = ops.file("a.txt", &json!({})).await;
    world.server.jobs_idle().await;
    let delete =
        |id: &str, token: &str| world.request(Method::DELETE, &routes::file(id)).bearer_auth(token);
    let unknown = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    world
        .refuses(vec![
            case("another Ops account", delete(&file, &olga.token), 404, "file_unknown"),
            case("a Client", delete(&file, &client), 403, "wrong_role"),
            case("a file that is not there", delete(unknown, &ops.token), 404, "file_unknown"),
            case("no id", delete("x", &ops.token), 400, "invalid_parameter"),
        ])
        .await;
    admin.delete(&file).await.is(204);
    assert_eq!(ops.show(&file).await.json()["state"], "deleted");
}

#[tokio::test]
async fn an_upload_and_a_rejected_file_can_be_deleted_too() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let uploading = ops.upload_of(10).await;
    ops.send(&uploading, b"0123456789").await;
    let rejected = ops.large_file("a.pdf", b"no PDF at all", &json!({})).await;
    world.server.jobs_idle().await;
    assert_eq!(world.s3_objects(), (0, 0), "a rejected file has no bytes");
    for file in [uploading, rejected] {
        ops.delete(&file).await.is(204);
        ops.delete(&file).await.is(204);
        assert_eq!(ops.show(&file).await.json()["state"], "deleted");
    }
    assert_eq!((world.s3_uploads(), world.s3_objects()), (0, (0, 0)));
    assert_eq!(world.names_listed(routes::LIST_UPLOADED, &ops.token).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_races_a_deletion_is_whole_or_gone() {
    let content = noise(2 * MIB);
    let text: Vec<u8> = content.iter().map(|byte| b'a' + byte % 26).collect();
    for mode in ["stream", "buffered"] {
        let world = World::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let ops = Ops::of(&world).await;
        let client = world.token("client").await;
        let (mut whole, mut gone) = (0, 0);
        for round in 0..12_usize {
            let file = ops.upload("a.txt", &text, &json!({})).await.is(201).id();
            let told = world.link_with(&file, &client, &json!({"max_downloads": 20})).await;
            let link = Link::of(&told);
            // The deletion comes early or late among the downloads.
            let requests = (0..17_usize).map(async |place| {
                if place == round * 5 % 17 {
                    ops.delete(&file).await.is(204);
                    return None;
                }
                Some(world.open(&link.url).await)
            });
            for answer in join_all(requests).await.into_iter().flatten() {
                if answer.status == 200 {
                    answer.is_file(&text);
                    whole += 1;
                } else {
                    answer.refused(410, "file_gone");
                    gone += 1;
                }
            }
            world.open(&link.url).await.refused(410, "file_gone");
        }
        assert!(whole > 0 && gone > 0, "{mode}: {whole} and {gone}: both happen");
        assert_eq!(world.s3_objects(), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_deletions_at_once_each_succeeds() {
    let world = World::start_with(&[("ACCOUNT_QUOTA_FILES", "1")]).await;
    let ops = Ops::of(&world).await;
    for _ in 0..5 {
        let file = ops.file("a.txt", &json!({})).await;
        for answer in join_all((0..16).map(|_| ops.delete(&file))).await {
            answer.is(204);
        }
    }
    // None of them gave more back than there was.
    let file = ops.file("a.txt", &json!({})).await;
    ops.upload("b.txt", b"x", &json!({})).await.refused(409, "quota_exceeded");
    ops.delete(&file).await.is(204);
}
