//! Whom a file is for: its recipients see it and can link it, and nobody else does.

use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::matchers::case;
use share_e2e::scene::CHOSEN;
use share_e2e::{Ops, Scene, World, routes, send};

#[tokio::test]
async fn a_client_sees_and_links_only_what_is_for_everyone_or_for_it_by_name_or_address() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let clients = [world.token("client").await, world.another_client("anna").await];
    let files: [(&str, Value, [bool; 2]); 7] = [
        ("everyone.txt", json!({"recipients": "everyone"}), [true, true]),
        ("unsaid.txt", json!({}), [true, true]),
        ("by-name.txt", json!({"recipients": ["Client"]}), [true, false]),
        ("by-address.txt", json!({"recipients": ["ANNA@example.org"]}), [false, true]),
        ("both.txt", json!({"recipients": ["anna", "client@example.com"]}), [true, true]),
        (
            "thrice.txt",
            json!({"recipients": ["anna", "anna@example.org", "x@y.org"]}),
            [false, true],
        ),
        ("nobody.txt", json!({"recipients": []}), [false, false]),
    ];
    let mut ids = Vec::new();
    for (name, terms, _) in &files {
        ids.push(ops.file(name, terms).await);
    }
    for (place, client) in clients.iter().enumerate() {
        let visible = files.iter().rev().filter(|(_, _, to)| to[place]).map(|(name, ..)| *name);
        let visible: Vec<_> = visible.collect();
        assert_eq!(world.names_listed(routes::LIST_FILES, client).await, visible, "each once");
        for ((_, _, to), id) in files.iter().zip(&ids) {
            let link = world.post_as(&routes::generate_link(id), client, &json!({})).await;
            if to[place] {
                link.is(201);
            } else {
                link.refused(404, "file_unknown");
            }
        }
    }
}

#[tokio::test]
async fn an_address_without_an_account_sees_its_file_once_it_is_proven() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let file = ops.file("for-anna.txt", &json!({"recipients": ["anna@example.org"]})).await;
    // The invitation is in nobody's way: whoever proves the address has it.
    let anna = world.another_client("anna").await;
    assert_eq!(world.names_listed(routes::LIST_FILES, &anna).await, ["for-anna.txt"]);
    let link = world.link(&file, &anna).await;
    world.open(&link).await.is_file(b"a note");
}

#[tokio::test]
async fn links_end_with_the_right_to_the_file_and_come_back_with_it() {
    let scene = Scene::start().await;
    let ops = Ops::of(&scene).await;
    let (live, begun) = (scene.plain_link().await, scene.plain_link().await);
    scene.download(&begun, CHOSEN, "bytes=0-4").await.is_part(0..5);
    for others in [json!([]), json!(["anna@example.org"])] {
        ops.give(&scene.file, &others).await;
        assert_eq!(
            scene.names_listed(routes::LIST_FILES, &scene.client).await,
            Vec::<String>::new()
        );
        let again =
            scene.post_as(&routes::generate_link(&scene.file), &scene.client, &json!({})).await;
        again.refused(404, "file_unknown");
        let before = scene.stored().await;
        for link in [&live, &begun] {
            scene.download(link, CHOSEN, "bytes=5-").await.refused(410, "file_gone");
            send(scene.http.head(&link.url)).await.is_empty(410);
            scene.open(&link.page).await.is(410);
            send(scene.http.head(&link.page)).await.is_empty(410);
            send(scene.http.post(&link.page)).await.is(410);
        }
        scene.unchanged(&before).await;
        ops.give(&scene.file, &json!(["client"])).await;
        assert_eq!(scene.names_listed(routes::LIST_FILES, &scene.client).await, ["digits.txt"]);
    }
    scene.download(&begun, CHOSEN, "bytes=5-").await.is_part(5..10);
    scene.open(&live.url).await.is_whole();
}

#[tokio::test]
async fn only_verified_clients_can_be_named_and_at_most_forty() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    world.sign_up("unproven").await;
    world.another_client("disabled").await;
    world.store.set_active(&world.store.user_named("disabled").await, false).await;
    let file = ops.file("a.txt", &json!({})).await;
    world.server.jobs_idle().await;
    let addresses = |count: usize| (0..count).map(|it| format!("client{it}@example.org"));
    let many: Vec<_> = addresses(41).collect();
    let wrong = [
        json!(["ops"]),
        json!(["admin"]),
        json!(["unproven"]),
        json!(["disabled"]),
        json!(["nobody-of-this-name"]),
        json!(["client", "ops"]),
        json!("nobody"),
        json!("client"),
        json!(["client@"]),
        json!([""]),
        json!([7]),
        json!([["client"]]),
        json!({"client": true}),
        json!(7),
        json!(many),
    ];
    let mut cases = Vec::new();
    for recipients in &wrong {
        let named = recipients.to_string();
        let named: String = named.chars().take(60).collect();
        let change = world.request(Method::PATCH, &routes::file(&file)).bearer_auth(&ops.token);
        let change = change.json(&json!({"recipients": recipients}));
        cases.push(case(named.clone(), change, 422, "invalid_field").naming("recipients"));
        let announce = world.request(Method::POST, routes::UPLOADS).bearer_auth(&ops.token);
        let body = json!({"filename": "a.txt", "size": 1, "recipients": recipients});
        let announce = announce.json(&body);
        cases.push(case(named, announce, 422, "invalid_field").naming("recipients"));
    }
    world.refuses(cases).await;
    assert_eq!(world.s3_uploads(), 0, "nothing was begun");
    let named = json!(["ops"]);
    let small = ops.upload("a.txt", b"x", &json!({"recipients": named})).await;
    small.refused(422, "invalid_field");
    let forty: Vec<_> = addresses(40).collect();
    ops.give(&file, &json!(forty)).await;
}

#[tokio::test]
async fn a_recipient_that_is_named_twice_is_one() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let names = json!(["client", "CLIENT", "a@example.org", "A@Example.org", "Client"]);
    let file = ops.file("a.txt", &json!({"recipients": names})).await;
    let shown = ops.show(&file).await.is_json(200);
    assert_eq!(shown["recipients"], json!(["client", "a@example.org"]));
}

#[tokio::test]
async fn an_invitation_that_nobody_has_accepted_is_repeated_once_it_has_lapsed() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let invited = json!({"recipients": ["anna@example.org"]});
    let before = world.stored().await;
    let counts = async || {
        let stored = world.stored().await;
        let users = stored.user_records() - before.user_records();
        (users, stored.link_records() - before.link_records())
    };
    ops.file("a.txt", &invited).await;
    assert_eq!(counts().await, (3, 1), "an account, its name, its address; and a token");
    world.pass(7 * 24 * 60 * 60 - 60);
    let ops = Ops::of(&world).await;
    ops.file("b.txt", &invited).await;
    assert_eq!(counts().await, (3, 1));
    world.pass(120);
    ops.file("c.txt", &invited).await;
    assert_eq!(counts().await, (5, 2), "another account and its name, and the same address");
}
