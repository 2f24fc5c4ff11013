//! `GET` and `POST /api/users/verify-email`.

use reqwest::header::ACCEPT;
use share_e2e::{World, send};

/// What a browser sends when somebody opens a link.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn a_browser_sees_a_button_and_only_pressing_it_verifies() {
    let world = World::start().await;
    let url = world.sign_up("opal").await;
    let before = world.stored().await;
    for _ in 0..3 {
        let page = send(world.http.get(&url).header(ACCEPT, BROWSER)).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        assert!(page.text().contains("<form method=\"post\">"));
    }
    assert_eq!(world.stored().await, before, "looking at the page changes nothing");
    let page = send(world.http.post(&url).header(ACCEPT, BROWSER)).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("is verified"));
    let again = send(world.http.post(&url).header(ACCEPT, BROWSER)).await;
    assert_eq!(again.status, 410);
    assert_eq!(again.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_program_verifies_with_a_get_and_the_second_time_is_told_so() {
    let world = World::start().await;
    let url = world.sign_up("pearl").await;
    let answer = world.open(&url).await;
    assert_eq!(answer.status, 200);
    assert!(answer.json()["message"].is_string());
    let again = world.open(&url).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (410, "verification_used"));
}

#[tokio::test]
async fn a_verification_link_works_until_a_day_has_passed_and_not_a_second_longer() {
    let world = World::start().await;
    let (first, second) = (world.sign_up("ruby").await, world.sign_up("topaz").await);
    world.pass(24 * 60 * 60 - 1);
    assert_eq!(world.open(&first).await.status, 200);
    world.pass(1);
    let before = world.stored().await;
    let late = world.open(&second).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (410, "verification_expired"));
    assert_eq!(world.stored().await, before);
}
