//! `GET /api/account/export` and `GET /api/admin/users/{id}/export`.

use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::routes;
use share_e2e::scene::Scene;

fn count(held: &Value, list: &str) -> usize {
    held[list].as_array().unwrap().len()
}

#[tokio::test]
async fn a_client_gets_all_that_is_held_about_it_and_nothing_about_others() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let other = scene.another_client("rosa").await;
    scene.world.link(&scene.file, &other).await;
    scene.world.open(&link.url).await.is_whole();
    let answer = scene.get(routes::EXPORT, &scene.client).await;
    let held = answer.is_json(200);
    let id = AccessToken::read(&scene.client).user();
    assert_eq!(held["account"]["id"], id);
    assert_eq!(held["account"]["username"], "client");
    assert_eq!(held["account"]["email"], "client@example.com");
    assert_eq!((count(&held, "sessions"), count(&held, "files")), (1, 0), "{held}");
    assert_eq!(held["sessions"][0]["current"], true);
    assert_eq!((count(&held, "links"), &held["links"][0]["id"]), (1, &json!(link.id)));
    let events = held["receipts"].as_array().unwrap().iter();
    let events: Vec<_> = events.map(|it| it["receipt"]["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["created", "redeemed", "ended"]);
    assert_eq!(held["audit"][0]["action"], "session_begun");
    assert_eq!(held["actions"], held["audit"]);
    assert_eq!(held["cut"], json!([]));
    let text = answer.text();
    for foreign in ["rosa", "argon2", &AccessToken::read(&other).user()] {
        assert!(!text.contains(foreign), "{foreign}: {text}");
    }
}

#[tokio::test]
async fn an_admin_gets_what_is_held_about_somebody_else() {
    let scene = Scene::start().await;
    let (admin, ops) = (scene.token("admin").await, AccessToken::read(&scene.ops).user());
    let held = scene.get(&format!("{}/export", routes::user(&ops)), &admin).await.is_json(200);
    assert_eq!((&held["account"]["username"], count(&held, "files")), (&json!("ops"), 1));
    assert_eq!(held["files"][0]["id"], scene.file);
    assert_eq!(held["sessions"][0]["current"], false);
    assert!(held["actions"].as_array().unwrap().iter().any(|it| it["action"] == "file_uploaded"));
    let nobody = routes::user("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    scene.get(&format!("{nobody}/export"), &admin).await.refused(404, "user_unknown");
}

#[tokio::test]
async fn what_is_too_large_is_cut_and_the_answer_says_where() {
    let scene = Scene::start().await;
    let id = AccessToken::read(&scene.client).user();
    scene.store.put_events(&id, 25_000, scene.now()).await;
    let answer = scene.get(routes::EXPORT, &scene.client).await;
    let held = answer.is_json(200);
    assert_eq!(held["cut"], json!(["audit", "actions"]));
    assert!((3_900_000..4_100_000).contains(&answer.bytes.len()), "{}", answer.bytes.len());
    assert!(count(&held, "audit") > 10_000 && count(&held, "actions") == 0);
    assert_eq!(count(&held, "sessions"), 1);
}
