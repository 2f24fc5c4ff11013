//! Where redirects may lead.

use std::io;
use std::net::IpAddr;

use share_fetch::FetchError::{
    AddressNotPublic, HostNotAllowed, HostNotFound, NotAUrl, NotShared, SchemeNotAllowed, Status,
    TooManyRedirects, UserInfo,
};

use crate::server::{Cases, FILE, LIMITS, Server, fetch, fetcher, redirect, send};

/// Names of the test, under `inside.test`.
fn resolve(name: &str) -> io::Result<Vec<IpAddr>> {
    let address = match name {
        "loopback.inside.test" | "named.test" => "127.0.0.1",
        "metadata.inside.test" => "169.254.169.254",
        "private.inside.test" => "10.1.2.3",
        "mapped.inside.test" => "::ffff:127.0.0.1",
        _ => return Err(io::ErrorKind::NotFound.into()),
    };
    Ok(vec![address.parse().unwrap()])
}

/// Redirects `/` to the place that the query names, and has a file at `/file`.
async fn redirecting() -> Server {
    Server::start(|request| match request.target.split_once("?to=") {
        Some((_, location)) => {
            let location = percent_encoding::percent_decode_str(location);
            redirect(&location.decode_utf8().unwrap())
        }
        None => vec![send(FILE)],
    })
    .await
}

fn start(server: &Server, location: &str) -> String {
    let location = location.replace("PORT", &server.address.port().to_string());
    let location =
        percent_encoding::utf8_percent_encode(&location, percent_encoding::NON_ALPHANUMERIC);
    server.url(&format!("/folder/start?to={location}"))
}

#[tokio::test]
async fn redirects_that_are_refused_and_why() {
    let server = redirecting().await;
    let port = server.address.port();
    let also = format!("docs.google.com,*.inside.test,named.test:{port}");
    let fetcher =
        fetcher(&server, &also, LIMITS).with_resolver(|name| async move { resolve(&name) });
    let mut cases = Cases::default();
    for (case, location, reason) in [
        ("http", "http://docs.google.com/x", SchemeNotAllowed),
        ("file", "file:///etc/passwd", SchemeNotAllowed),
        ("ftp", "ftp://127.0.0.1:PORT/file", SchemeNotAllowed),
        ("gopher", "gopher://127.0.0.1:PORT/_GET", SchemeNotAllowed),
        ("data", "data:text/plain,x", SchemeNotAllowed),
        ("a username", "http://user@127.0.0.1:PORT/file", UserInfo),
        ("a password", "http://user:secret@127.0.0.1:PORT/file", UserInfo),
        ("another host", "https://evil.test/", HostNotAllowed),
        ("another host without a scheme", "//evil.test/", HostNotAllowed),
        ("another host, backslashes", "\\\\evil.test\\x", HostNotAllowed),
        ("another port of loopback", "http://127.0.0.1:1/", HostNotAllowed),
        ("another address of loopback", "http://127.0.0.2:PORT/", HostNotAllowed),
        ("loopback, v6", "http://[::1]:PORT/", HostNotAllowed),
        ("loopback, mapped", "http://[::ffff:127.0.0.1]:PORT/", HostNotAllowed),
        ("localhost", "http://localhost:PORT/", HostNotAllowed),
        ("unspecified", "http://0.0.0.0:PORT/", HostNotAllowed),
        ("metadata", "http://169.254.169.254/latest/meta-data/", HostNotAllowed),
        ("metadata as one number", "http://2852039166/", HostNotAllowed),
        ("metadata by name", "https://metadata.inside.test/", AddressNotPublic),
        ("loopback by name", "https://loopback.inside.test/", AddressNotPublic),
        ("loopback by a name with a port", "http://named.test:PORT/file", AddressNotPublic),
        ("mapped loopback by name", "https://mapped.inside.test/", AddressNotPublic),
        ("private by name", "https://private.inside.test/", AddressNotPublic),
        ("a name that is not found", "https://unknown.inside.test/", HostNotFound),
        ("no URL", "http://[", NotAUrl),
        ("to log in at Google", "https://accounts.google.com/ServiceLogin?x=y", NotShared),
        ("a port that is no number", "http://127.0.0.1:x/", NotAUrl),
    ] {
        cases.expect(case, fetch(&fetcher, &start(&server, location)).await, Err(reason));
    }
    let asked_for = server.requests().into_iter().map(|request| request.target);
    assert_eq!(asked_for.filter(|target| !target.starts_with("/folder/start")).count(), 0);
}

