//! What answers are accepted.

use share_fetch::FetchError::{BrokeOff, Compressed, InvalidAnswer, NoAnswer, Status, TooLarge};
use share_fetch::{FetchError, Limits, MAX_HEADER_BYTES, Validator};

use crate::server::{Cases, LIMITS, Server, Step, fetch, fetcher, send, source};

async fn outcome(steps: Vec<Step>) -> Result<String, FetchError> {
    let server = Server::answering(steps).await;
    let limits = Limits { max_bytes: 1_000, ..LIMITS };
    fetch(&fetcher(&server, "", limits), &server.url("/")).await
}

#[tokio::test]
async fn answers_that_are_accepted() {
    let mut cases = Cases::default();
    let thousand = "x".repeat(1_000);
    for (case, answer, body) in [
        ("a length", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfile".to_owned(), "file"),
        ("no length", "HTTP/1.1 200 OK\r\n\r\nfile".to_owned(), "file"),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nfile".to_owned(), "file"),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n2\r\nle\r\n0\r\n\r\n"
                .to_owned(),
            "file",
        ),
        (
            "chunks with trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfile\r\n0\r\nX: y\r\n\r\n"
                .to_owned(),
            "file",
        ),
        ("an empty file", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), ""),
        (
            "more bytes than the length",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfile and more".to_owned(),
            "file",
        ),
        (
            "an interim answer",
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfile"
                .to_owned(),
            "file",
        ),
        (
            "identity",
            "HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 4\r\n\r\nfile"
                .to_owned(),
            "file",
        ),
        (
            "exactly the largest size",
            format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{thousand}"),
            thousand.as_str(),
        ),
        (
            "the largest size without a length",
            format!("HTTP/1.1 200 OK\r\n\r\n{thousand}"),
            thousand.as_str(),
        ),
    ] {
        cases.expect(case, outcome(vec![send(answer)]).await, Ok(body.to_owned()));
    }
}

