//! The server is killed (`kill -9`) and started again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::Value;
use share_e2e::api::{Api, form_with};
use share_e2e::routes;
use share_e2e::samples::{noise, sha256};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::SERVER;

/// Uploads one file after the other until the server is gone. Notes what was answered with 201.
async fn upload_until_killed(
    api: Arc<Api>,
    ops: String,
    stored: Arc<Mutex<Vec<(String, String)>>>,
    progress: Arc<Notify>,
) {
    static SERIAL: AtomicUsize = AtomicUsize::new(0);
    loop {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        // Some small, some large, no two alike.
        let mut content = format!("file {serial}\n").into_bytes();
        content.extend(noise(serial % 4 * 300_000).iter().map(|byte| byte % 64 + 32));
        let request = api.request(Method::POST, routes::UPLOAD).bearer_auth(&ops);
        let form = form_with(&format!("{serial}.txt"), &content);
        let Ok(answer) = request.multipart(form).send().await else { return };
        let Ok(record) = answer.error_for_status().unwrap().json::<Value>().await else { return };
        let id = record["id"].as_str().unwrap().to_owned();
        stored.lock().unwrap().push((id, sha256(&content)));
        progress.notify_one();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_uploads_lists_nothing_half_written_and_loses_nothing() {
    let data = TempDir::new().unwrap();
    let stored = Arc::new(Mutex::new(Vec::new()));
    for round in 0..10 {
        let mut server = SERVER.start(data.path());
        let ops = server.api.token("ops").await;
        let api = Arc::new(Api::new(server.api.base.clone()));
        let progress = Arc::new(Notify::new());
        let uploads: Vec<_> = (0..4)
            .map(|_| {
                let (api, ops) = (Arc::clone(&api), ops.clone());
                let (stored, progress) = (Arc::clone(&stored), Arc::clone(&progress));
                tokio::spawn(upload_until_killed(api, ops, stored, progress))
            })
            .collect();
        for _ in 0..=round {
            progress.notified().await;
        }
        server.kill();
        for upload in uploads {
            upload.await.unwrap();
        }
    }
    let server = SERVER.start(data.path());
    let api = &server.api;
    let client = api.token("client").await;
    let listed = api.all(routes::LIST_FILES, 100, &client).await;
    let stored = stored.lock().unwrap().clone();
    assert!(stored.len() >= 10 * 4, "enough uploads to be a test: {}", stored.len());
    for (id, digest) in &stored {
        let record = listed.iter().find(|record| record["id"] == **id);
        let record =
            record.unwrap_or_else(|| panic!("{id} was answered with 201 and is not listed"));
        assert_eq!(record["sha256"], **digest);
    }
    for record in &listed {
        let link = api.link(record["id"].as_str().unwrap(), &client).await;
        let file = api.open(&link).await;
        assert_eq!(file.status, 200, "{}", record["filename"]);
        assert_eq!(record["sha256"], sha256(&file.bytes), "{}", record["filename"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_accounts_and_logins_survive_a_restart() {
    let data = TempDir::new().unwrap();
    let mut server = SERVER.start(data.path());
    let before = server.api.token("client").await;
    server.api.upload("kept.txt", b"kept").await.is(201);
    server.kill();
    let server = SERVER.start(data.path());
    let listed = server.api.all(routes::LIST_FILES, 100, &before).await;
    assert_eq!(listed.len(), 1, "the token of before the restart still works");
    assert_eq!(listed[0]["filename"], "kept.txt");
}
