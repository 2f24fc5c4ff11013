//! The bytes of a file in S3: written once, and never in the place of others.

use bytes::Bytes;
use share_e2e::World;
use share_e2e::proxy::Proxy;
use share_e2e::scene::DIGITS;
use share_model::{ContentDigest, FileId, FileName, FileRecord, Username};
use share_store::Objects;

/// The bucket of this world's server, as a function reaches it.
async fn objects(world: &World) -> Objects {
    let platform = world.server.backend().platform().await;
    Objects::connect(&platform).unwrap()
}

fn file(world: &World, content: &[u8]) -> FileRecord {
    FileRecord {
        id: FileId::new(world.now(), [7; 10]),
        filename: FileName::parse("digits.txt").unwrap(),
        size: content.len() as u64,
        content_type: "text/plain".to_owned(),
        sha256: ContentDigest::of(content),
        uploaded_by: Username::parse("ops").unwrap(),
        uploader: None,
        uploaded_at: world.now(),
        notify: false,
    }
}

#[tokio::test]
async fn an_object_is_never_put_in_the_place_of_another() {
    let world = World::start().await;
    let objects = objects(&world).await;
    let first = file(&world, DIGITS);
    let key = first.id.to_string();
    objects.put(&first, Bytes::from_static(DIGITS)).await.unwrap();
    objects.put(&first, Bytes::from_static(DIGITS)).await.expect("the same bytes are there");
    let second = FileRecord { id: first.id, ..file(&world, b"9876543210") };
    let refused = objects.put(&second, Bytes::from_static(b"9876543210")).await.unwrap_err();
    assert!(refused.to_string().contains("there is another one in its place"), "{refused}");
    assert_eq!(world.store.object(&key).await, DIGITS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_s3_that_is_lost_after_an_upload_neither_loses_nor_doubles_the_file() {
    let world = World::start().await;
    let variables = &world.server.backend().variables;
    let proxy = Proxy::start(&variables["AWS_ENDPOINT_URL_S3"], "PUT /").await;
    let front = World::start_with(&[
        ("AWS_ENDPOINT_URL_S3", &proxy.url),
        ("AWS_ACCESS_KEY_ID", &variables["AWS_ACCESS_KEY_ID"]),
        ("AWS_SECRET_ACCESS_KEY", &variables["AWS_SECRET_ACCESS_KEY"]),
    ])
    .await;
    for lost in [1, 2] {
        proxy.lose(lost);
        let id = front.upload("digits.txt", DIGITS).await.is(201).id();
        assert_eq!(proxy.left(), 0, "the answers were lost");
        assert_eq!(world.store.object(&id).await, DIGITS);
    }
}
