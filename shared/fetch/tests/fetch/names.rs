//! What names may resolve to.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use share_fetch::FetchError::{AddressNotPublic, HostNotFound, NoAnswer};
use share_fetch::{AllowedHosts, Fetcher, Limits};

use crate::server::{Cases, FILE, LIMITS, Server, fetch, fetcher, send};

/// In a block that nobody was given, so that no packet goes anywhere, though it counts as public.
const NOWHERE: &str = "2000::1";

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_name_is_refused_when_any_of_its_addresses_is_not_public() {
    let server = Server::answering(vec![send(FILE)]).await;
    let port = server.address.port();
    let mut cases = Cases::default();
    for (case, answer) in [
        ("loopback", vec!["127.0.0.1"]),
        ("loopback, v6", vec!["::1"]),
        ("mapped loopback", vec!["::ffff:127.0.0.1"]),
        ("metadata", vec!["169.254.169.254"]),
        ("private", vec!["192.168.0.1"]),
        ("unspecified", vec!["0.0.0.0"]),
        ("public, then loopback", vec!["8.8.8.8", "127.0.0.1"]),
        ("loopback, then public", vec!["127.0.0.1", "8.8.8.8"]),
        ("public v6, then private v4", vec!["2606:4700::1111", "10.0.0.1"]),
        ("the last of many", vec!["8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "::1"]),
    ] {
        let fetcher = fetcher(&server, &format!("name.test,name.test:{port}"), LIMITS)
            .with_resolver(move |_| {
                let answer = addresses(&answer);
                async { Ok(answer) }
            });
        for url in ["https://name.test/".to_owned(), format!("http://name.test:{port}/")] {
            cases.expect(case, fetch(&fetcher, &url).await, Err(AddressNotPublic));
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_is_bound_anew_after_the_check_is_not_asked_for_again() {
    let server = Server::answering(vec![send(FILE)]).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let limits = Limits { connect: Duration::from_millis(500), ..LIMITS };
    let port = server.address.port();
    let fetcher = fetcher(&server, &format!("rebind.test:{port}"), limits).with_resolver({
        let asked = Arc::clone(&asked);
        move |_| {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            let answer = addresses(&[if first { NOWHERE } else { "127.0.0.1" }]);
            async { Ok(answer) }
        }
    });
    let url = format!("http://rebind.test:{port}/");
    assert_eq!(fetch(&fetcher, &url).await, Err(NoAnswer));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(server.connections(), 0);

    assert_eq!(fetch(&fetcher, &url).await, Err(AddressNotPublic));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn names_without_an_address_are_not_found() {
    let fetcher = |limits| {
        let allowed = AllowedHosts::parse("name.test").unwrap();
        Fetcher::with_roots(allowed, limits, rustls::RootCertStore::empty())
    };
    let short = Limits { connect: Duration::from_millis(50), ..LIMITS };
    let mut cases = Cases::default();
    for (case, fetcher) in [
        ("no address", fetcher(LIMITS).with_resolver(|_| async { Ok(Vec::new()) })),
        (
            "an error",
            fetcher(LIMITS).with_resolver(|_| async { Err(io::Error::other("10.0.0.2 refused")) }),
        ),
        ("silence", fetcher(short).with_resolver(|_| std::future::pending())),
    ] {
        cases.expect(case, fetch(&fetcher, "https://name.test/").await, Err(HostNotFound));
    }
}

#[tokio::test]
async fn a_listed_localhost_is_loopback_whatever_the_resolver_says() {
    let server = Server::answering(vec![send(FILE)]).await;
    let port = server.address.port();
    let fetcher = fetcher(&server, &format!("localhost:{port}"), LIMITS)
        .with_resolver(|_| async { Ok(addresses(&["10.0.0.1"])) });
    let got = fetch(&fetcher, &format!("http://localhost:{port}/")).await;
    assert_eq!(got, Ok("file".to_owned()));
    assert_eq!(server.requests()[0].header("Host"), Some(&*format!("localhost:{port}")));
}

#[tokio::test]
async fn nobody_listening_is_no_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let allowed = AllowedHosts::parse(&address.to_string()).unwrap();
    let fetcher = Fetcher::with_roots(allowed, LIMITS, rustls::RootCertStore::empty());
    assert_eq!(fetch(&fetcher, &format!("http://{address}/")).await, Err(NoAnswer));
}