#[tokio::test]
async fn redirects_that_are_followed() {
    let server = redirecting().await;
    let fetcher = fetcher(&server, "", LIMITS);
    let mut cases = Cases::default();
    for (case, location, target) in [
        ("absolute", "http://127.0.0.1:PORT/file", "/file"),
        ("without a scheme", "//127.0.0.1:PORT/file", "/file"),
        ("the address as one number", "http://2130706433:PORT/file", "/file"),
        ("a path", "/file?x=1", "/file?x=1"),
        ("relative", "file", "/folder/file"),
        ("up", "../file", "/file"),
        ("above the root", "../../../file", "/file"),
        ("a query alone", "?x=1", "/folder/start?x=1"),
        ("a fragment is not sent", "/file#part", "/file"),
        ("UTF-8", "/ü", "/%C3%BC"),
    ] {
        let got = fetch(&fetcher, &start(&server, location)).await;
        cases.expect(case, got, Ok("file".to_owned()));
        let last = server.requests().pop().unwrap();
        cases.expect(case, last.target.as_str(), target);
    }
}

#[tokio::test]
async fn redirects_by_status() {
    let mut cases = Cases::default();
    for (status, want) in [
        (300, Err(Status(300))),
        (301, Ok("file".to_owned())),
        (302, Ok("file".to_owned())),
        (303, Ok("file".to_owned())),
        (304, Err(Status(304))),
        (305, Err(Status(305))),
        (307, Ok("file".to_owned())),
        (308, Ok("file".to_owned())),
    ] {
        let server = Server::start(move |request| match request.target.as_str() {
            "/file" => vec![send(FILE)],
            _ => vec![send(format!(
                "HTTP/1.1 {status} X\r\nLocation: /file\r\nContent-Length: 0\r\n\r\n"
            ))],
        })
        .await;
        let got = fetch(&fetcher(&server, "", LIMITS), &server.url("/")).await;
        cases.expect(&status.to_string(), got, want);
    }
}

#[tokio::test]
async fn a_redirect_without_a_location_is_refused() {
    let server = Server::answering(vec![send("HTTP/1.1 302 Found\r\n\r\n")]).await;
    let got = fetch(&fetcher(&server, "", LIMITS), &server.url("/")).await;
    assert_eq!(got, Err(Status(302)));
}

/// Redirects `/n` to `/n-1`, and has a file at `/0`.
async fn counting_down() -> Server {
    Server::start(|request| match request.target[1..].parse::<u32>().unwrap() {
        0 => vec![send(FILE)],
        left => redirect(&format!("/{}", left - 1)),
    })
    .await
}

#[tokio::test]
async fn five_redirects_are_followed() {
    let server = counting_down().await;
    let got = fetch(&fetcher(&server, "", LIMITS), &server.url("/5")).await;
    assert_eq!(got, Ok("file".to_owned()));
}

#[tokio::test]
async fn the_sixth_redirect_is_not_followed() {
    let server = counting_down().await;
    let got = fetch(&fetcher(&server, "", LIMITS), &server.url("/6")).await;
    assert_eq!(got, Err(TooManyRedirects));
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_loop_ends() {
    let server = Server::start(|_| redirect("/")).await;
    let got = fetch(&fetcher(&server, "", LIMITS), &server.url("/")).await;
    assert_eq!(got, Err(TooManyRedirects));
}

#[tokio::test]
async fn the_body_of_a_redirect_is_not_read() {
    let server = Server::start(|request| match request.target.as_str() {
        "/file" => vec![send(FILE)],
        _ => vec![
            send("HTTP/1.1 302 Found\r\nLocation: /file\r\n\r\n"),
            crate::server::Step::SendForever(vec![b'x'; 1_000]),
        ],
    })
    .await;
    let got = fetch(&fetcher(&server, "", LIMITS), &server.url("/")).await;
    assert_eq!(got, Ok("file".to_owned()));
}
