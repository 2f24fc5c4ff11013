//! From sign-up to download, with files as Office, PDF writers and zip programs make them.

use serde_json::json;
use share_e2e::api::password_for;
use share_e2e::origin::Origin;
use share_e2e::samples::{docx, pdf, sha256, zip_of_size};
use share_e2e::{World, routes};

use crate::MIB;

#[tokio::test]
async fn a_new_client_gets_every_file_byte_for_byte_and_each_link_once() {
    let world = World::start().await;
    let url = world.sign_up("rosa").await;
    world.open(&url).await.is(200);
    let who = ("email", "rosa@example.org");
    let login = world.login("client", who, &password_for("rosa")).await.is_json(200);
    assert_eq!(login["token_type"], "Bearer");
    assert_eq!(login["expires_in"], 900);
    let token = login["access"].as_str().unwrap();

    let office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let files = [
        ("Bericht Q3 – Übersicht.docx", docx(), office),
        ("hello.pdf", pdf(), "application/pdf"),
        ("four-mebibytes.zip", zip_of_size(4 * MIB), "application/zip"),
    ];
    for (name, content, media_type) in &files {
        let record = world.upload(name, content).await.is_json(201);
        assert_eq!(record["filename"], *name);
        assert_eq!(record["size"], content.len());
        assert_eq!(record["content_type"], *media_type);
        assert_eq!(record["sha256"], sha256(content));
        assert_eq!(record["uploaded_by"], "ops");
    }

    let list = world.get(routes::LIST_FILES, token).await.is_json(200);
    assert_eq!(list.as_array().unwrap().len(), files.len());
    for (record, (name, content, media_type)) in
        list.as_array().unwrap().iter().zip(files.iter().rev())
    {
        assert_eq!(record["filename"], *name, "newest first");
        let url = world.link(record["id"].as_str().unwrap(), token).await;
        let answer = world.open(&url).await;
        answer.is_file(content);
        assert_eq!(answer.header("content-length"), content.len().to_string());
        assert_eq!(answer.header("content-type"), *media_type);
        assert_eq!(answer.header("etag"), format!("\"{}\"", sha256(content)));
        assert!(answer.header("content-disposition").starts_with("attachment; "));
        assert_eq!(answer.header("content-security-policy"), "sandbox");
        world.open(&url).await.refused(410, "link_used");
    }
}

/// The requests of the Postman collection of the Django application whose API this is.
#[tokio::test]
async fn the_story_of_the_django_original_runs_from_sign_up_to_download() {
    let origin = Origin::of(docx()).await;
    let variables = [("OPS_SIGNUP", "open"), ("IMPORT_ALLOWED_HOSTS", origin.host.as_str())];
    let world = World::start_with(&variables).await;
    let password = "correct horse battery";
    let sign_up = |name: &str, role: &str| {
        json!({"username": name, "email": format!("{name}@example.org"), "password": password,
            "role": role})
    };
    world.post(routes::SIGNUP, &sign_up("otto", "ops")).await.is(201);
    let ops = world.login("ops", ("username", "otto"), password).await.is(200).field("access");
    let body = json!({"file_url": origin.url("/minutes.docx")});
    let file = world.post_as(routes::UPLOAD, &ops, &body).await.is(201).id();

    let signed_up = world.post(routes::SIGNUP, &sign_up("clara", "client")).await;
    world.open(&signed_up.is(201).field("verification_url")).await.is(200);
    let login = world.login("client", ("username", "clara"), password).await;
    let client = login.is(200).field("access");
    let list = world.get(routes::LIST_FILES, &client).await.is_json(200);
    assert_eq!((&list[0]["id"], &list[0]["filename"]), (&json!(file), &json!("minutes.docx")));
    let link = world.link(&file, &client).await;
    world.open(&link).await.is_file(&docx());
    world.open(&link).await.refused(410, "link_used");
}
