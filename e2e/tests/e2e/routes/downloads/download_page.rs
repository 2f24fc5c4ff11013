//! `GET` and `HEAD /download`, and the `POST` of its button.

use reqwest::Method;
use serde_json::json;
use share_e2e::previewers;
use share_e2e::samples::sha256;
use share_e2e::scene::DIGITS;
use share_e2e::{Scene, World, send};

/// What Chromium sends when somebody opens a link.
const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

#[tokio::test]
async fn no_preview_and_no_scanner_spends_a_link_and_a_person_still_can() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let before = scene.stored().await;
    for previewer in previewers::all() {
        for method in [Method::GET, Method::HEAD] {
            let name = format!("{method} by {}", previewer.name);
            let asked = send(previewer.with(&scene, method.clone(), &link.page)).await;
            let page = if method == Method::GET { asked.is_page(200) } else { String::new() };
            assert_eq!(asked.status, 200, "{name}");
            assert_eq!(page.contains("<form method=\"post\">"), method == Method::GET, "{name}");
            for name in ["download-lease", "content-range", "content-disposition"] {
                assert_eq!(asked.header(name), "", "{asked:?}");
            }
        }
        // HEAD at the program's address acts as little.
        send(previewer.with(&scene, Method::HEAD, &link.url)).await.is(200);
    }
    scene.unchanged(&before).await;
    assert_eq!(scene.listed(&link).await["state"], "live");
    send(scene.http.post(&link.page).header("accept", BROWSER)).await.is_whole();
}

#[tokio::test]
async fn a_page_tells_about_the_file_whatever_is_accepted_and_its_button_redeems() {
    let world = World::start().await;
    let content = b"figures";
    let id = world.upload("Q3 <b>&\"x\".txt", content).await.id();
    let link = world.link_with(&id, &world.token("client").await, &json!({})).await;
    let url = link["page_url"].as_str().unwrap();
    let before = world.stored().await;
    for (name, value) in [
        ("accept", BROWSER),
        ("accept", "*/*"),
        ("accept", "application/json, text/plain"),
        ("accept", "image/*"),
        ("range", "bytes=0-32768"),
        ("sec-purpose", "prefetch;prerender"),
        ("x-nothing", ""),
    ] {
        let page = send(world.http.get(url).header(name, value)).await;
        let text = page.is_page(200);
        assert!(text.contains("Q3 &lt;b&gt;&amp;&quot;x&quot;.txt"), "{text}");
        assert!(text.contains("7 bytes") && text.contains(&sha256(content)), "{text}");
        assert!(text.contains("<form method=\"post\">"), "{text}");
        assert!(page.header("content-security-policy").contains("form-action 'self';"), "{page:?}");
    }
    send(world.http.head(url)).await.is_empty(200);
    world.unchanged(&before).await;
    let file = send(world.http.post(url).header("accept", BROWSER)).await;
    file.is_file(content);
    assert!(file.header("content-disposition").starts_with("attachment"));
    for request in [world.http.get(url), world.http.post(url)] {
        let again = send(request.header("accept", BROWSER)).await;
        assert!(again.is_page(410).contains("This link has been used"), "{again:?}");
    }
    world.open(url).await.refused(410, "link_used");
}

