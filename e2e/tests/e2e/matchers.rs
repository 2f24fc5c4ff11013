//! That the matchers of `share_e2e` can fail.

use share_e2e::{Scene, World};

#[tokio::test]
#[should_panic(expected = "stored:\n+ ")]
async fn a_new_record_is_noticed() {
    let world = World::start().await;
    let before = world.stored().await;
    world.sign_up("ruby").await;
    world.unchanged(&before).await;
}

#[tokio::test]
#[should_panic(expected = "+ the bucket: another")]
async fn a_new_object_is_noticed() {
    let scene = Scene::start().await;
    let before = scene.stored().await;
    scene.store.put_object("another", b"a note".to_vec()).await;
    scene.unchanged(&before).await;
}

#[tokio::test]
#[should_panic(expected = "stored:\n+ ")]
async fn a_changed_attribute_is_noticed() {
    let scene = Scene::start().await;
    let before = scene.stored().await;
    scene.store.set_file_size(&scene.file, 11).await;
    scene.unchanged(&before).await;
}

#[tokio::test]
#[should_panic(expected = "expected 410 link_used")]
async fn a_refusal_with_another_code_is_noticed() {
    let scene = Scene::start().await;
    let url = scene.plain_link().await.url;
    scene.open(&url.replace("token=", "token=x")).await.refused(410, "link_used");
}

#[tokio::test]
#[should_panic(expected = "1 of 1 cases")]
async fn a_request_that_is_not_refused_is_noticed() {
    let scene = Scene::start().await;
    let request = scene.http.get(scene.plain_link().await.url);
    let case = share_e2e::matchers::case("a download", request, 410, "link_used");
    scene.refuses(vec![case]).await;
}

#[tokio::test]
#[should_panic(expected = "(206, \"01234\")")]
async fn another_part_of_the_file_is_noticed() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    scene.download(&link, "", "bytes=5-").await.is_part(0..5);
}
