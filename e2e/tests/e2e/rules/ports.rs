//! What a server process listens on.

use std::collections::BTreeSet;
use std::fs;

use reqwest::{Method, StatusCode};
use share_e2e::api::client;
use tempfile::TempDir;

use crate::SERVER;

/// The ports on which a process listens: its sockets that the kernel lists as listening.
fn listening(process: u32) -> BTreeSet<u16> {
    let mut sockets = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{process}/fd")).unwrap() {
        // A file may have been closed since.
        let Ok(target) = fs::read_link(entry.unwrap().path()) else { continue };
        let target = target.to_string_lossy().into_owned();
        sockets
            .extend(target.strip_prefix("socket:[").map(|it| it.trim_end_matches(']').to_owned()));
    }
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let table = fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap();
        for line in table.lines().skip(1) {
            let words: Vec<_> = line.split_whitespace().collect();
            let (address, state, inode) = (words[1], words[3], words[9]);
            if state == "0A" && sockets.contains(inode) {
                let (_, port) = address.rsplit_once(':').unwrap();
                ports.insert(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports
}

#[tokio::test]
async fn no_port_of_the_process_answers_dynamodb_and_s3_refuses_what_is_not_signed() {
    let data = TempDir::new().unwrap();
    let server = SERVER.start(data.path());
    let file = server.api.some_file().await;
    let front = server.api.base.rsplit_once(':').unwrap().1.parse().unwrap();
    let ports = listening(server.id());
    assert!(ports.contains(&front) && ports.len() == 2, "the front and S3: {ports:?}");
    let http = client();
    for port in &ports {
        let url = format!("http://127.0.0.1:{port}/");
        let request = http
            .post(&url)
            .header("x-amz-target", "DynamoDB_20120810.ListTables")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=any, SignedHeaders=, Signature=");
        let answer = request.body("{}").send().await.unwrap();
        assert_ne!(answer.status(), StatusCode::OK, "{port}");
        assert!(!answer.text().await.unwrap().contains("UsersTable"), "{port}");
    }
    let s3 = ports.into_iter().find(|port| *port != front).unwrap();
    for (method, path) in [
        (Method::GET, "/".to_owned()),
        (Method::GET, "/files".to_owned()),
        (Method::GET, format!("/files/{file}")),
        (Method::HEAD, format!("/files/{file}")),
        (Method::PUT, format!("/files/{file}")),
        (Method::DELETE, format!("/files/{file}")),
    ] {
        let url = format!("http://127.0.0.1:{s3}{path}");
        let answer = http.request(method.clone(), url).body("x").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
        assert!(answer.headers().get("access-control-allow-origin").is_none());
    }
    let link = server.api.link(&file, &server.api.token("client").await).await;
    assert_eq!(server.api.open(&link).await.bytes, b"a note", "nothing was changed");
}
