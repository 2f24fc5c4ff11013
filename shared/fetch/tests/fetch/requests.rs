//! What a host gets to see.

use std::process::Stdio;

use crate::server::{FILE, LIMITS, Server, fetch, fetcher, redirect, send, source};

#[tokio::test]
async fn a_request_says_nothing_about_the_user() {
    let server = Server::start(|request| match request.target.as_str() {
        "/start?key=secret" => {
            let mut steps = redirect("/file?a=%7B|}#part");
            steps.insert(0, send("HTTP/1.1 103 X\r\nSet-Cookie: a=b\r\n\r\n"));
            steps
        }
        _ => vec![send(FILE)],
    })
    .await;
    let fetcher = fetcher(&server, "", LIMITS);
    fetch(&fetcher, &server.url("/start?key=secret#fragment")).await.unwrap();
    let heads = server.requests().into_iter().map(|request| request.head.to_ascii_lowercase());
    let expected = ["/start?key=secret", "/file?a=%7b|}"].map(|target| {
        format!(
            "get {target} http/1.1\r\nhost: {}\r\nuser-agent: secure-file-share\r\naccept: */*\r\n\
             accept-encoding: identity\r\nconnection: close\r\n\r\n",
            server.address
        )
    });
    assert_eq!(heads.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_dropped_body_closes_the_connection() {
    let (left, mut has_left) = tokio::sync::mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let host = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx").await.unwrap();
        while stream.read_u8().await.is_ok() {}
        left.send(()).unwrap();
    });
    let allowed = share_fetch::AllowedHosts::parse(&address.to_string()).unwrap();
    let roots = rustls::RootCertStore::empty();
    let fetcher = share_fetch::Fetcher::with_roots(allowed, LIMITS, roots);
    let mut answer = fetcher.fetch(&source(&format!("http://{address}/"))).await.unwrap();
    answer.body.chunk().await.unwrap();
    assert!(has_left.try_recv().is_err());
    drop(answer);
    has_left.recv().await.unwrap();
    host.await.unwrap();
}

/// Runs itself as a child whose environment names a proxy.
#[tokio::test]
async fn proxy_variables_are_ignored() {
    const TARGET: &str = "SHARE_FETCH_TEST_TARGET";
    if let Some(target) = std::env::var_os(TARGET) {
        let address = target.to_str().unwrap();
        let allowed = share_fetch::AllowedHosts::parse(address).unwrap();
        let roots = rustls::RootCertStore::empty();
        let fetcher = share_fetch::Fetcher::with_roots(allowed, LIMITS, roots);
        let got = fetch(&fetcher, &format!("http://{address}/")).await;
        assert_eq!(got, Ok("file".to_owned()));
        return;
    }
    let server = Server::answering(vec![send(FILE)]).await;
    let proxy = Server::answering(vec![send(FILE)]).await;
    let variables =
        ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "requests::proxy_variables_are_ignored"])
        .env(TARGET, server.address.to_string())
        .envs(variables.map(|name| (name, proxy.url("/"))))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdout(Stdio::null())
        .status();
    assert!(child.await.unwrap().success());
    assert_eq!(server.requests().len(), 1);
    assert_eq!(proxy.connections(), 0);
}
