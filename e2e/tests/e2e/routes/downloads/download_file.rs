//! `GET /api/file/download`.

use serde_json::json;
use share_e2e::bad_input::wrong_tokens;
use share_e2e::samples::{sha256, zip_of_size};
use share_e2e::scene::{DIGITS, token_of};
use share_e2e::{Scene, World, routes, send};

#[tokio::test]
async fn a_link_works_until_its_time_is_over_and_not_a_second_longer() {
    let scene = Scene::start_with(&[("LINK_TTL_SECONDS", "60")]).await;
    let (first, second) = (scene.plain_link().await, scene.plain_link().await);
    scene.pass(59);
    scene.open(&first.url).await.is(200);
    scene.pass(1);
    let before = scene.stored().await;
    scene.open(&second.url).await.refused(410, "link_expired");
    scene.unchanged(&before).await;
}

#[tokio::test]
async fn a_browser_sees_a_page_about_the_file_and_only_its_button_downloads() {
    let world = World::start().await;
    let content = b"figures";
    let id = world.upload("Q3 <b>&\"x\".txt", content).await.id();
    let url = world.link(&id, &world.token("client").await).await;
    let before = world.stored().await;
    for _ in 0..3 {
        let page = send(world.http.get(&url).header("accept", "text/html,*/*;q=0.8")).await;
        let text = page.is_page(200);
        assert!(text.contains("Q3 &lt;b&gt;&amp;&quot;x&quot;.txt"), "{text}");
        assert!(text.contains("7 bytes") && text.contains(&sha256(content)), "{text}");
        assert!(text.contains("<form method=\"post\">"), "{text}");
    }
    // Looking at the page spends nothing.
    world.unchanged(&before).await;
    let file = send(world.http.post(&url).header("accept", "text/html")).await;
    file.is_file(content);
    assert!(file.header("content-disposition").starts_with("attachment"));
    let again = send(world.http.post(&url).header("accept", "text/html")).await;
    assert!(again.is_page(410).contains("This link has been used"), "{again:?}");
}

#[tokio::test]
async fn head_answers_as_get_would_and_spends_nothing() {
    let scene = Scene::start().await;
    let url = scene.plain_link().await.url;
    let before = scene.stored().await;
    let head = send(scene.http.head(&url)).await;
    head.is_empty(200);
    scene.unchanged(&before).await;
    let get = scene.open(&url).await;
    get.is_file(DIGITS);
    for name in ["content-length", "content-type", "content-disposition", "etag", "repr-digest"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    send(scene.http.head(&url)).await.is(410);
}

#[tokio::test]
async fn a_browser_that_prefetches_a_link_spends_nothing() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let before = scene.stored().await;
    for (name, value) in [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")] {
        let answer = send(scene.download_request(&link).header(name, value)).await;
        answer.refused(403, "prefetch_refused");
    }
    scene.unchanged(&before).await;
    scene.open(&link.url).await.is(200);
}

#[tokio::test]
async fn a_link_to_a_file_whose_bytes_are_gone_answers_410_and_is_not_spent() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let content = scene.store.object(&scene.file).await;
    scene.store.delete_object(&scene.file).await;
    let before = scene.stored().await;
    scene.open(&link.url).await.refused(410, "file_gone");
    scene.unchanged(&before).await;
    scene.store.put_object(&scene.file, content).await;
    scene.open(&link.url).await.is_whole();
}

#[tokio::test]
async fn a_link_to_an_object_of_another_length_answers_503_and_is_not_spent() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    scene.store.put_object(&scene.file, b"another note".to_vec()).await;
    let before = scene.stored().await;
    scene.open(&link.url).await.refused(503, "dependency_unavailable");
    scene.unchanged(&before).await;
}

#[tokio::test]
async fn bytes_that_are_not_utf8_come_back_unchanged_in_every_mode() {
    let content = zip_of_size(5000);
    for mode in ["stream", "buffered", "presigned"] {
        let world = World::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        let id = world.upload("prices.zip", &content).await.is(201).id();
        let url = world.link(&id, &world.token("client").await).await;
        let mut answer = world.open(&url).await;
        if mode == "presigned" {
            answer.is(303);
            answer = send(world.http.get(answer.header("location"))).await;
        }
        assert_eq!(answer.status, 200, "{mode}");
        assert_eq!(sha256(&answer.bytes), sha256(&content), "{mode}");
        assert!(answer.header("content-disposition").starts_with("attachment"), "{mode}");
        assert_eq!(answer.header("content-type"), "application/zip", "{mode}");
        world.open(&url).await.refused(410, "link_used");
    }
}

#[tokio::test]
async fn a_file_beyond_the_stream_limit_goes_by_presigned_url() {
    let world = World::start_with(&[("STREAM_LIMIT_BYTES", "10")]).await;
    let token = world.token("client").await;
    for (size, status) in [(9, 200), (10, 200), (11, 303)] {
        let id = world.upload("a.txt", &b"x".repeat(size)).await.id();
        let url = world.link(&id, &token).await;
        assert_eq!(world.open(&url).await.status, status, "{size} bytes");
    }
}

#[tokio::test]
async fn a_token_that_is_not_a_download_token_answers_404_and_spends_nothing() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let verification = scene.sign_up("rosa").await;
    let login = json!({"username": "client", "password": "local-client-password"});
    let refresh = scene.post(routes::CLIENT_LOGIN, &login).await.field("refresh");
    let foreign = [token_of(&verification), refresh.as_str(), scene.client.as_str()];
    let mut cases = Vec::new();
    for path in [routes::DOWNLOAD, routes::DOWNLOAD_ALIAS] {
        cases.extend(wrong_tokens(&scene, path, link.token(), &foreign, "link_unknown"));
    }
    scene.refuses(cases).await;
    scene.open(&link.url).await.is(200); // the link was not spent
    scene.open(&verification).await.is(200); // nor was the verification
}
