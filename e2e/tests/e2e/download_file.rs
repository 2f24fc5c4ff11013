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
async fn a_browser_sees_a_page_about_the_file_and_only_its_button_downloads() {
    let world = World::start().await;
    let content = b"figures";
    let id =
        world.upload("Q3 <b>&\"x\".txt", content).await.json()["id"].as_str().unwrap().to_owned();
    let url = world.link(&id, &world.token("client").await).await;
    let before = world.stored().await;
    for _ in 0..3 {
        let page = send(world.http.get(&url).header("accept", "text/html,*/*;q=0.8")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let text = page.text();
        assert!(text.contains("Q3 &lt;b&gt;&amp;&quot;x&quot;.txt"), "{text}");
        assert!(text.contains("7 bytes") && text.contains(&sha256(content)), "{text}");
        assert!(text.contains("<form method=\"post\">"), "{text}");
    }
    assert_eq!(world.stored().await, before, "looking at the page spends nothing");
    let file = send(world.http.post(&url).header("accept", "text/html")).await;
    assert_eq!((file.status.as_u16(), file.bytes.as_slice()), (200, content.as_slice()));
    assert!(file.header("content-disposition").starts_with("attachment"));
    let again = send(world.http.post(&url).header("accept", "text/html")).await;
    assert_eq!(again.status, 410);
    assert!(again.text().contains("This link has been used"));
}

#[tokio::test]
async fn head_answers_as_get_would_and_spends_nothing() {
    let world = World::start().await;
    let url = world.link(&world.some_file().await, &world.token("client").await).await;
    let before = world.stored().await;
    let head = send(world.http.head(&url)).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    assert_eq!(world.stored().await, before);
    let get = world.open(&url).await;
    assert_eq!(get.bytes, b"a note");
    for name in ["content-length", "content-type", "content-disposition", "etag", "repr-digest"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(send(world.http.head(&url)).await.status, 410);
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
