//! The whole hand-over, with files as Office, PDF writers and zip programs make them.

use reqwest::Method;
use serde_json::json;
use share_e2e::samples::{docx, pdf, sha256, zip_of_size};
use share_e2e::{World, send};

#[tokio::test]
async fn a_new_client_gets_every_file_byte_for_byte_and_each_link_once() {
    let world = World::start().await;
    let url = world.sign_up("rosa").await;
    assert_eq!(world.open(&url).await.status, 200);
    let login = json!({"email": "rosa@example.org", "password": "a password for rosa"});
    let answer = world.post("/api/client/login", &login).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(answer.json()["expires_in"], 900);
    let token = answer.json()["access"].as_str().unwrap().to_owned();

    let office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let files = [
        ("Bericht Q3 – Übersicht.docx", docx(), office),
        ("hello.pdf", pdf(), "application/pdf"),
        ("four-mebibytes.zip", zip_of_size(4 * 1024 * 1024), "application/zip"),
    ];
    for (name, content, media_type) in &files {
        let answer = world.upload(name, content).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let record = answer.json();
        assert_eq!(record["filename"], *name);
        assert_eq!(record["size"], content.len());
        assert_eq!(record["content_type"], *media_type);
        assert_eq!(record["sha256"], sha256(content));
        assert_eq!(record["uploaded_by"], "ops");
    }

    let list = world.get("/api/files/list", &token).await.json();
    assert_eq!(list.as_array().unwrap().len(), files.len());
    for (record, (name, content, media_type)) in
        list.as_array().unwrap().iter().zip(files.iter().rev())
    {
        assert_eq!(record["filename"], *name, "newest first");
        let url = world.link(record["id"].as_str().unwrap(), &token).await;
        let answer = world.open(&url).await;
        assert_eq!(answer.status, 200);
        assert!(answer.bytes == *content, "{name} came back changed");
        assert_eq!(answer.header("content-length"), content.len().to_string());
        assert_eq!(answer.header("content-type"), *media_type);
        assert_eq!(answer.header("etag"), format!("\"{}\"", sha256(content)));
        assert!(answer.header("content-disposition").starts_with("attachment; "));
        assert_eq!(answer.header("content-security-policy"), "sandbox");
        let again = world.open(&url).await;
        assert_eq!((again.status.as_u16(), again.code().as_str()), (410, "link_used"));
    }
}

#[tokio::test]
async fn every_alias_leads_to_the_same_function_with_and_without_a_slash() {
    let world = World::start().await;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let id = world.some_file().await;
    for slash in ["", "/"] {
        for (path, role) in [
            ("/api/client/login", "client"),
            ("/api/users/client-login", "client"),
            ("/api/ops/login", "ops"),
            ("/api/users/ops-login", "ops"),
        ] {
            let body = json!({"username": role, "password": format!("local-{role}-password")});
            assert_eq!(world.post(&format!("{path}{slash}"), &body).await.status, 200, "{path}");
        }
        for path in ["/api/files/list", "/api/file/list"] {
            let answer = world.get(&format!("{path}{slash}"), &client).await;
            assert_eq!(answer.status, 200, "{path}");
        }
        for path in ["/api/files/upload", "/api/file/upload"] {
            let request = world.request(Method::POST, &format!("{path}{slash}")).bearer_auth(&ops);
            let answer = send(request.header("content-type", "text/plain").body("x")).await;
            assert_eq!(answer.code(), "unsupported_media_type", "{path}");
        }
        for path in ["/api/users/verify-email", "/api/client/verify"] {
            for method in [Method::GET, Method::POST] {
                let request = world.request(method, &format!("{path}{slash}?token=x"));
                assert_eq!(send(request).await.code(), "verification_unknown", "{path}");
            }
        }
        for path in ["/api/file/download", "/api/files/download"] {
            let answer = world.open(&world.url(&format!("{path}{slash}?token=x"))).await;
            assert_eq!(answer.code(), "link_unknown", "{path}");
        }
        for path in ["/api/users/signup", "/api/client/signup"] {
            assert_eq!(
                world.post(&format!("{path}{slash}"), &json!({})).await.code(),
                "invalid_field"
            );
        }
        let path = format!("/api/files/generate-download-link/{id}{slash}");
        for (method, status) in [(Method::GET, 200), (Method::POST, 201)] {
            let request = world.request(method, &path).bearer_auth(&client);
            assert_eq!(send(request).await.status, status);
        }
        let request = world.request(Method::POST, &format!("/api/file/generate-load{slash}"));
        let request = request.bearer_auth(&client).json(&json!({"file_id": id}));
        assert_eq!(send(request).await.status, 201);
    }
}
