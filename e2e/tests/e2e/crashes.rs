//! The server as a process: killed, stopped, started again, and started twice.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use share_e2e::process::Process;
use share_e2e::samples::{noise, sha256};
use share_e2e::{client, send};
use tempfile::TempDir;
use tokio::sync::Notify;

const BINARY: &str = env!("CARGO_BIN_EXE_share-e2e-server");

async fn token(url: &str, role: &str) -> String {
    let body = json!({"username": role, "password": format!("local-{role}-password")});
    let answer = send(client().post(format!("{url}/api/{role}/login")).json(&body)).await;
    answer.json()["access"].as_str().unwrap().to_owned()
}

/// Uploads one file after the other until the server is gone. Notes what was answered with 201.
async fn upload_until_killed(
    url: String,
    token: String,
    stored: Arc<Mutex<Vec<(String, String)>>>,
    progress: Arc<Notify>,
) {
    static SERIAL: AtomicUsize = AtomicUsize::new(0);
    loop {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        // Some small, some large, no two alike.
        let mut content = format!("file {serial}\n").into_bytes();
        content.extend(noise(serial % 4 * 300_000).iter().map(|byte| byte % 64 + 32));
        let part = Part::bytes(content.clone()).file_name(format!("{serial}.txt"));
        let request = client().post(format!("{url}/api/files/upload")).bearer_auth(&token);
        let Ok(answer) = request.multipart(Form::new().part("file", part)).send().await else {
            return;
        };
        let Ok(record) = answer.error_for_status().unwrap().json::<Value>().await else { return };
        let id = record["id"].as_str().unwrap().to_owned();
        stored.lock().unwrap().push((id, sha256(&content)));
        progress.notify_one();
    }
}

/// Every file on the shelf, over all pages.
async fn list(url: &str, token: &str) -> Vec<Value> {
    let mut files = Vec::new();
    let mut next = Some(format!("{url}/api/files/list?limit=100"));
    while let Some(page) = next {
        let answer = send(client().get(page).bearer_auth(token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        files.extend(answer.json().as_array().unwrap().clone());
        let link = answer.header("link").strip_prefix('<').and_then(|link| link.split_once('>'));
        next = link.map(|(address, _)| address.to_owned());
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_uploads_lists_nothing_half_written_and_loses_nothing() {
    let data = TempDir::new().unwrap();
    let stored = Arc::new(Mutex::new(Vec::new()));
    for round in 0..10 {
        let mut server = Process::start(BINARY, data.path());
        let ops = token(&server.url, "ops").await;
        let progress = Arc::new(Notify::new());
        let uploads: Vec<_> = (0..4)
            .map(|_| {
                let (url, ops) = (server.url.clone(), ops.clone());
                let (stored, progress) = (Arc::clone(&stored), Arc::clone(&progress));
                tokio::spawn(upload_until_killed(url, ops, stored, progress))
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
    let server = Process::start(BINARY, data.path());
    let client_token = token(&server.url, "client").await;
    let listed = list(&server.url, &client_token).await;
    let stored = stored.lock().unwrap().clone();
    assert!(stored.len() >= 10 * 4, "enough uploads to be a test: {}", stored.len());
    for (id, digest) in &stored {
        let record = listed.iter().find(|record| record["id"] == **id);
        let record =
            record.unwrap_or_else(|| panic!("{id} was answered with 201 and is not listed"));
        assert_eq!(record["sha256"], **digest);
    }
    for record in &listed {
        let path = format!("/api/files/generate-download-link/{}", record["id"].as_str().unwrap());
        let request = client().post(format!("{}{path}", server.url)).bearer_auth(&client_token);
        let link = send(request).await.json();
        let file = send(client().get(link["download_url"].as_str().unwrap())).await;
        assert_eq!(file.status, 200, "{}", record["filename"]);
        assert_eq!(record["sha256"], sha256(&file.bytes), "{}", record["filename"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_accounts_and_logins_survive_a_restart() {
    let data = TempDir::new().unwrap();
    let mut server = Process::start(BINARY, data.path());
    let (ops, before) = (token(&server.url, "ops").await, token(&server.url, "client").await);
    let part = Part::bytes(b"kept".to_vec()).file_name("kept.txt");
    let request = client().post(format!("{}/api/files/upload", server.url)).bearer_auth(ops);
    assert_eq!(send(request.multipart(Form::new().part("file", part))).await.status, 201);
    server.kill();
    let server = Process::start(BINARY, data.path());
    let listed = list(&server.url, &before).await;
    assert_eq!(listed.len(), 1, "the token of before the restart still works");
    assert_eq!(listed[0]["filename"], "kept.txt");
}

/// Runs the server to its end and gives its exit code and what it said.
fn run(arguments: &[&str], data: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--data-dir").arg(data).stdin(Stdio::null());
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_says_why() {
    let data = TempDir::new().unwrap();
    let _first = Process::start(BINARY, data.path());
    let (code, message) = run(&["--listen", "127.0.0.1:0"], data.path());
    assert_eq!(code, Some(1));
    assert!(message.contains("another server is using the data folder"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_port_in_use_is_named() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = Process::start(BINARY, first.path());
    let address = server.url.trim_start_matches("http://");
    let (code, message) = run(&["--listen", address], second.path());
    assert_eq!(code, Some(1));
    assert!(message.contains(&format!("cannot listen on {address}")), "{message}");
}

#[test]
fn accounts_with_well_known_passwords_are_never_served_beyond_this_machine() {
    let data = TempDir::new().unwrap();
    drop(Process::start(BINARY, data.path()));
    let (code, message) = run(&["--listen", "0.0.0.0:0"], data.path());
    assert_eq!(code, Some(1));
    assert!(message.contains("well-known passwords"), "{message}");
}

#[test]
fn ctrl_c_stops_the_server_with_exit_code_0() {
    let data = TempDir::new().unwrap();
    let mut server = Process::start(BINARY, data.path());
    assert_eq!(server.interrupt(), Some(0));
}
