//! Accounts by invitation: `create-account`, and `GET` and `POST /api/users/set-password`.

use std::process::Command;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::json;
use share_e2e::process::Process;
use share_e2e::{World, client, send};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_share-e2e-server");

#[tokio::test(flavor = "multi_thread")]
async fn somebody_invited_at_the_command_line_sets_a_password_and_gets_in() {
    let data = TempDir::new().unwrap();
    let invite = |name: &str, address: &str| {
        let mut command = Command::new(BINARY);
        command.arg("--data-dir").arg(data.path()).args(["create-account", name, address]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, output) = invite("olga", "olga@example.org");
    assert_eq!(code, Some(0), "{output}");
    let link = output.split_whitespace().find(|word| word.contains("set-password")).unwrap();
    let (_, path) = link.split_once("/api/").unwrap();
    for (name, address, reason) in [
        ("Olga", "other@example.org", "the username is taken"),
        ("other", "olga@example.org", "the e-mail address has an account"),
        ("x", "nowhere", "username must be 3 to 64 characters"),
    ] {
        let (code, output) = invite(name, address);
        assert_eq!(code, Some(1));
        assert!(output.contains(reason), "{output}");
    }
    let server = Process::start(BINARY, data.path());
    let link = format!("{}/api/{path}", server.url);
    let password = json!({"password": "a password of my own"});
    assert_eq!(send(client().post(&link).json(&password)).await.status, 200);
    assert_eq!(send(client().post(&link).json(&password)).await.code(), "invitation_used");
    let login = json!({"username": "olga", "password": "a password of my own"});
    let answer = send(client().post(format!("{}/api/ops/login", server.url)).json(&login)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn the_page_of_an_invitation_has_a_form_that_sets_the_password() {
    let world = World::start().await;
    let token = world.invitation("otto").await;
    let url = world.url(&format!("/api/users/set-password?token={token}"));
    let before = world.stored().await;
    let page = world.open(&url).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("name=\"password\""));
    let form = |password: &str| {
        let request = world.http.post(&url).header(ACCEPT, "text/html");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(format!("password={password}"))
    };
    let refused = send(form("otto")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("at least 8 characters"), "{}", refused.text());
    assert_eq!(world.stored().await, before, "neither a look nor a bad password spends anything");
    assert!(send(form("my+own+password")).await.text().contains("password is set"));
    let login = json!({"email": "otto@example.org", "password": "my own password"});
    assert_eq!(world.post("/api/client/login", &login).await.status, 200);
}

#[tokio::test]
async fn a_name_and_address_that_were_never_proven_are_free_again_when_their_link_has_expired() {
    let world = World::start().await;
    let body = |name: &str| json!({"username": name, "email": "late@example.org", "password": "correct horse battery"});
    let first = world.post("/api/users/signup", &body("squatter")).await;
    let first = first.json()["verification_url"].as_str().unwrap().to_owned();
    world.pass(24 * 60 * 60 - 1);
    let decoy = world.post("/api/users/signup", &body("early")).await;
    let decoy = decoy.json()["verification_url"].as_str().unwrap().to_owned();
    assert_eq!(world.open(&decoy).await.code(), "verification_unknown");
    world.pass(1);
    let owner = world.post("/api/users/signup", &body("Squatter")).await;
    assert_eq!(owner.status, 201, "{owner:?}");
    let owner = owner.json()["verification_url"].as_str().unwrap().to_owned();
    assert_eq!(world.open(&first).await.code(), "verification_expired");
    assert_eq!(world.open(&owner).await.status, 200);
    let login = json!({"email": "late@example.org", "password": "correct horse battery"});
    let answer = world.post("/api/client/login", &login).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    world.pass(48 * 60 * 60);
    let decoy = world.post("/api/users/signup", &body("much-later")).await;
    let decoy = decoy.json()["verification_url"].as_str().unwrap().to_owned();
    assert_eq!(world.open(&decoy).await.code(), "verification_unknown", "a proven claim lasts");
}
