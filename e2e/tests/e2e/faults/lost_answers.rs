//! Answers of DynamoDB that are lost, and an S3 that does not answer.

use serde_json::json;
use share_e2e::proxy::Proxy;
use share_e2e::scene::{CHOSEN, count};
use share_e2e::{Scene, World, routes};

/// A second front whose DynamoDB answers can be lost, over the store of the first.
async fn behind_proxy(world: &World) -> (World, Proxy) {
    let mut variables = world.variables_of_store().await;
    let dynamodb = variables.get_mut("AWS_ENDPOINT_URL_DYNAMODB").unwrap();
    let proxy = Proxy::start(dynamodb, "DynamoDB_20120810.TransactWriteItems").await;
    dynamodb.clone_from(&proxy.url);
    let overrides: Vec<_> = variables.iter().map(|(name, it)| (&**name, &**it)).collect();
    (World::start_with(&overrides).await, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_commit_neither_loses_nor_doubles_a_download() {
    let world = World::start().await;
    let (front, proxy) = behind_proxy(&world).await;
    let front = Scene::in_world(front).await;
    for lost in [1, 2] {
        let url = front.plain_link().await.url;
        proxy.lose(lost);
        let answer = front.open(&url).await;
        assert_eq!(proxy.left(), 0, "the answers were lost");
        answer.is_whole();
        front.open(&url).await.refused(410, "link_used");
    }
    assert_eq!(world.stored().await.receipts("redeemed"), 2, "one for each link");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_chooses_its_lease_loses_no_download_to_a_lost_answer_of_dynamodb() {
    let world = World::start().await;
    let (front, proxy) = behind_proxy(&world).await;
    let scene = Scene::in_world(front).await;
    // The SDK asks three times: with as many answers lost, the service does not know.
    for (lost, answers) in [(1, vec![200]), (2, vec![200]), (3, vec![503, 200])] {
        let link = scene.link(&json!({"max_downloads": 2})).await;
        proxy.lose(lost);
        for status in answers {
            let answer = scene.download(&link, CHOSEN, "").await;
            assert_eq!((proxy.left(), answer.status.as_u16()), (0, status), "{answer:?}");
            if status == 200 {
                answer.is_whole();
            }
        }
        assert_eq!(scene.listed(&link).await["downloads"], 1, "{lost} answers lost");
    }
    assert_eq!(count(&scene.receipts().await, "redeemed"), 3);
}

/// One attempt and twelve more.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_throttled_or_collides_is_tried_again_twelve_times() {
    let world = World::start().await;
    let (front, proxy) = behind_proxy(&world).await;
    let scene = Scene::in_world(front).await;
    for (times, reason) in
        [(1, "TransactionConflict"), (1, "ProvisionedThroughputExceeded"), (12, "ThrottlingError")]
    {
        proxy.cancel(times, reason);
        scene.link(&json!({})).await;
        assert_eq!(proxy.left_to_cancel(), 0, "{reason}");
    }
    let before = world.stored().await;
    for (times, reason) in [(13, "ThrottlingError"), (1, "ValidationError")] {
        proxy.cancel(times, reason);
        let path = routes::generate_link(&scene.file);
        let answer = scene.post_as(&path, &scene.client, &json!({})).await;
        answer.refused(503, "dependency_unavailable");
        assert_eq!(proxy.left_to_cancel(), 0, "{reason}");
    }
    world.unchanged_but_counted(before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_commit_neither_loses_nor_doubles_a_sign_up_or_verification() {
    let world = World::start().await;
    let (front, proxy) = behind_proxy(&world).await;
    proxy.lose(1);
    let url = front.sign_up("unlucky").await;
    assert_eq!(proxy.left(), 0);
    proxy.lose(1);
    front.open(&url).await.is(200);
    assert_eq!(proxy.left(), 0);
    front.open(&url).await.refused(410, "verification_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_could_not_be_served_is_not_spent() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    // The same store, but an S3 that refuses every connection.
    let variables = scene.variables_of_store().await;
    let broken = World::start_with(&[
        ("AWS_ENDPOINT_URL_DYNAMODB", &variables["AWS_ENDPOINT_URL_DYNAMODB"]),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
    ])
    .await;
    let before = scene.stored().await;
    let through_broken = broken.url(scene.path_of(&link.url));
    broken.open(&through_broken).await.refused(503, "dependency_unavailable");
    scene.unchanged(&before).await;
    scene.open(&link.url).await.is_whole();
}
