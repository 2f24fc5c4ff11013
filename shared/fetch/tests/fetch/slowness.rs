//! Hosts that are slow on purpose.

use std::time::Duration;

use share_fetch::FetchError::{NoAnswer, TooSlow};
use share_fetch::{FetchError, Limits};

use crate::server::{Cases, LIMITS, Server, Step, fetch, fetcher, send, source, whole};

const SHORT: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(20);

async fn outcome(steps: Vec<Step>, limits: Limits) -> Result<String, FetchError> {
    let server = Server::answering(steps).await;
    fetch(&fetcher(&server, "", limits), &server.url("/")).await
}

#[tokio::test]
async fn slow_hosts_are_left_and_why() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let length = format!("{ok}Content-Length: 1000\r\n\r\n");
    let chunked = format!("{ok}Transfer-Encoding: chunked\r\n\r\n");
    let headers = Limits { headers: SHORT, ..LIMITS };
    let idle = Limits { idle: SHORT, ..LIMITS };
    let speed = Limits { min_speed: 10_000, speed_window: SHORT, ..LIMITS };
    let drip = |text: &str| Step::Drip(text.as_bytes().to_vec(), PAUSE);
    let mut cases = Cases::default();
    for (case, steps, limits, reason) in [
        ("silence", vec![Step::Wait], headers, NoAnswer),
        ("silence within the headers", vec![send(ok), Step::Wait], headers, NoAnswer),
        (
            "headers that drip",
            vec![drip(&format!("{ok}X: {}", "x".repeat(500)))],
            headers,
            NoAnswer,
        ),
        (
            "interim answers without end",
            vec![Step::Drip(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100), PAUSE / 20)],
            headers,
            NoAnswer,
        ),
        ("silence instead of a body", vec![send(&length), Step::Wait], idle, TooSlow),
        ("silence within a body", vec![send(format!("{length}x")), Step::Wait], idle, TooSlow),
        (
            "silence before the last chunk",
            vec![send(format!("{chunked}1\r\nx\r\n")), Step::Wait],
            idle,
            TooSlow,
        ),
        (
            "silence within a chunk's size",
            vec![send(format!("{chunked}1\r\nx\r\n1")), Step::Wait],
            idle,
            TooSlow,
        ),
        (
            "a chunk's size that drips",
            vec![send(&chunked), Step::Drip(vec![b'0'; 500], PAUSE)],
            idle,
            TooSlow,
        ),
        ("a body that drips", vec![send(&length), drip(&"x".repeat(1_000))], speed, TooSlow),
        ("chunks that drip", vec![send(&chunked), drip(&"1\r\nx\r\n".repeat(500))], speed, TooSlow),
        (
            "a body that begins fast and then drips",
            vec![
                send(format!("{ok}Content-Length: 50100\r\n\r\n{}", "x".repeat(50_000))),
                drip(&"x".repeat(100)),
            ],
            speed,
            TooSlow,
        ),
    ] {
        cases.expect(case, outcome(steps, limits).await, Err(reason));
    }
}

#[tokio::test]
async fn a_transfer_above_the_minimum_speed_goes_on() {
    let limits = Limits { min_speed: 5, speed_window: Duration::from_millis(50), ..LIMITS };
    let body = "x".repeat(20);
    let steps = vec![
        send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"),
        Step::Drip(body.clone().into_bytes(), PAUSE),
    ];
    assert_eq!(outcome(steps, limits).await, Ok(body));
}

#[tokio::test]
async fn the_time_of_a_slow_reader_does_not_count() {
    let window = Duration::from_millis(500);
    let limits = Limits { min_speed: 1_000_000, speed_window: window, ..LIMITS };
    let server = Server::answering(vec![
        send("HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n"),
        send(vec![b'x'; 500_000]),
    ])
    .await;
    let source = source(&server.url("/"));
    let mut fetched = fetcher(&server, "", limits).fetch(&source).await.unwrap();
    let first = fetched.body.chunk().await.unwrap().unwrap();
    // The reader's own time, not a wait for something to happen.
    tokio::time::sleep(window + PAUSE).await;
    assert_eq!(first.len() + whole(fetched).await.unwrap().len(), 500_000);
}
