//! Which addresses are refused before any connection, and which lists of hosts.

use share_fetch::FetchError::{self, HostNotAllowed, NotAUrl, SchemeNotAllowed, TooLong, UserInfo};
use share_fetch::{AllowedHosts, Source};

use crate::server::Cases;

const LISTED: &str = "docs.google.com,*.googleusercontent.com,bücher.example,\
                      files.example.com:8443,127.0.0.1:9000,[::1]:9000,localhost:9000";

fn parse(url: &str) -> Result<(), FetchError> {
    Source::parse(url, &AllowedHosts::parse(LISTED).unwrap()).map(drop)
}

#[test]
fn urls_that_are_refused_and_why() {
    let mut cases = Cases::default();
    for (case, url, reason) in [
        ("empty", "", NotAUrl),
        ("no scheme", "docs.google.com/x", NotAUrl),
        ("a path", "/etc/passwd", NotAUrl),
        ("no host", "https://", NotAUrl),
        ("a port too large", "https://docs.google.com:65536/", NotAUrl),
        ("five numbers", "https://1.2.3.4.5/", NotAUrl),
        ("a space in the host", "https://docs.google.com evil.com/", NotAUrl),
        ("a null in the host", "https://docs.google.com\0.evil.com/", NotAUrl),
        ("http", "http://docs.google.com/x", SchemeNotAllowed),
        ("http on port 443", "http://docs.google.com:443/x", SchemeNotAllowed),
        ("file", "file:///etc/passwd", SchemeNotAllowed),
        ("file on a host", "file://docs.google.com/etc/passwd", SchemeNotAllowed),
        ("ftp", "ftp://docs.google.com/x", SchemeNotAllowed),
        ("gopher", "gopher://127.0.0.1:9000/_x", SchemeNotAllowed),
        ("data", "data:text/plain,x", SchemeNotAllowed),
        ("javascript", "javascript:alert(1)", SchemeNotAllowed),
        ("a web socket", "wss://docs.google.com/", SchemeNotAllowed),
        ("a username", "https://user@docs.google.com/", UserInfo),
        ("a password alone", "https://:secret@docs.google.com/", UserInfo),
        ("a username that looks like a host", "https://docs.google.com@evil.com/", UserInfo),
        ("a username, with a backslash", "https://docs.google.com:x@evil.com\\@a", UserInfo),
        ("another host", "https://evil.com/", HostNotAllowed),
        ("a backslash after the host", "https://evil.com\\@docs.google.com/", HostNotAllowed),
        ("a fragment after the host", "https://evil.com#@docs.google.com/", HostNotAllowed),
        ("a query after the host", "https://evil.com?docs.google.com", HostNotAllowed),
        ("another port", "https://docs.google.com:8443/", HostNotAllowed),
        ("a subdomain of a name", "https://x.docs.google.com/", HostNotAllowed),
        ("a name as a subdomain", "https://docs.google.com.evil.com/", HostNotAllowed),
        ("a name that ends alike", "https://evildocs.google.com/", HostNotAllowed),
        ("a pattern's parent", "https://googleusercontent.com/", HostNotAllowed),
        ("a pattern's end alone", "https://evilgoogleusercontent.com/", HostNotAllowed),
        ("an empty subdomain", "https://.googleusercontent.com/", HostNotAllowed),
        ("a pattern as a subdomain", "https://a.googleusercontent.com.evil.com/", HostNotAllowed),
        ("a dot at the end", "https://docs.google.com./", HostNotAllowed),
        ("a Cyrillic о", "https://dоcs.google.com/", HostNotAllowed),
        ("a listed host without its port", "https://files.example.com/", HostNotAllowed),
        ("loopback", "https://127.0.0.1/", HostNotAllowed),
        ("loopback, another port", "http://127.0.0.1:9001/", HostNotAllowed),
        ("loopback, another address", "http://127.0.0.2:9000/", HostNotAllowed),
        ("loopback, hexadecimal", "https://0x7f.1/", HostNotAllowed),
        ("loopback, octal", "https://0177.0.0.1/", HostNotAllowed),
        ("loopback as one number", "https://2130706433/", HostNotAllowed),
        ("loopback, short", "https://127.1/", HostNotAllowed),
        ("loopback, full-width digits", "https://１２７.0.0.1/", HostNotAllowed),
        ("loopback, percent-encoded", "https://%31%32%37.0.0.1/", HostNotAllowed),
        ("loopback, v6", "https://[::1]/", HostNotAllowed),
        ("loopback, mapped", "http://[::ffff:127.0.0.1]:9000/", HostNotAllowed),
        ("localhost without a port", "https://localhost/", HostNotAllowed),
        ("a subdomain of localhost", "http://x.localhost:9000/", HostNotAllowed),
        ("localhost with a dot", "http://localhost.:9000/", HostNotAllowed),
        ("unspecified", "http://0:9000/", HostNotAllowed),
        ("metadata", "http://169.254.169.254/latest/meta-data/", HostNotAllowed),
        ("metadata as one number", "https://2852039166/", HostNotAllowed),
        ("metadata, v6", "https://[fd00:ec2::254]/", HostNotAllowed),
    ] {
        cases.expect(case, parse(url), Err(reason));
    }
}