#[tokio::test]
async fn a_program_reads_what_is_left_of_a_link_and_redeems_nothing() {
    let scene = Scene::start_with(&[("STREAM_LIMIT_BYTES", "10")]).await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    let look = async |url: &str, cookie: &str| {
        let request = scene.http.get(url).header("accept", "application/json");
        send(request.header("cookie", cookie)).await
    };
    let before = scene.stored().await;
    let first = look(&link.page, "").await;
    scene.unchanged(&before).await;
    let (cookie, details) = (first.cookie().to_owned(), first.is_json(200));
    assert!(cookie.starts_with("__Host-downloads="), "{first:?}");
    let expected = json!({"filename": "digits.txt", "size": 10, "sha256": sha256(DIGITS),
        "expires_at": details["expires_at"], "max_downloads": 2, "downloads": 0, "bind": false,
        "lease": 1, "presigned": false});
    assert_eq!(details, expected);

    let file = scene.upload("large.txt", b"01234567890").await.id();
    let large = scene.world.link_with(&file, &scene.client, &json!({})).await;
    let details = look(large["page_url"].as_str().unwrap(), "").await.is_json(200);
    assert_eq!(details["presigned"], true);

    let part = scene.download_request(&link).header("cookie", &cookie);
    send(part.header("range", "bytes=0-4")).await.is_part(0..5);
    let begun = look(&link.page, &cookie).await.is_json(200);
    assert_eq!((&begun["downloads"], &begun["lease"]), (&json!(1), &json!(1)));
    assert!(begun["lease_ends_at"].is_string(), "{begun}");
    // Who has no lease is not told of it. Whose lease has ended can redeem the link with the next one.
    assert!(look(&link.page, "").await.is_json(200)["lease_ends_at"].is_null());
    scene.pass(700);
    let next = look(&link.page, &cookie).await.is_json(200);
    assert_eq!((&next["lease"], next["lease_ends_at"].is_null()), (&json!(2), true));
    scene.pass(2900);
    look(&link.page, &cookie).await.refused(410, "link_expired");
}

#[tokio::test]
async fn the_button_works_again_with_the_cookie_of_the_page_until_the_download_is_over() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let page = send(scene.http.get(&link.page)).await;
    let cookie = page.cookie();
    let click = || scene.http.post(&link.page).header("cookie", cookie);
    for _ in 0..2 {
        send(click()).await.is_whole();
    }
    let again = send(scene.http.get(&link.page).header("cookie", cookie)).await;
    assert!(again.is_page(200).contains("Download again"), "{again:?}");
    // The two addresses lead to the same link, and the same lease.
    let part = scene.download_request(&link).header("cookie", cookie).header("range", "bytes=5-");
    send(part).await.is_part(5..10);
    assert_eq!(scene.listed(&link).await["downloads"], 1);
}

#[tokio::test]
async fn only_the_page_of_a_file_that_comes_from_s3_lets_its_form_lead_there() {
    let scene = Scene::start_with(&[("STREAM_LIMIT_BYTES", "10")]).await;
    let s3 = &scene.server.backend().variables["AWS_ENDPOINT_URL_S3"];
    let file = scene.upload("large.txt", b"01234567890").await.id();
    let large = scene.world.link_with(&file, &scene.client, &json!({})).await;
    let small = scene.plain_link().await;
    let policy = async |url: &str| {
        let page = send(scene.http.get(url).header("accept", BROWSER)).await;
        page.is_page(200);
        page.header("content-security-policy").to_owned()
    };
    for url in [small.page.as_str(), small.url.as_str()] {
        let policy = policy(url).await;
        assert!(policy.contains("; form-action 'self'; "), "{policy}");
    }
    for url in [&large["page_url"], &large["download_url"]] {
        let url = url.as_str().unwrap();
        let origin = format!("; form-action 'self' {s3}; ");
        let policy = policy(url).await;
        assert!(policy.contains(&origin), "{policy} lacks {origin}");
    }
    let url = large["page_url"].as_str().unwrap();
    let answer = send(scene.http.post(url).header("accept", BROWSER)).await;
    let location = answer.is(303).header("location");
    assert!(location.starts_with(&format!("{s3}/")), "{location}");
    send(scene.http.get(location)).await.is_file(b"01234567890");
}

#[tokio::test]
async fn the_page_of_a_bound_link_tells_a_stranger_nothing() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"bind": true})).await;
    let before = scene.stored().await;
    let page = send(scene.http.get(&link.page).header("accept", BROWSER)).await;
    let text = page.is_page(401);
    assert!(!text.contains("digits.txt"), "{page:?}");
    let way = format!("<a href=\"./#/download?token={}\">Sign in</a>", link.token());
    assert!(text.contains(&way), "{text}");
    send(scene.http.head(&link.page)).await.is(401);
    let post = scene.http.post(&link.page).header("accept", "*/*");
    send(post).await.refused(401, "missing_token");
    scene.unchanged(&before).await;
    let own = scene.http.get(&link.page).bearer_auth(&scene.client);
    assert!(send(own).await.is_page(200).contains(&sha256(DIGITS)));
}