#[tokio::test]
async fn answers_that_are_refused_and_why() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}Transfer-Encoding: chunked\r\n\r\n");
    let with = |headers: &str| vec![send(format!("{ok}{headers}\r\n\r\nfile"))];
    let chunks = |chunks: &str| vec![send(format!("{chunked}{chunks}"))];
    let mut cases = Cases::default();
    for (case, steps, reason) in [
        ("closed at once", vec![], NoAnswer),
        ("closed within the status line", vec![send("HTTP/1.1 2")], NoAnswer),
        ("closed within the headers", vec![send("HTTP/1.1 200 OK\r\nContent-Le")], NoAnswer),
        ("no HTTP", vec![send("SSH-2.0-OpenSSH_9.9\r\n\r\n")], InvalidAnswer),
        ("HTTP/0.9", vec![send("file\r\n\r\n")], InvalidAnswer),
        ("HTTP/2 without being asked", vec![send("\0\0\0\x04\0\0\0\0\0")], InvalidAnswer),
        ("a status of two digits", vec![send("HTTP/1.1 20 OK\r\n\r\n")], InvalidAnswer),
        ("a null in a header", with("X: a\0b\r\nContent-Length: 4"), InvalidAnswer),
        ("a length that is no number", with("Content-Length: many"), InvalidAnswer),
        ("a negative length", with("Content-Length: -1"), InvalidAnswer),
        ("a length beyond 64 bits", with("Content-Length: 18446744073709551616"), InvalidAnswer),
        ("two lengths", with("Content-Length: 4\r\nContent-Length: 5"), InvalidAnswer),
        (
            "endless headers",
            vec![send(ok), Step::SendForever(b"X-More: of the same\r\n".to_vec())],
            InvalidAnswer,
        ),
        ("an endless header", vec![send(ok), Step::SendForever(vec![b'x'; 100])], InvalidAnswer),
        ("an endless status line", vec![Step::SendForever(vec![b'H'; 100])], InvalidAnswer),
        ("too many headers", with(&"X: y\r\n".repeat(101)), InvalidAnswer),
        ("shorter than its length", with("Content-Length: 5"), BrokeOff),
        ("no body at all", vec![send(format!("{ok}Content-Length: 5\r\n\r\n"))], BrokeOff),
        ("no last chunk", chunks("4\r\nfile\r\n"), BrokeOff),
        ("half a chunk", chunks("8\r\nfile"), BrokeOff),
        ("a chunk's size that is no number", chunks("4\r\nfile\r\nxyz\r\n"), BrokeOff),
        ("a chunk's size beyond 64 bits", chunks("FFFFFFFFFFFFFFFFF\r\nfile"), BrokeOff),
        ("no line end after a chunk", chunks("4\r\nfile!!0\r\n\r\n"), BrokeOff),
        ("a size above the limit", with("Content-Length: 1001"), TooLarge(1_000)),
        ("a size of 64 bits", with("Content-Length: 18446744073709551000"), TooLarge(1_000)),
        (
            "an endless body",
            vec![send(format!("{ok}\r\n")), Step::SendForever(vec![b'x'; 100])],
            TooLarge(1_000),
        ),
        (
            "endless chunks",
            vec![send(&chunked), Step::SendForever(b"1\r\nx\r\n".to_vec())],
            TooLarge(1_000),
        ),
        (
            "an endless chunk extension",
            vec![send(format!("{chunked}1;")), Step::SendForever(vec![b'x'; 100])],
            BrokeOff,
        ),
        (
            "endless trailers",
            vec![
                send(format!("{chunked}1\r\nx\r\n0\r\n")),
                Step::SendForever(b"X-More: of the same\r\n".to_vec()),
            ],
            BrokeOff,
        ),
        ("gzip", with("Content-Encoding: gzip"), Compressed),
        ("a bomb within a bomb", with("Content-Encoding: gzip, gzip"), Compressed),
        ("brotli", with("Content-Encoding: br\r\nContent-Length: 4"), Compressed),
        ("an unknown encoding", with("Content-Encoding: aws-chunked"), Compressed),
        (
            "identity and then gzip",
            with("Content-Encoding: identity\r\nContent-Encoding: gzip"),
            Compressed,
        ),
        (
            "gzip as the transfer's encoding",
            vec![send(format!(
                "{ok}Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nfile\r\n0\r\n\r\n"
            ))],
            Compressed,
        ),
        ("201", vec![send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")], Status(201)),
        ("204", vec![send("HTTP/1.1 204 No Content\r\n\r\n")], Status(204)),
        (
            "206 without being asked",
            vec![send(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/4\r\n\
                 Content-Length: 4\r\n\r\nfile",
            )],
            Status(206),
        ),
        ("401", vec![send("HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n")], Status(401)),
        ("404", vec![send("HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")], Status(404)),
        ("503", vec![send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")], Status(503)),
        ("999", vec![send("HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n")], Status(999)),
    ] {
        cases.expect(case, outcome(steps).await, Err(reason));
    }
}

#[tokio::test]
async fn headers_may_have_64_kib_but_not_a_multiple() {
    let answer = |length: usize| {
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
        let end = "\r\n\r\n";
        let value = "x".repeat(length - start.len() - end.len());
        vec![send(format!("{start}{value}{end}"))]
    };
    assert_eq!(outcome(answer(MAX_HEADER_BYTES - 1)).await, Ok(String::new()));
    assert_eq!(outcome(answer(3 * MAX_HEADER_BYTES)).await, Err(InvalidAnswer));
}

#[tokio::test]
async fn an_answer_tells_name_length_and_validator() {
    let date = "Tue, 01 Sep 2026 10:00:00 GMT";
    let mut cases = Cases::default();
    for (case, headers, length, validator) in [
        ("nothing", String::new(), None, None),
        ("a length", "Content-Length: 4\r\n".to_owned(), Some(4), None),
        ("a strong tag", "ETag: \"a b\"\r\n".to_owned(), None, None),
        ("a strong tag without spaces", "ETag: \"ab\"\r\n".to_owned(), None, Some("\"ab\"")),
        ("an empty tag", "ETag: \"\"\r\n".to_owned(), None, Some("\"\"")),
        ("a weak tag", "ETag: W/\"ab\"\r\n".to_owned(), None, None),
        ("a tag without quotes", "ETag: ab\r\n".to_owned(), None, None),
        ("a date without a clock", format!("Last-Modified: {date}\r\n"), None, None),
        (
            "a date of the same second",
            format!("Last-Modified: {date}\r\nDate: {date}\r\n"),
            None,
            None,
        ),
        (
            "a date of a second before",
            format!("Last-Modified: {date}\r\nDate: Tue, 01 Sep 2026 10:00:01 GMT\r\n"),
            None,
            Some(date),
        ),
        (
            "a date that is none",
            "Last-Modified: yesterday\r\nDate: Tue, 01 Sep 2026 10:00:01 GMT\r\n".to_owned(),
            None,
            None,
        ),
        (
            "a weak tag and a date",
            format!(
                "ETag: W/\"a\"\r\nLast-Modified: {date}\r\nDate: Wed, 02 Sep 2026 10:00:00 GMT\r\n"
            ),
            None,
            Some(date),
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\nfile");
        let server = Server::answering(vec![send(answer)]).await;
        let url = server.url("/folder/a%20b.txt");
        let fetched = fetcher(&server, "", LIMITS).fetch(&source(&url)).await.unwrap();
        cases.expect(case, fetched.length, length);
        cases.expect(case, fetched.validator.as_ref().map(Validator::as_str), validator);
        cases.expect(case, fetched.file_name.as_deref(), Some("a b.txt"));
        cases.expect(case, fetched.starts_at, 0);
    }
}

#[tokio::test]
async fn the_name_is_that_of_the_last_address() {
    let server = Server::start(|request| match request.target.as_str() {
        "/start" => crate::server::redirect("/end.pdf"),
        _ => vec![send(crate::server::FILE)],
    })
    .await;
    let url = source(&server.url("/start"));
    let fetched = fetcher(&server, "", LIMITS).fetch(&url).await.unwrap();
    assert_eq!(fetched.file_name.as_deref(), Some("end.pdf"));
}

#[test]
fn reasons_say_what_the_user_needs_and_no_more() {
    let mut cases = Cases::default();
    for (reason, sentence, passing) in [
        (FetchError::NotAUrl, "the address is not a valid URL", false),
        (FetchError::TooLong, "the address is longer than 2,048 characters", false),
        (FetchError::SchemeNotAllowed, "the address must begin with https://", false),
        (FetchError::UserInfo, "the address must not contain a username or a password", false),
        (FetchError::HostNotAllowed, "the host is not allowed", false),
        (FetchError::AddressNotPublic, "the host has no public address", false),
        (FetchError::HostNotFound, "the host was not found", true),
        (NoAnswer, "the host did not answer", true),
        (FetchError::NotTrusted, "no trusted connection to the host was possible", false),
        (InvalidAnswer, "the host sent an answer that is not valid HTTP", false),
        (FetchError::TooManyRedirects, "the host redirects too often", false),
        (Status(404), "the host answered with status 404", false),
        (Status(408), "the host answered with status 408", true),
        (Status(429), "the host answered with status 429", true),
        (Status(501), "the host answered with status 501", false),
        (Status(503), "the host answered with status 503", true),
        (Compressed, "the host sent the file compressed", false),
        (
            FetchError::NotShared,
            "the link leads to a page: share the file with everyone who has the link",
            false,
        ),
        (TooLarge(1_000), "the file is larger than 1000 bytes", false),
        (FetchError::TooSlow, "the transfer was too slow", true),
        (BrokeOff, "the transfer broke off", true),
    ] {
        cases.expect(sentence, reason.to_string(), sentence.to_owned());
        cases.expect(sentence, reason.is_passing(), passing);
    }
}