#[test]
fn urls_that_are_allowed() {
    let mut cases = Cases::default();
    for (case, url) in [
        ("a listed name", "https://docs.google.com/x"),
        ("its port written out", "https://docs.google.com:443/x"),
        ("upper case", "HTTPS://DOCS.GOOGLE.COM/x"),
        ("full-width letters", "https://ｄｏｃｓ.google.com/x"),
        ("white space around", " https://docs.google.com/x\n"),
        ("an empty username", "https://@docs.google.com/x"),
        ("a subdomain", "https://a.googleusercontent.com/x"),
        ("a subdomain of a subdomain", "https://a.b.googleusercontent.com/x"),
        ("IDNA", "https://xn--bcher-kva.example/x"),
        ("IDNA, as typed", "https://BÜCHER.example/x"),
        ("a name with its port", "https://files.example.com:8443/x"),
        ("http to a name with its port", "http://files.example.com:8443/x"),
        ("loopback that is listed", "http://127.0.0.1:9000/x"),
        ("the same as one number", "http://2130706433:9000/x"),
        ("loopback that is listed, v6", "http://[0:0::1]:9000/x"),
        ("localhost that is listed", "https://localhost:9000/x"),
    ] {
        cases.expect(case, parse(url), Ok(()));
    }
}

#[test]
fn an_address_has_at_most_2048_bytes() {
    let start = "https://docs.google.com/";
    let of = |length: usize| format!("{start}{}", "x".repeat(length - start.len()));
    assert_eq!(parse(&of(2_048)), Ok(()));
    assert_eq!(parse(&of(2_049)), Err(TooLong));
}

#[test]
fn a_share_link_is_refused_when_the_host_of_its_export_is_not_listed() {
    let share = "https://drive.google.com/file/d/1a2b3c/view";
    let parse = |list: &str| Source::parse(share, &AllowedHosts::parse(list).unwrap()).map(drop);
    assert_eq!(parse("drive.google.com"), Err(HostNotAllowed));
    assert_eq!(parse("drive.google.com,drive.usercontent.google.com"), Ok(()));
}

#[test]
fn the_default_list_is_the_default() {
    assert_eq!(AllowedHosts::parse(AllowedHosts::DEFAULT), Ok(AllowedHosts::default()));
}

#[test]
fn the_empty_list_allows_nothing() {
    let nothing = AllowedHosts::parse(" ").unwrap();
    let refused = Source::parse("https://docs.google.com/", &nothing);
    assert_eq!(refused.map(drop), Err(HostNotAllowed));
}

#[test]
fn lists_that_are_refused() {
    let mut cases = Cases::default();
    for list in [
        ",",
        "docs.google.com,",
        "https://docs.google.com",
        "docs.google.com/x",
        "*",
        "*.",
        "a*.com",
        "x.*.com",
        "*.*.com",
        "*.example.com:443",
        "*.127.0.0.1",
        "user@docs.google.com",
        "a b",
        "docs.google.com:",
        "docs.google.com:0",
        "docs.google.com:65536",
        "docs.google.com:https",
        "docs.google.com:-1",
        "::1",
        "::1:9000",
        "[::1]",
        "127.0.0.1",
        "2130706433",
        "localhost",
        "LOCALHOST",
        ":9000",
        "[::1:9000",
    ] {
        cases.expect(list, AllowedHosts::parse(list).is_err(), true);
    }
}

#[test]
fn a_source_shows_its_host_alone() {
    let allowed = AllowedHosts::parse("docs.google.com").unwrap();
    let source = Source::parse("https://docs.google.com/secret?key=secret", &allowed).unwrap();
    assert_eq!(format!("{source:?}"), "Source(docs.google.com)");
}
