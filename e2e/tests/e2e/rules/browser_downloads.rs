//! Downloads in a browser, which keeps its lease in a cookie.

use reqwest::Method;
use serde_json::json;
use share_e2e::scene::{CHOSEN, OTHER};
use share_e2e::{Scene, send};

#[tokio::test]
async fn a_browser_resumes_with_the_cookie_of_its_link_and_other_cookies_are_ignored() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let name = format!("__Host-download-lease-{}", link.id);
    let with = async |cookie: &str, range: &str| {
        send(scene.download_request(&link).header("cookie", cookie).header("range", range)).await
    };
    let foreign = format!("theme=dark; {name}=malformed; __Host-download-lease-x={CHOSEN}; lonely");
    let first = with(&foreign, "bytes=0-4").await;
    first.is_part(0..5);
    let lease = first.lease();
    assert_ne!(lease, CHOSEN);
    let cookie = format!("{name}={lease}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600");
    assert_eq!(first.header("set-cookie"), cookie);

    let before = scene.stored().await;
    for wrong in [foreign.as_str(), "", &format!("{name}={OTHER}"), &format!("x{name}={lease}")] {
        with(wrong, "bytes=5-").await.refused(410, "link_used");
    }
    scene.unchanged(&before).await;

    scene.pass_until(scene.last("redeemed").await + 100);
    let rest = with(&format!("theme=dark; {name}={lease}; more=1"), "bytes=5-").await;
    rest.is_part(5..10);
    assert_eq!(rest.header("set-cookie"), cookie.replace("600", "500"), "what is left of its time");
    scene.pass_until(scene.last("ended").await + 15);
    let again = with(&format!("{name}={lease}"), "bytes=5-").await;
    assert_eq!(
        again.header("set-cookie"),
        cookie.replace("600", "45"),
        "what is left of its grace"
    );
    // The header counts where there is one.
    let both = scene.download_request(&link).header("cookie", format!("{name}={lease}"));
    send(both.header("download-lease", OTHER)).await.refused(410, "link_used");
}

#[tokio::test]
async fn a_part_for_a_browser_is_a_page_until_its_download_has_begun() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let browser = async |cookie: &str| {
        let request =
            scene.download_request(&link).header("accept", "text/html").header("cookie", cookie);
        send(request.header("range", "bytes=5-")).await
    };
    let before = scene.stored().await;
    let preview = browser("").await;
    let (cookie, _) = preview.header("set-cookie").split_once(';').unwrap();
    for page in [&preview, &browser(cookie).await] {
        assert!(page.is_page(200).contains("<form method=\"post\">"), "{page:?}");
        assert_eq!(page.header("content-range"), "");
    }
    scene.unchanged(&before).await;
    send(scene.http.post(&link.url).header("cookie", cookie)).await.is_whole();
    browser(cookie).await.is_part(5..10);
    let without_cookie = browser("").await.is_page(410);
    assert!(without_cookie.contains("This link has been used"), "{without_cookie}");
}

#[tokio::test]
async fn a_button_clicked_twice_is_one_download() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 2})).await;
    let before = scene.stored().await;
    let page = send(scene.download_request(&link).header("accept", "text/html")).await;
    let cookie = page.header("set-cookie").to_owned();
    // For as long as the link can be redeemed.
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600";
    assert!(cookie.ends_with(attributes), "{cookie}");
    assert_eq!(page.lease(), "");
    assert!(page.is_page(200).contains("2 more times"), "{page:?}");
    scene.unchanged(&before).await;
    let cookie = cookie.split(';').next().unwrap();
    let browser = |method: Method| {
        let request = scene.http.request(method, &link.url).header("cookie", cookie);
        request.header("accept", "text/html,*/*;q=0.8")
    };
    for _ in 0..3 {
        send(browser(Method::POST)).await.is_whole();
        let page = send(browser(Method::GET)).await;
        assert!(page.is_page(200).contains("Download again"), "{page:?}");
        assert_eq!(page.header("set-cookie"), "", "the cookie that it has is the one that counts");
    }
    assert_eq!(scene.listed(&link).await["downloads"], 1);
    // When it is over, the page offers what is left of the link.
    scene.pass_until(scene.last("ended").await + 60);
    let before = scene.stored().await;
    send(browser(Method::POST).header("accept", "*/*")).await.refused(410, "lease_ended");
    let page = send(browser(Method::GET)).await;
    assert!(page.is_page(200).contains("The link works once."), "{page:?}");
    assert!(!page.header("set-cookie").is_empty() && !page.header("set-cookie").contains(cookie));
    scene.unchanged(&before).await;
    let fresh = page.header("set-cookie").split(';').next().unwrap();
    send(scene.http.post(&link.url).header("cookie", fresh)).await.is_whole();
    let listed = scene.listed(&link).await;
    assert_eq!((&listed["downloads"], &listed["state"]), (&json!(2), &json!("used")));
}
