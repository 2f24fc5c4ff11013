//! `GET` and `POST /api/users/verify-email`.

use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::json;
use share_e2e::bad_input::wrong_tokens;
use share_e2e::matchers::case;
use share_e2e::scene::token_of;
use share_e2e::{Scene, World, routes, send};

/// What a browser sends when somebody opens a link.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn a_browser_sees_a_button_and_only_pressing_it_verifies() {
    let world = World::start().await;
    let url = world.sign_up("opal").await;
    let before = world.stored().await;
    for _ in 0..3 {
        let page = send(world.http.get(&url).header(ACCEPT, BROWSER)).await;
        assert!(page.is_page(200).contains("<form method=\"post\">"), "{page:?}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
    }
    // Looking at the page changes nothing.
    world.unchanged(&before).await;
    let page = send(world.http.post(&url).header(ACCEPT, BROWSER)).await.is_page(200);
    assert!(page.contains("is verified"), "{page}");
    send(world.http.post(&url).header(ACCEPT, BROWSER)).await.is_page(410);
}

#[tokio::test]
async fn a_program_verifies_with_a_get_and_the_second_time_is_told_so() {
    let world = World::start().await;
    let url = world.sign_up("pearl").await;
    assert!(world.open(&url).await.is_json(200)["message"].is_string());
    world.open(&url).await.refused(410, "verification_used");
}

#[tokio::test]
async fn a_verification_link_works_until_a_day_has_passed_and_not_a_second_longer() {
    let world = World::start().await;
    let (first, second) = (world.sign_up("ruby").await, world.sign_up("topaz").await);
    world.pass(24 * 60 * 60 - 1);
    world.open(&first).await.is(200);
    world.pass(1);
    let before = world.stored().await;
    world.open(&second).await.refused(410, "verification_expired");
    world.unchanged(&before).await;
}

#[tokio::test]
async fn a_token_that_is_not_a_verification_token_answers_404_and_spends_nothing() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let verification = scene.sign_up("rosa").await;
    let own = token_of(&verification);
    let login = json!({"username": "client", "password": "local-client-password"});
    let refresh = scene.post(routes::CLIENT_LOGIN, &login).await.field("refresh");
    let foreign = [link.token(), refresh.as_str(), scene.client.as_str()];
    let mut cases = Vec::new();
    for path in [routes::VERIFY_EMAIL, routes::VERIFY_EMAIL_ALIAS] {
        cases.extend(wrong_tokens(&scene, path, own, &foreign, "verification_unknown"));
    }
    let path = format!("{}?token={}", routes::VERIFY_EMAIL, link.token());
    let request = scene.world.request(Method::POST, &path);
    cases.push(case("POST a download token", request, 404, "verification_unknown"));
    let request =
        scene.world.request(Method::POST, routes::VERIFY_EMAIL).json(&json!({"token": own}));
    cases.push(case("POST a token in the body", request, 400, "missing_parameter"));
    scene.refuses(cases).await;
    scene.open(&link.url).await.is(200); // the link was not spent
    scene.open(&verification).await.is(200); // nor was the verification
}
