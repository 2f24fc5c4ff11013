//! `GET /api/file/download`.

use share_e2e::samples::{noise, sha256};
use share_e2e::{World, send, store};

#[tokio::test]
async fn a_link_works_until_its_time_is_over_and_not_a_second_longer() {
    let world = World::start_with(&[("LINK_TTL_SECONDS", "60")]).await;
    let id = world.some_file().await;
    let token = world.token("client").await;
    let (first, second) = (world.link(&id, &token).await, world.link(&id, &token).await);
    world.pass(59);
    assert_eq!(world.open(&first).await.status, 200);
    world.pass(1);
    let before = world.stored().await;
    let late = world.open(&second).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (410, "link_expired"));
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn a_browser_that_prefetches_a_link_spends_nothing() {
    let world = World::start().await;
    let url = world.link(&world.some_file().await, &world.token("client").await).await;
    let before = world.stored().await;
    for (name, value) in [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")] {
        let answer = send(world.http.get(&url).header(name, value)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "prefetch_refused"));
    }
    assert_eq!(world.stored().await, before);
    assert_eq!(world.open(&url).await.status, 200);
}

#[tokio::test]
async fn a_link_to_a_file_whose_bytes_are_gone_answers_410_and_is_not_spent() {
    let world = World::start().await;
    let id = world.some_file().await;
    let url = world.link(&id, &world.token("client").await).await;
    let s3 = store::s3(&world.server.variables).await;
    let bytes = s3.get_object().bucket("files").key(&id).send().await.unwrap().body;
    let bytes = bytes.collect().await.unwrap();
    s3.delete_object().bucket("files").key(&id).send().await.unwrap();
    let before = world.stored().await;
    assert_eq!(world.open(&url).await.code(), "file_gone");
    assert_eq!(world.stored().await, before);
    let put = s3.put_object().bucket("files").key(&id).body(bytes.into_bytes().into());
    put.send().await.unwrap();
    assert_eq!(world.open(&url).await.status, 200);
}

#[tokio::test]
async fn a_link_to_an_object_of_another_length_answers_503_and_is_not_spent() {
    let world = World::start().await;
    let id = world.some_file().await;
    let url = world.link(&id, &world.token("client").await).await;
    let s3 = store::s3(&world.server.variables).await;
    let put = s3.put_object().bucket("files").key(&id).body(b"another note".to_vec().into());
    put.send().await.unwrap();
    let before = world.stored().await;
    assert_eq!(world.open(&url).await.code(), "dependency_unavailable");
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn bytes_that_are_not_utf8_come_back_unchanged_in_every_mode() {
    let content =
        [b"caf\xe9;".as_slice(), &noise(5000).iter().map(|b| b | 0x80).collect::<Vec<_>>()];
    let content = content.concat();
    for mode in ["stream", "buffered", "presigned"] {
        let world = World::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let answer = world.upload("prices.csv", &content).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let url = world.link(&id, &world.token("client").await).await;
        let mut answer = world.open(&url).await;
        if mode == "presigned" {
            assert_eq!((answer.status.as_u16(), answer.bytes.len()), (303, 0));
            answer = send(world.http.get(answer.header("location"))).await;
        }
        assert_eq!(answer.status, 200, "{mode}");
        assert_eq!(sha256(&answer.bytes), sha256(&content), "{mode}");
        assert!(answer.header("content-disposition").starts_with("attachment"), "{mode}");
        assert_eq!(answer.header("content-type"), "text/csv", "{mode}");
        assert_eq!(world.open(&url).await.code(), "link_used", "{mode}");
    }
}

#[tokio::test]
async fn a_file_beyond_the_stream_limit_goes_by_presigned_url() {
    let world = World::start_with(&[("STREAM_LIMIT_BYTES", "10")]).await;
    let token = world.token("client").await;
    for (size, status) in [(9, 200), (10, 200), (11, 303)] {
        let answer = world.upload("a.txt", &b"x".repeat(size)).await;
        let url = world.link(answer.json()["id"].as_str().unwrap(), &token).await;
        assert_eq!(world.open(&url).await.status, status, "{size} bytes");
    }
}
