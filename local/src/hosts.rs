//! Which hosts are served, so that no website can reach a server on loopback by giving its own name
//! the address 127.0.0.1 (DNS rebinding).

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Request, Uri};

/// Names of this machine, which no name server can give to another one.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether an address is given to others whose host is not this machine.
pub(crate) fn is_elsewhere(public_url: Option<&Uri>) -> bool {
    let host = public_url.and_then(Uri::host);
    host.is_some_and(|host| !LOOPBACK.iter().any(|own| own.eq_ignore_ascii_case(host)))
}

/// Whether a request asks for this machine or for the host of `public_url`, at any port.
pub(crate) fn serves<B>(request: &Request<B>, public_url: Option<&Uri>) -> bool {
    let serves = |host: &str| {
        let served = LOOPBACK.into_iter().chain(public_url.and_then(Uri::host));
        served.into_iter().any(|served| served.eq_ignore_ascii_case(host))
    };
    let named = |value: &HeaderValue| {
        let authority = value.to_str().ok()?.parse::<Authority>().ok()?;
        Some(serves(authority.host()))
    };
    let mut headers = request.headers().get_all(HOST).into_iter().peekable();
    headers.peek().is_some()
        && headers.all(|value| named(value) == Some(true))
        && request.uri().host().is_none_or(serves)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks_for(hosts: &[&str], uri: &str) -> bool {
        let request = Request::get(uri);
        let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
        serves(&request.body(()).unwrap(), Some(&Uri::from_static("https://files.example.com/v1")))
    }

    #[test]
    fn this_machine_and_the_public_host_are_served_at_any_port() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "[::1]", "files.example.com"] {
            assert!(asks_for(&[host], "/"), "{host}");
            assert!(asks_for(&[&format!("{host}:81")], "/"), "{host}:81");
        }
        assert!(asks_for(&["localhost"], "http://localhost:3000/"));
    }

    #[test]
    fn an_address_with_another_host_leads_elsewhere() {
        let elsewhere = |url: &'static str| is_elsewhere(Some(&Uri::from_static(url)));
        assert!(elsewhere("https://files.example.com/v1"));
        assert!(!elsewhere("http://localhost:3000") && !elsewhere("http://[::1]:3000"));
        assert!(!is_elsewhere(None));
    }

    #[test]
    fn other_hosts_are_not_served() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:3000",
            "127.0.0.1.nip.io",
            "localhost.",
            "127.0.0.2",
            "192.0.2.1",
            "::1",
            "",
            "localhost/",
            "localhost, evil.example",
        ] {
            assert!(!asks_for(&[host], "/"), "{host}");
        }
        assert!(!asks_for(&[], "/"), "no host at all");
        assert!(!asks_for(&["localhost", "evil.example"], "/"));
        assert!(!asks_for(&["localhost"], "http://evil.example/"));
    }
}
