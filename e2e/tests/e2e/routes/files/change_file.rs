//! `PATCH /api/files/{file_id}`.

use reqwest::Method;
use serde_json::json;
use share_e2e::matchers::case;
use share_e2e::scene::second;
use share_e2e::{Ops, Scene, World, routes};

#[tokio::test]
async fn each_field_is_changed_within_its_limits_and_nothing_else_is() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let file = ops.file("a.txt", &json!({"note": "first", "expires_in": 3600})).await;
    world.server.jobs_idle().await;
    let long = |length: usize| format!("{}.txt", "é".repeat((length - 4) / 2));
    let mut shown = ops.show(&file).await.is_json(200);
    for (change, field, value) in [
        (json!({"filename": "B c.TXT"}), "filename", json!("B c.TXT")),
        (json!({"filename": long(254)}), "filename", json!(long(254))),
        (
            json!({"filename": format!("x{}", long(254))}),
            "filename",
            json!(format!("x{}", long(254))),
        ),
        (json!({"note": "n"}), "note", json!("n")),
        (json!({"note": "n".repeat(200)}), "note", json!("n".repeat(200))),
        (json!({"note": ""}), "note", json!(null)),
        (json!({"note": "again"}), "note", json!("again")),
        (json!({"notify_recipients": true}), "notify_recipients", json!(true)),
        (json!({"recipients": []}), "recipients", json!([])),
        (json!({"recipients": ["client"]}), "recipients", json!(["client"])),
        (json!({"recipients": "everyone"}), "recipients", json!("everyone")),
        (json!({"note": null, "filename": null}), "note", json!("again")),
        (json!({}), "note", json!("again")),
    ] {
        let changed = ops.change(&file, &change).await.is_json(200);
        assert_eq!(changed.get(field).unwrap_or(&json!(null)), &value, "{change}");
        if value.is_null() {
            shown.as_object_mut().unwrap().remove(field);
        } else {
            shown[field] = value;
        }
        assert_eq!(changed, shown, "{change}: the rest is as it was");
        assert_eq!(ops.show(&file).await.is_json(200), shown);
    }
    for seconds in [60, 61, 315_359_999, 315_360_000] {
        let before = world.now().as_second();
        let changed = ops.change(&file, &json!({"expires_in": seconds})).await.is_json(200);
        let end = second(&changed["expires_at"]);
        assert!((before..=world.now().as_second()).contains(&(end - seconds)), "{seconds}");
    }
    let changed = ops.change(&file, &json!({"expires_in": 0})).await.is_json(200);
    assert!(changed.get("expires_at").is_none(), "{changed}");
}

#[tokio::test]
async fn a_field_beyond_its_limits_is_refused_and_nothing_is_changed() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let file = ops.file("a.txt", &json!({})).await;
    world.server.jobs_idle().await;
    let change = || world.request(Method::PATCH, &routes::file(&file)).bearer_auth(&ops.token);
    let mut cases = Vec::new();
    for (field, value) in [
        ("filename", json!("a.pdf")),
        ("filename", json!("a.txt.exe")),
        ("filename", json!("a")),
        ("filename", json!("")),
        ("filename", json!("../a.txt")),
        ("filename", json!("a\u{202e}.txt")),
        ("filename", json!(format!("{}.txt", "a".repeat(252)))),
        ("filename", json!(7)),
        ("note", json!("n".repeat(201))),
        ("note", json!("two\nlines")),
        ("note", json!(7)),
        ("expires_in", json!(59)),
        ("expires_in", json!(1)),
        ("expires_in", json!(-60)),
        ("expires_in", json!(315_360_001)),
        ("expires_in", json!(i64::MAX)),
        ("expires_in", json!(60.5)),
        ("expires_in", json!("60")),
        ("notify_recipients", json!("yes")),
        ("recipients", json!("nobody")),
        ("size", json!(7)),
        ("sha256", json!("x")),
    ] {
        let body = json!({(field): value, "notify_recipients": true});
        let body = if field == "notify_recipients" { json!({(field): value}) } else { body };
        let name = format!("{field}: {value}");
        let name: String = name.chars().take(60).collect();
        cases.push(case(name, change().json(&body), 422, "invalid_field").naming(field));
    }
    world.refuses(cases).await;
}

#[tokio::test]
async fn a_link_gives_the_file_under_its_new_name() {
    let scene = Scene::start().await;
    let ops = Ops::of(&scene).await;
    let link = scene.plain_link().await;
    ops.change(&scene.file, &json!({"filename": "other name.txt"})).await.is(200);
    assert_eq!(scene.names_listed(routes::LIST_FILES, &scene.client).await, ["other name.txt"]);
    assert_eq!(scene.names_listed(routes::LIST_UPLOADED, &ops.token).await, ["other name.txt"]);
    let answer = scene.open(&link.url).await;
    answer.is_whole();
    assert!(answer.header("content-disposition").contains("other name.txt"), "{answer:?}");
}

#[tokio::test]
async fn its_uploader_and_admins_change_a_file_and_nobody_else_does() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let (admin, olga) = (Ops::admin(&world).await, Ops::named(&world, "olga").await);
    let client = world.token("client").await;
    let file = ops.file("a.txt", &json!({})).await;
    let uploading = ops.upload_of(10).await;
    world.server.jobs_idle().await;
    let change = |id: &str, token: &str| {
        let request = world.request(Method::PATCH, &routes::file(id)).bearer_auth(token);
        request.json(&json!({"note": "changed"}))
    };
    let unknown = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    world
        .refuses(vec![
            case("another Ops account", change(&file, &olga.token), 404, "file_unknown"),
            case("a Client", change(&file, &client), 403, "wrong_role"),
            case("a file that is not there", change(unknown, &ops.token), 404, "file_unknown"),
            case("no id", change("x", &ops.token), 400, "invalid_parameter"),
        ])
        .await;
    admin.change(&file, &json!({"note": "changed"})).await.is(200);
    assert_eq!(ops.show(&file).await.json()["note"], "changed");
    ops.change(&uploading, &json!({"note": "changed", "recipients": []})).await.is(200);
    ops.delete(&file).await.is(204);
    ops.change(&file, &json!({"note": "again"})).await.refused(410, "file_gone");
}

#[tokio::test]
async fn of_changes_at_once_each_one_is_done() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let file = ops.file("a.txt", &json!({})).await;
    for round in 0..10 {
        let (note, name) = (format!("note {round}"), format!("{round}.txt"));
        let (with_note, with_name) = (json!({"note": note}), json!({"filename": name}));
        let (one, other) =
            tokio::join!(ops.change(&file, &with_note), ops.change(&file, &with_name));
        one.is(200);
        other.is(200);
        let shown = ops.show(&file).await.is_json(200);
        assert_eq!((&shown["note"], &shown["filename"]), (&json!(note), &json!(name)));
    }
}
