//! `GET`, `HEAD` and `POST /verify`, and what mails lead to.

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::json;
use share_e2e::api::password_for;
use share_e2e::bad_input::wrong_tokens;
use share_e2e::matchers::case;
use share_e2e::scene::token_of;
use share_e2e::{Answer, Scene, World, previewers, routes, send};
use tempfile::TempDir;

use crate::SERVER;

/// Sends the page's form as a browser does.
async fn submit(world: &World, url: &str, form: &str) -> Answer {
    let request = world.http.post(url).header(ACCEPT, "text/html,*/*;q=0.8");
    let form_type = "application/x-www-form-urlencoded";
    send(request.header(CONTENT_TYPE, form_type).body(form.to_owned())).await
}

/// The page on which somebody who signs up as `name` verifies.
async fn page_for(world: &World, name: &str) -> String {
    world.url(&routes::verify_page(token_of(&world.sign_up(name).await)))
}

#[tokio::test]
async fn no_preview_and_no_scanner_sets_off_what_a_page_is_for() {
    let world = World::start().await;
    let pages = [
        page_for(&world, "opal").await,
        world.url(&routes::set_password(&world.invitation("otto").await)),
    ];
    let before = world.stored().await;
    for url in &pages {
        for previewer in previewers::all() {
            let name = previewer.name;
            let answer = send(previewer.look(&world, url)).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{name}");
            assert_eq!(answer.header("cache-control"), "no-store", "{name}");
            assert_eq!(answer.bytes.is_empty(), previewer.method == Method::HEAD, "{name}");
            for press in previewer.press(&world, url) {
                let answer = send(press).await;
                let status = answer.status.as_u16();
                assert!([415, 422].contains(&status), "{name}: {answer:?}");
            }
        }
    }
    world.unchanged(&before).await;
}

#[tokio::test]
async fn the_page_names_the_account_and_the_password_of_the_sign_up_verifies_it() {
    let world = World::start().await;
    let signed_up = world.now();
    let url = page_for(&world, "pearl").await;
    let before = world.stored().await;
    let page = send(world.http.get(&url)).await.is_page(200);
    let day = signed_up.strftime("%-d %B %Y, %H:%M UTC").to_string();
    for part in ["pearl", "pearl@example.org", &day, "name=\"password\"", "This was not me"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = submit(&world, &url, "password=a+wrong+one").await.is_page(403);
    for part in ["not the password", "name=\"password\"", "This was not me"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let json = async |body| send(world.http.post(&url).json(&body)).await;
    json(json!({"password": "a wrong one"})).await.refused(403, "wrong_password");
    json(json!({"password": ""})).await.refused(403, "wrong_password");
    json(json!({"password": "x".repeat(257)})).await.refused(422, "invalid_field");
    json(json!({"decline": "no"})).await.refused(422, "invalid_field");
    json(json!({"decline": "yes", "password": password_for("pearl")}))
        .await
        .refused(422, "invalid_field");
    world.unchanged(&before).await;

    let page = submit(&world, &url, "password=a+password+for+pearl").await.is_page(200);
    assert!(page.contains("is verified"), "{page}");
    let login = world.login("client", ("email", "pearl@example.org"), &password_for("pearl")).await;
    login.is(200);
    submit(&world, &url, "password=a+password+for+pearl").await.is_page(410);
    json(json!({"decline": "yes"})).await.refused(410, "verification_used");
    let login = world.login("client", ("username", "pearl"), &password_for("pearl")).await;
    login.is(200);
}

#[tokio::test]
async fn whoever_did_not_sign_up_deletes_the_account_with_its_token_and_its_name() {
    let world = World::start().await;
    let before = world.stored().await;
    let url = page_for(&world, "mallory").await;
    let page = submit(&world, &url, "decline=yes").await.is_page(200);
    assert!(page.contains("is deleted"), "{page}");
    // Nothing is left but the count of mails to the address, and what the audit says.
    let mut left = world.stored().await.differences(&before);
    let audit = left.extract_if(.., |line| line.starts_with("+ AuditTable")).count();
    assert_eq!(audit, 2, "that it was made, and declined");
    assert!(left.len() == 1 && left[0].contains("signup_mails"), "{left:?}");
    submit(&world, &url, "decline=yes").await.is_page(404);
    submit(&world, &url, "password=a+password+for+mallory").await.is_page(404);
    let login = world.login("client", ("username", "mallory"), &password_for("mallory")).await;
    login.refused(401, "invalid_credentials");
    let body = json!({"username": "mallory", "email": "another@example.org",
        "password": "a password of another"});
    world.post(routes::SIGNUP, &body).await.is(201);
}

#[tokio::test]
async fn the_page_can_be_used_until_a_day_has_passed_and_not_a_second_longer() {
    let world = World::start().await;
    let (first, second) = (page_for(&world, "ruby").await, page_for(&world, "topaz").await);
    world.pass(24 * 60 * 60 - 1);
    submit(&world, &first, "password=a+password+for+ruby").await.is_page(200);
    world.pass(1);
    let before = world.stored().await;
    send(world.http.get(&second)).await.refused(410, "verification_expired");
    for form in ["password=a+password+for+topaz", "decline=yes"] {
        submit(&world, &second, form).await.is_page(410);
    }
    world.unchanged(&before).await;
}

#[tokio::test]
async fn a_token_that_is_not_a_verification_token_shows_no_page_and_spends_nothing() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let verification = scene.sign_up("rosa").await;
    let (own, invitation) = (token_of(&verification), scene.invitation("otto").await);
    let foreign = [link.token(), invitation.as_str(), scene.client.as_str()];
    let mut cases =
        wrong_tokens(&scene, routes::VERIFY_PAGE, own, &foreign, "verification_unknown");
    for token in foreign {
        let request = scene.world.request(Method::POST, &routes::verify_page(token));
        let request = request.json(&json!({"decline": "yes"}));
        cases.push(case("POST another token", request, 404, "verification_unknown"));
    }
    scene.refuses(cases).await;
    scene.open(&verification).await.is(200);
}

#[tokio::test]
async fn a_mail_leads_to_a_page_and_never_to_an_address_for_programs() {
    let data = TempDir::new().unwrap();
    let invite = ["create-account", "olga", "olga@example.org"];
    let invitation = SERVER.run(&invite, data.path()).out;
    let server = SERVER.start(data.path());
    server.api.sign_up("opal").await;
    let mails = server.mails().join("\n") + &invitation;
    for page in ["/verify?token=", "/set-password?token="] {
        assert!(mails.contains(page), "{page}: {mails}");
    }
    assert!(!mails.contains("/api/"), "{mails}");
}
