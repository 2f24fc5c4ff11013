//! `GET` and `POST /api/users/set-password`.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::json;
use share_e2e::{World, routes, send};

#[tokio::test]
async fn the_page_of_an_invitation_has_a_form_that_sets_the_password() {
    let world = World::start().await;
    let token = world.invitation("otto").await;
    let url = world.url(&routes::set_password(&token));
    let before = world.stored().await;
    let page = world.open(&url).await.is_page(200);
    assert!(page.contains("type=\"password\" name=\"password\""), "{page}");
    let form = |password: &str| {
        let request = world.http.post(&url).header(ACCEPT, "text/html");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(format!("password={password}"))
    };
    let refused = send(form("otto")).await.is_page(422);
    assert!(refused.contains("at least 8 characters"), "{refused}");
    // Neither a look nor a bad password spends anything.
    world.unchanged(&before).await;
    let page = send(form("my+own+password")).await.is_page(200);
    assert!(page.contains("password is set"), "{page}");
    let login = json!({"email": "otto@example.org", "password": "my own password"});
    world.post(routes::CLIENT_LOGIN, &login).await.is(200);
}
