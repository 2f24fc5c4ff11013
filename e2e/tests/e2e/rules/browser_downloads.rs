//! Downloads in a browser, which has one cookie for the leases of all its downloads.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use share_e2e::scene::{CHOSEN, Link, OTHER, count};
use share_e2e::{Answer, Scene, send};

/// Seconds for which a download can be repeated after its last byte: the default.
const GRACE: i64 = 300;

const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=5961600";

/// What a browser with this cookie asks with.
fn browser(scene: &Scene, method: Method, url: &str, cookie: &str) -> RequestBuilder {
    let request = scene.http.request(method, url).header("accept", "text/html,*/*;q=0.8");
    if cookie.is_empty() { request } else { request.header("cookie", cookie) }
}

async fn looks(scene: &Scene, link: &Link, cookie: &str) -> Answer {
    send(browser(scene, Method::GET, &link.url, cookie)).await
}

/// Presses the button of a page.
async fn clicks(scene: &Scene, link: &Link, page: &Answer, cookie: &str) -> Answer {
    let text = page.is_page(200);
    let form = text.split_once("<form method=\"post\"").unwrap().1.split_once('>').unwrap().0;
    let action = form.strip_prefix(" action=\"").and_then(|it| it.strip_suffix('"'));
    let url = match action {
        Some(query) => {
            format!("{}{}", link.url.split('?').next().unwrap(), query.replace("&amp;", "&"))
        }
        None => link.url.clone(),
    };
    send(browser(scene, Method::POST, &url, cookie)).await
}

#[tokio::test]
async fn a_browser_resumes_with_its_cookie_and_other_cookies_are_passed_over() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let with = async |cookie: &str, range: &str| {
        send(scene.download_request(&link).header("cookie", cookie).header("range", range)).await
    };
    let foreign = format!("theme=dark; __Host-downloads=malformed; downloads={CHOSEN}; lonely");
    let first = with(&foreign, "bytes=0-4").await;
    first.is_part(0..5);
    let cookie = first.cookie().to_owned();
    assert_eq!(first.header("set-cookie"), format!("{cookie}{ATTRIBUTES}"));
    let secret = cookie.strip_prefix("__Host-downloads=").unwrap();
    assert!(![CHOSEN, first.lease(), link.token()].contains(&secret), "{cookie}");

    let before = scene.stored().await;
    let wrong = format!("__Host-downloads={OTHER}");
    // The lease is not the secret, and the secret is not a lease.
    let lease = format!("__Host-downloads={}", first.lease());
    let not_random = format!("__Host-downloads={}", "A".repeat(43));
    let misnamed = format!("x{cookie}");
    for wrong in [&foreign, "", &wrong, &lease, &not_random, &misnamed] {
        with(wrong, "bytes=5-").await.refused(410, "link_used");
    }
    scene.download(&link, secret, "bytes=5-").await.refused(410, "link_used");
    scene.unchanged(&before).await;

    let rest = with(&format!("theme=dark; {cookie}; more=1"), "bytes=5-").await;
    rest.is_part(5..10);
    assert_eq!((rest.cookie(), rest.lease()), (&cookie[..], first.lease()));
    // The header counts where there is one, and needs no cookie.
    let own = scene.download(&link, first.lease(), "bytes=5-").await;
    own.is_part(5..10);
    assert_eq!(own.header("set-cookie"), "");
    let both = scene.download_request(&link).header("cookie", &cookie);
    send(both.header("download-lease", OTHER)).await.refused(410, "link_used");
}

#[tokio::test]
async fn one_cookie_serves_two_hundred_pages_each_of_which_can_be_clicked_and_resumed() {
    let scene = Scene::start().await;
    let mut links = Vec::new();
    for _ in 0..200 {
        links.push(scene.plain_link().await);
    }
    let before = scene.stored().await;
    let mut cookie = String::new();
    let mut pages = Vec::new();
    for link in &links {
        let page = looks(&scene, link, &cookie).await;
        assert_eq!(page.headers.get_all("set-cookie").iter().count(), 1);
        assert!(cookie.is_empty() || page.cookie() == cookie, "a browser keeps its cookie");
        cookie = page.cookie().to_owned();
        pages.push(page);
    }
    scene.unchanged(&before).await;
    let mut leases = BTreeSet::new();
    for (link, page) in links.iter().zip(&pages) {
        let file = clicks(&scene, link, page, &cookie).await;
        file.is_whole();
        assert_eq!(file.header("set-cookie"), "");
        leases.insert(file.lease().to_owned());
    }
    assert_eq!(leases.len(), 200, "each link has a lease of its own");
    for link in &links {
        let request = browser(&scene, Method::GET, &link.url, &cookie).header("range", "bytes=5-");
        send(request).await.is_part(5..10);
    }
    let before = scene.stored().await;
    for link in &links {
        looks(&scene, link, "").await.is_page(410);
    }
    scene.unchanged(&before).await;
}

