//! From sign-up to download, with files as Office, PDF writers and zip programs make them.

use share_e2e::api::password_for;
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
