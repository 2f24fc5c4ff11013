//! `GET /api/files/{file_id}`.

use reqwest::Method;
use serde_json::json;
use share_e2e::matchers::case;
use share_e2e::samples::sha256;
use share_e2e::{Ops, Scene, World, routes, send};

#[tokio::test]
async fn its_uploader_and_admins_see_a_file_and_to_others_there_is_none() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let (admin, olga) = (Ops::admin(&world).await, Ops::named(&world, "olga").await);
    let client = world.token("client").await;
    let terms = json!({"recipients": ["client"], "note": "for the audit", "notify": true});
    let file = ops.file("a.txt", &terms).await;
    world.server.jobs_idle().await;
    let shown = ops.show(&file).await.is_json(200);
    for (field, value) in [
        ("id", json!(file)),
        ("filename", json!("a.txt")),
        ("size", json!(6)),
        ("state", json!("available")),
        ("content_type", json!("text/plain")),
        ("sha256", json!(sha256(b"a note"))),
        ("uploaded_by", json!("ops")),
        ("recipients", json!(["client"])),
        ("notify_recipients", json!(false)),
        ("note", json!("for the audit")),
        ("notify", json!(true)),
        ("links", json!(0)),
        ("downloads", json!(0)),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(admin.show(&file).await.is_json(200), shown);
    let get =
        |id: &str, token: &str| world.request(Method::GET, &routes::file(id)).bearer_auth(token);
    let unknown = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    world
        .refuses(vec![
            case("another Ops account", get(&file, &olga.token), 404, "file_unknown"),
            case("a Client", get(&file, &client), 403, "wrong_role"),
            case("a file that is not there", get(unknown, &ops.token), 404, "file_unknown"),
            case("the same, for an admin", get(unknown, &admin.token), 404, "file_unknown"),
            case("no id", get("x", &ops.token), 400, "invalid_parameter"),
        ])
        .await;
}

#[tokio::test]
async fn links_and_downloads_are_counted() {
    let scene = Scene::start().await;
    let ops = Ops::of(&scene).await;
    let counts = async || {
        let shown = ops.show(&scene.file).await.is_json(200);
        (shown["links"].as_u64().unwrap(), shown["downloads"].as_u64().unwrap())
    };
    assert_eq!(counts().await, (0, 0));
    let (one, ten) = (scene.plain_link().await, scene.link(&json!({"max_downloads": 10})).await);
    assert_eq!(counts().await, (2, 0));
    for link in [&one, &ten, &ten] {
        scene.open(&link.url).await.is_whole();
    }
    send(scene.http.head(&ten.url)).await.is(200);
    assert_eq!(counts().await, (2, 3));
}

#[tokio::test]
async fn why_a_file_was_not_taken_is_shown() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let file = ops.large_file("a.pdf", b"no PDF at all", &json!({})).await;
    world.server.jobs_idle().await;
    let shown = ops.show(&file).await.is_json(200);
    assert_eq!(
        (&shown["state"], &shown["reason"]["code"]),
        (&json!("rejected"), &json!("content_mismatch"))
    );
    assert!(shown.get("sha256").is_none(), "{shown}");
}
