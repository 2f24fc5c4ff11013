//! Continuing a file.

use share_fetch::FetchError::{self, BrokeOff, Status, TooLarge};
use share_fetch::{Limits, Validator};

use crate::server::{Cases, LIMITS, Server, Step, fetcher, send, source, whole};

const TAG: &str = "\"v1\"";
const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";

/// What comes when the fetch continues at offset 4: where it starts, and the body.
async fn continued(answer: Vec<Step>, validator: &str) -> Result<(u64, String), FetchError> {
    let server = Server::start(move |request| match request.header("Range") {
        Some(range) => {
            assert_eq!(range, "bytes=4-");
            answer.clone()
        }
        None => vec![send(WHOLE)],
    })
    .await;
    let limits = Limits { max_bytes: 10, ..LIMITS };
    let validator = Validator::parse(validator).unwrap();
    let source = source(&server.url("/"));
    let fetched = fetcher(&server, "", limits).fetch_from(&source, 4, &validator).await?;
    Ok((fetched.starts_at, whole(fetched).await?))
}

#[tokio::test]
async fn answers_to_a_request_for_the_rest() {
    let date = "Tue, 01 Sep 2026 10:00:00 GMT";
    let partial = |headers: &str, body: &str| {
        vec![send(format!("HTTP/1.1 206 Partial Content\r\n{headers}\r\n\r\n{body}"))]
    };
    let rest = || Ok((4, "456789".to_owned()));
    let anew = || Ok((0, "0123456789".to_owned()));
    let range = "Content-Range: bytes 4-9/10";
    let mut cases = Cases::default();
    for (case, answer, validator, want) in [
        ("the rest", partial(&format!("{range}\r\nContent-Length: 6"), "456789"), TAG, rest()),
        ("the rest without a length", partial(range, "456789"), TAG, rest()),
        (
            "the rest and the same tag",
            partial(&format!("{range}\r\nETag: {TAG}"), "456789"),
            TAG,
            rest(),
        ),
        (
            "the rest and the same date",
            partial(&format!("{range}\r\nLast-Modified: {date}"), "456789"),
            date,
            rest(),
        ),
        (
            "the rest in chunks",
            partial(&format!("{range}\r\nTransfer-Encoding: chunked"), "6\r\n456789\r\n0\r\n\r\n"),
            TAG,
            rest(),
        ),
        ("the whole", vec![send(WHOLE)], TAG, anew()),
        (
            "the rest of another tag",
            partial(&format!("{range}\r\nETag: \"v2\""), "xxxxxx"),
            TAG,
            anew(),
        ),
        (
            "the rest of a weak tag",
            partial(&format!("{range}\r\nETag: W/\"v1\""), "xxxxxx"),
            TAG,
            anew(),
        ),
        (
            "the rest of another date",
            partial(&format!("{range}\r\nLast-Modified: Wed, 02 Sep 2026 10:00:00 GMT"), "xxxxxx"),
            date,
            anew(),
        ),
        ("no range", partial("Content-Length: 6", "456789"), TAG, anew()),
        ("from an earlier offset", partial("Content-Range: bytes 3-9/10", "3456789"), TAG, anew()),
        ("from a later offset", partial("Content-Range: bytes 5-9/10", "56789"), TAG, anew()),
        ("not to the end", partial("Content-Range: bytes 4-8/10", "45678"), TAG, anew()),
        ("beyond the end", partial("Content-Range: bytes 4-10/10", "456789x"), TAG, anew()),
        ("an unknown size", partial("Content-Range: bytes 4-9/*", "456789"), TAG, anew()),
        (
            "an end beyond 64 bits",
            partial("Content-Range: bytes 4-18446744073709551615/0", ""),
            TAG,
            anew(),
        ),
        ("no numbers", partial("Content-Range: bytes x-y/z", "456789"), TAG, anew()),
        ("another unit", partial("Content-Range: lines 4-9/10", "456789"), TAG, anew()),
        (
            "another length than the range",
            partial(&format!("{range}\r\nContent-Length: 5"), "45678"),
            TAG,
            anew(),
        ),
        (
            "several ranges",
            partial("Content-Type: multipart/byteranges; boundary=x", "--x\r\n"),
            TAG,
            anew(),
        ),
        (
            "beyond the end of the file",
            vec![send("HTTP/1.1 416 X\r\nContent-Range: bytes */3\r\nContent-Length: 0\r\n\r\n")],
            TAG,
            anew(),
        ),
        ("too few bytes", partial(range, "45678"), TAG, Err(BrokeOff)),
        (
            "too few bytes in chunks",
            partial(&format!("{range}\r\nTransfer-Encoding: chunked"), "1\r\n4\r\n0\r\n\r\n"),
            TAG,
            Err(BrokeOff),
        ),
        (
            "a file that is too large",
            partial("Content-Range: bytes 4-10/11", "456789x"),
            TAG,
            Err(TooLarge(10)),
        ),
        (
            "more bytes than the range",
            partial("Content-Range: bytes 4-7/8", &format!("4567{}", "!".repeat(100))),
            TAG,
            Err(BrokeOff),
        ),
        ("404", vec![send("HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")], TAG, Err(Status(404))),
    ] {
        cases.expect(case, continued(answer, validator).await, want);
    }
}

#[tokio::test]
async fn the_rest_is_asked_for_on_condition_that_the_file_is_the_same() {
    let server = Server::start(|request| match request.target.as_str() {
        "/start" => crate::server::redirect("/file"),
        _ => vec![send(WHOLE)],
    })
    .await;
    let validator = Validator::parse(TAG).unwrap();
    let source = source(&server.url("/start"));
    fetcher(&server, "", LIMITS).fetch_from(&source, 7, &validator).await.unwrap();
    for request in server.requests() {
        assert_eq!(request.header("Range"), Some("bytes=7-"));
        assert_eq!(request.header("If-Range"), Some(TAG));
    }
}

#[test]
fn validators_are_strong_tags_and_dates() {
    let mut cases = Cases::default();
    for (text, valid) in [
        ("\"v1\"", true),
        ("\"\"", true),
        ("Tue, 01 Sep 2026 10:00:00 GMT", true),
        ("W/\"v1\"", false),
        ("v1", false),
        ("\"", false),
        ("\"a\"b\"", false),
        ("\"a\r\nX: y\"", false),
        ("", false),
    ] {
        let parsed = Validator::parse(text);
        cases.expect(text, parsed.is_ok(), valid);
        if let Ok(parsed) = parsed {
            cases.expect(text, parsed.as_str(), text);
        }
    }
}
