//! The events under `events/`, each given to its function as `sam local invoke` gives it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use http_body_util::BodyExt;
use serde_json::Value;
use share_e2e::World;

/// `verify_email` is the function `VerifyEmail`.
fn logical_id(folder: &str) -> String {
    let words = folder.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

/// The token in a link.
fn token_of(url: &str) -> &str {
    url.rsplit_once('=').unwrap().1
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
            .filter(|entry| { entry.as_ref().unwrap().file_type().unwrap().is_dir() })
            .count()
            * 2,
        "two events for each function"
    );

    let world = World::start().await;
    let client = world.token("client").await;
    let file = world.some_file().await;
    // Of a link of its own: what is taken back cannot be downloaded. GET makes one, too.
    let other = format!("/api/files/generate-download-link/{file}");
    let other = world.get(&other, &client).await.json();
    let values = [
        ("{{link_id}}", other["id"].as_str().unwrap().to_owned()),
        ("{{ops_token}}", world.token("ops").await),
        ("{{download_token}}", token_of(&world.link(&file, &client).await).to_owned()),
        ("{{verification_token}}", token_of(&world.sign_up("events").await).to_owned()),
        ("{{invitation_token}}", world.invitation("events-invited").await),
        ("{{client_token}}", client),
        ("{{file_id}}", file),
    ];
    for (case, expected) in expected {
        let mut event = fs::read_to_string(folder.join(format!("{case}.json"))).unwrap();
        for (placeholder, value) in &values {
            event = event.replace(placeholder, value);
        }
        let function = logical_id(case.split('/').next().unwrap());
        let (parts, body) = world.server.invoke(&function, &event).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.status.as_u16(), expected["status"], "{case}: {body:?}");
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        assert_eq!(body["code"], expected["code"], "{case}");
    }
}
