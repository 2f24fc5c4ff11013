//! The events under `events/`, each given to its function as `sam local invoke` gives it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use http_body_util::BodyExt;
use serde_json::{Value, json};
use share_e2e::api::{local_password, password_for};
use share_e2e::scene::token_of;
use share_e2e::{Scene, routes};

/// `verify_email` is the function `VerifyEmail`.
fn logical_id(folder: &str) -> String {
    let words = folder.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

#[tokio::test]
async fn every_event_gets_the_answer_that_its_table_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let expected: BTreeMap<String, Value> =
        serde_json::from_str(&fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    assert_eq!(
        expected.len(),
        fs::read_dir(&folder)
            .unwrap()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().unwrap().is_dir() && entry.file_name() != "jobs")
            .count()
            * 2,
        "two events for each function with a route"
    );

    let scene = Scene::start_with(&[("IMPORT_ALLOWED_HOSTS", "docs.google.com")]).await;
    // Of a link of its own: a revoked one cannot be downloaded. GET makes one, too.
    let other = scene.get(&routes::generate_link(&scene.file), &scene.client).await;
    let targets = scene.targets().await;
    let login = || scene.login("client", ("username", "client"), "local-client-password");
    let pending = scene.another_client("events-pending").await;
    let app = scene.create_totp(&pending, &password_for("events-pending")).await;
    let factor_token = scene.another_client("events-factor").await;
    let factor = scene.enrol(&factor_token, &password_for("events-factor")).await;
    let leaving_token = scene.another_client("events-leaving").await;
    let leaving = scene.enrol(&leaving_token, &password_for("events-leaving")).await;
    let other_client = scene.another_client("events-other").await;
    let admin = scene.token("admin").await;
    for name in ["board", "staff"] {
        scene.post_as(routes::GROUPS, &admin, &json!({"name": name})).await.is(201);
    }
    scene.another_client("events-waiting").await;
    let waiting = scene.world.store.user_named("events-waiting").await;
    scene.world.store.let_wait(&waiting).await;
    let invited = json!({"email": "withdrawn@example.org", "role": "ops"});
    let invited = scene.post_as(routes::INVITATIONS, &admin, &invited).await;
    let values = [
        ("{{client_password}}", local_password("client")),
        ("{{pending_token}}", pending),
        ("{{totp_code}}", app.code(scene.now())),
        ("{{factor_token}}", factor_token),
        ("{{recovery_code}}", factor.codes[0].clone()),
        ("{{leaving_token}}", leaving_token),
        ("{{leaving_password}}", password_for("events-leaving")),
        ("{{leaving_recovery_code}}", leaving.codes[0].clone()),
        ("{{other_client_token}}", other_client),
        ("{{other_client_password}}", password_for("events-other")),
        ("{{reset_token}}", scene.mailed_token("password_reset", "resets").await),
        ("{{moving_password}}", password_for("moves")),
        ("{{email_change_token}}", scene.mailed_token("email_change", "moves").await),
        ("{{email_undo_token}}", scene.mailed_token("email_undo", "returns").await),
        ("{{link_id}}", other.id()),
        ("{{ops_token}}", scene.ops.clone()),
        ("{{download_token}}", scene.plain_link().await.token().to_owned()),
        ("{{page_token}}", scene.plain_link().await.token().to_owned()),
        ("{{verification_token}}", token_of(&scene.sign_up("events").await).to_owned()),
        ("{{declined_token}}", token_of(&scene.sign_up("events-declined").await).to_owned()),
        ("{{invitation_token}}", scene.invitation("events-invited").await),
        ("{{client_token}}", scene.client.clone()),
        ("{{admin_token}}", admin),
        ("{{waiting_id}}", waiting),
        ("{{invited_id}}", invited.id()),
        ("{{group}}", "board".to_owned()),
        ("{{deleted_group}}", "staff".to_owned()),
        ("{{user_id}}", scene.world.store.user_named("client").await),
        ("{{deleted_user_id}}", targets.deleted_user),
        ("{{refresh_token}}", login().await.field("refresh")),
        ("{{ended_client_token}}", login().await.field("access")),
        ("{{file_id}}", scene.file.clone()),
        ("{{deleted_file_id}}", scene.some_file().await),
        ("{{upload_id}}", targets.upload),
        ("{{whole_upload_id}}", targets.whole_upload),
        ("{{aborted_upload_id}}", scene.new_upload().await),
    ];
    for (case, expected) in expected {
        let mut event = fs::read_to_string(folder.join(format!("{case}.json"))).unwrap();
        for (placeholder, value) in &values {
            event = event.replace(placeholder, value);
        }
        let function = logical_id(case.split('/').next().unwrap());
        let (parts, body) = scene.server.invoke(&function, &event).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.status.as_u16(), expected["status"], "{case}: {body:?}");
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        assert_eq!(body["code"], expected["code"], "{case}");
    }
}

/// The functions without a route, each with what EventBridge sends to it.
#[tokio::test]
async fn every_job_takes_the_events_that_are_there_for_it() {
    let scene = Scene::start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/jobs");
    let cases = [
        ("check_file_created", "CheckFile", json!({ "checked": 1 })),
        ("check_file_scanned", "CheckFile", json!({ "checked": 1 })),
        ("check_file_due", "CheckFile", json!({ "checked": 0, "failed": 0 })),
        ("continue_imports_due", "ContinueImports", json!({ "imported": 0, "failed": 0 })),
        ("remove_files_due", "RemoveFiles", json!({ "removed": 0, "failed": 0 })),
        ("erase_accounts_due", "EraseAccounts", json!({ "erased": 0, "failed": 0 })),
    ];
    assert_eq!(fs::read_dir(&folder).unwrap().count(), cases.len());
    for (name, function, expected) in cases {
        let event = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let event = serde_json::from_str(&event.replace("{{file_id}}", &scene.file)).unwrap();
        let answer = scene.server.invoke_job(function, event).await.unwrap();
        assert_eq!(answer, expected, "{name}");
    }
}