#[tokio::test]
async fn a_post_from_another_site_does_not_take_a_browsers_cookie_away() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    // SameSite=Lax: such a POST comes without the cookie.
    let answer = send(browser(&scene, Method::POST, &link.url, "")).await;
    answer.is_whole();
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn a_part_for_a_browser_is_a_page_until_its_download_has_begun() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let part = async |cookie: &str| {
        send(browser(&scene, Method::GET, &link.url, cookie).header("range", "bytes=5-")).await
    };
    let before = scene.stored().await;
    let preview = part("").await;
    let cookie = preview.cookie();
    for page in [&preview, &part(cookie).await] {
        assert!(page.is_page(200).contains("<form method=\"post\">"), "{page:?}");
        assert_eq!(page.header("content-range"), "");
    }
    scene.unchanged(&before).await;
    clicks(&scene, &link, &preview, cookie).await.is_whole();
    part(cookie).await.is_part(5..10);
    let without_cookie = part("").await.is_page(410);
    assert!(without_cookie.contains("This link has been used"), "{without_cookie}");
}

#[tokio::test]
async fn a_button_clicked_twice_is_one_download() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    let before = scene.stored().await;
    let page = looks(&scene, &link, "").await;
    let cookie = page.cookie().to_owned();
    assert_eq!(page.header("set-cookie"), format!("{cookie}{ATTRIBUTES}"));
    assert_eq!(page.lease(), "");
    assert!(page.is_page(200).contains("2 more times"), "{page:?}");
    scene.unchanged(&before).await;
    for _ in 0..3 {
        clicks(&scene, &link, &page, &cookie).await.is_whole();
        let page = looks(&scene, &link, &cookie).await;
        assert!(page.is_page(200).contains("Download again"), "{page:?}");
        assert_eq!(page.cookie(), cookie);
    }
    assert_eq!(scene.listed(&link).await["downloads"], 1);
    // When it is over, the page offers what is left of the link, and the pages from before do not
    // take it.
    scene.pass_until(scene.last("ended").await + GRACE);
    let before = scene.stored().await;
    let late = clicks(&scene, &link, &page, &cookie).await.is_page(410);
    assert!(late.contains("lease"), "{late}");
    let second = looks(&scene, &link, &cookie).await;
    assert!(second.is_page(200).contains("The link works once."), "{second:?}");
    scene.unchanged(&before).await;
    for _ in 0..2 {
        clicks(&scene, &link, &second, &cookie).await.is_whole();
    }
    let again = looks(&scene, &link, &cookie).await;
    assert!(again.is_page(200).contains("Download again"), "{again:?}");
    clicks(&scene, &link, &again, &cookie).await.is_whole();
    let listed = scene.listed(&link).await;
    assert_eq!((&listed["downloads"], &listed["state"]), (&json!(2), &json!("used")));
    assert_eq!(count(&scene.receipts().await, "redeemed"), 2);
    scene.pass_until(scene.last("ended").await + GRACE);
    assert!(looks(&scene, &link, &cookie).await.is_page(410).contains("This link has been used"));
}

#[tokio::test]
async fn the_number_of_a_browsers_lease_is_one_to_a_hundred() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let with = async |number: &str| {
        let url = format!("{}&lease={number}", link.url);
        send(scene.http.post(url).header("accept", "*/*")).await
    };
    let before = scene.stored().await;
    for wrong in ["", "0", "101", "-1", "1.0", "one", "99999999999999999999"] {
        with(wrong).await.refused(400, "invalid_parameter");
    }
    scene.unchanged(&before).await;
    with("100").await.is_whole();
}
