//! How commands print: as one JSON document that fits the contract, for a pipe, or for a terminal.

use std::process::Stdio;

use serde_json::{Value, json};
use share_e2e::command::Machine;
use share_e2e::contract::is_answer;
use share_e2e::origin::{Asked, Origin, Step, whole};
use share_e2e::{Ops, Scene, World};

use crate::SHARE;

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_document_that_fits_the_contract() {
    let scene = Scene::start().await;
    let of = async |role: &str| Machine::of(SHARE, &scene, role).await;
    let (client, ops, admin) = (of("client").await, of("ops").await, of("admin").await);
    let json = async |machine: &Machine, arguments: &[&str]| -> Value {
        let ended = machine.run(&[&["--json"], arguments].concat()).await;
        let json = ended.json();
        assert_eq!(ended.err, "", "{arguments:?}");
        json
    };
    ops.write("a.txt", b"a");
    ops.write("b.txt", b"b");
    let uploaded = json(&ops, &["upload", "a.txt", "b.txt"]).await;
    assert_eq!(uploaded.as_array().unwrap().len(), 2);
    assert_eq!((&uploaded[0]["filename"], &uploaded[0]["size"]), (&json!("a.txt"), &json!(1)));
    assert_eq!(uploaded[0]["sha256"], share_e2e::samples::sha256(b"a"));
    let link = json(&client, &["link", "a.txt"]).await;
    is_answer("POST", "/api/file/generate-load", "201", &link);
    let id = link["id"].as_str().unwrap();
    let link = json(&client, &["link", "b.txt", "--quiet"]).await;
    let saved = client
        .run_with_input(&["get", "-", "--json"], link["download_url"].as_str().unwrap().as_bytes());
    let saved = saved.await.json();
    let path = client.folder().join("b.txt");
    let expected = json!({"path": path, "filename": "b.txt", "size": 1,
        "sha256": share_e2e::samples::sha256(b"b")});
    assert!(saved == expected || saved == json!([expected]), "{saved}");
    for (machine, arguments, method, path, status) in [
        (&client, &["ls"][..], "GET", "/api/files/list", "200"),
        (&ops, &["ls"], "GET", "/api/files/uploaded", "200"),
        (&client, &["links"], "GET", "/api/links", "200"),
        (&client, &["sessions"], "GET", "/api/sessions", "200"),
        (&ops, &["receipts", "b.txt"], "GET", "/api/files/{file_id}/receipts", "200"),
        (&ops, &["set", "a.txt", "--note", "x"], "PATCH", "/api/files/{file_id}", "200"),
        (&admin, &["users"], "GET", "/api/admin/users", "200"),
        (&admin, &["audit"], "GET", "/api/admin/audit", "200"),
        (&admin, &["disable", "client"], "PATCH", "/api/admin/users/{id}", "200"),
        (&admin, &["enable", "client"], "PATCH", "/api/admin/users/{id}", "200"),
        (&admin, &["groups", "create", "board"], "POST", "/api/admin/groups", "201"),
        (&admin, &["groups"], "GET", "/api/admin/groups", "200"),
        (
            &admin,
            &["invite", "rosa@example.org", "--role", "client"],
            "POST",
            "/api/admin/invitations",
            "201",
        ),
    ] {
        is_answer(method, path, status, &json(machine, arguments).await);
    }
    let whoami = json(&ops, &["whoami"]).await;
    assert_eq!((&whoami["username"], &whoami["role"]), (&json!("ops"), &json!("ops")));
    assert!(whoami["service"].as_str().unwrap().starts_with(&scene.base), "{whoami}");
    let client = of("client").await;
    assert_eq!(json(&client, &["revoke", id]).await, json!({"revoked": [id]}));
    json(&client, &["certificate", "-o", "a.jwt", id]).await;
    json(&client, &["verify", "a.jwt"]).await;
    let deleted = json(&ops, &["rm", "a.txt"]).await;
    assert_eq!(deleted, json!({"deleted": [uploaded[0]["id"]]}));
    for arguments in [
        &["groups", "add", "board", "client"][..],
        &["groups", "remove", "board", "client"],
        &["groups", "delete", "board"],
    ] {
        assert!(json(&admin, arguments).await.is_object());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_json_too_and_has_the_problem_of_the_service() {
    let scene = Scene::start().await;
    let machine = Machine::of(SHARE, &scene, "ops").await;
    let unknown = "00000000-0000-7000-8000-000000000000";
    let ended = machine.run(&["set", unknown, "--note", "x", "--json"]).await;
    assert_eq!((ended.status.code(), ended.out.as_str()), (Some(4), ""));
    let error: Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!(error["exit_status"], 4);
    is_answer("PATCH", "/api/files/{file_id}", "404", &error["problem"]);
    let error = machine.run(&["upload", "missing.txt", "--json"]).await;
    let error: Value = serde_json::from_str(&error.err).unwrap();
    assert_eq!((&error["exit_status"], &error["problem"]), (&json!(7), &Value::Null));
    assert!(error["message"].as_str().unwrap().contains("missing.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    // More than a pipe holds.
    for number in 0..12 {
        ops.file(&format!("{}-{number:02}.txt", "a".repeat(200)), &json!({})).await;
    }
    let machine = Machine::of(SHARE, &world, "client").await;
    for arguments in [&["ls"][..], &["ls", "--json"], &["completions", "zsh"]] {
        let mut command = machine.command(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
        let output = output.await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_cannot_be_written_is_a_failure() {
    let world = World::start().await;
    world.some_file().await;
    let machine = Machine::of(SHARE, &world, "client").await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = machine.command(&["ls"]);
    let child = command.stdout(full).spawn().unwrap();
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Standard output cannot be written"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_says_results_and_errors_only() {
    let scene = Scene::start().await;
    let machine = Machine::of(SHARE, &scene, "client").await;
    let made = machine.run(&["link", "digits.txt"]).await;
    made.is(0).says("It works once");
    let made = machine.run(&["link", "digits.txt", "--quiet"]).await;
    assert_eq!((made.out.lines().count(), made.err.as_str()), (1, ""), "{made}");
    machine.run(&["get", "missing.txt", "-q"]).await.fails(4, "missing.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nothing_is_drawn() {
    let scene = Scene::start().await;
    let mut machine = Machine::of(SHARE, &scene, "client").await;
    let fetched = machine.run(&["get", "digits.txt", "-o", "a.txt"]).await;
    assert_eq!(fetched.is(0).err, "", "{fetched}");
    assert!(!fetched.out.contains('\u{1b}'), "{fetched}");
    // Colours alone: progress is drawn on a terminal without them, too.
    let styled = |text: &str| {
        // Select Graphic Rendition (ECMA-48): CSI, digits and semicolons, m.
        let mut sequences = text.split("\u{1b}[").skip(1);
        sequences.any(|it| {
            it.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
        })
    };
    assert!(
        styled(&machine.type_into(&["--help"], &[]).await.out),
        "there are styles to leave out"
    );
    machine.set("NO_COLOR", "1");
    for arguments in [&["get", "digits.txt", "-o", "b.txt"][..], &["ls"], &["--help"], &["fly"]] {
        let ended = machine.type_into(arguments, &[]).await;
        assert!(!styled(&ended.out), "{arguments:?}: {ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_says_cannot_steer_a_terminal() {
    let evil = "a\u{1b}[2J\u{202e}b\u{7}";
    let service = Origin::start(move |asked: &Asked| -> Vec<Step> {
        let id = "00000000-0000-7000-8000-000000000000";
        let account = json!({"id": id, "username": "rosa", "email": "rosa@example.com",
            "role": "client", "second_factor": false, "created_at": "2026-01-01T00:00:00.000Z"});
        let file = json!({"id": id, "filename": "a.txt", "size": 1, "content_type": "text/plain",
            "sha256": "0".repeat(64), "uploaded_by": evil,
            "uploaded_at": "2026-01-01T00:00:00.000Z", "expires_at": null});
        let group = json!({"name": evil, "members": 1, "created_at": "2026-01-01T00:00:00.000Z",
            "created_by": "omar"});
        let body = match asked.target().split('?').next().unwrap() {
            "/api/account" => account,
            "/api/admin/groups" if asked.method() == "POST" => group,
            "/api/admin/groups" => json!([group]),
            _ => json!([file]),
        };
        vec![whole("", body.to_string().as_bytes())]
    })
    .await;
    let mut machine = Machine::new(SHARE);
    machine.set("SHARE_URL", &service.url(""));
    machine.set("SHARE_TOKEN", "token");
    for arguments in [&["ls"][..], &["groups"], &["groups", "create", "board"]] {
        let ended = machine.run(arguments).await;
        ended.is(0).shows("a\\u{1b}[2J\\u{202e}b\\u{7}");
        assert!(!ended.out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{ended}");
    }
}
