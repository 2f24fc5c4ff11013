//! A host on the Internet, as far as imports can tell, which sends what a test says.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What the host does after it has read a request. Then it closes the connection.
pub enum Step {
    Send(Vec<u8>),
    /// Again and again until the client leaves.
    SendForever(Vec<u8>),
    /// Nothing until the client leaves.
    Wait,
    /// Nothing until the test adds a permit.
    WaitFor(Arc<Semaphore>),
}

/// A request's line and headers.
#[derive(Debug, Clone)]
pub struct Asked {
    head: String,
}

type Handler = dyn Fn(&Asked) -> Vec<Step> + Send + Sync;

/// A host on loopback. It goes with this.
pub struct Origin {
    /// Address and port, as `IMPORT_ALLOWED_HOSTS` lists it.
    pub host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    _tasks: JoinSet<()>,
}

impl Asked {
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let mut named = headers.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value).unwrap_or_default()
    }

    /// The first byte that is asked for: 0 of the whole file.
    pub fn offset(&self) -> usize {
        let range = self.header("range").strip_prefix("bytes=");
        range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }
}

impl Origin {
    pub async fn start(handler: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let mut tasks = JoinSet::new();
        let seen = Arc::clone(&asked);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, handler) = (Arc::clone(&seen), Arc::clone(&handler));
                // The client may leave at any moment.
                connections.spawn(async move { drop(answer(stream, &seen, &*handler).await) });
            }
        });
        Self { host, asked, _tasks: tasks }
    }

    /// One that answers every request with this file, under the name of its address.
    pub async fn of(content: Vec<u8>) -> Self {
        Self::start(move |_| vec![whole("", &content)]).await
    }

    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.host)
    }

    /// What it has been asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Asked>>,
    handler: &Handler,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let asked = Asked { head: String::from_utf8(head).unwrap() };
    let steps = handler(&asked);
    seen.lock().unwrap().push(asked);
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).await?,
            Step::SendForever(bytes) => loop {
                stream.write_all(&bytes).await?;
            },
            Step::Wait => drop(stream.read_u8().await),
            Step::WaitFor(permits) => permits.acquire().await.unwrap().forget(),
        }
    }
    stream.shutdown().await
}

/// A whole file. `headers` end with a line break each.
pub fn whole(headers: &str, content: &[u8]) -> Step {
    part(headers, content, 0)
}

/// A file from its byte `offset` on.
pub fn part(headers: &str, content: &[u8], offset: usize) -> Step {
    let mut answer = head(headers, content, offset);
    answer.extend_from_slice(&content[offset..]);
    Step::Send(answer)
}

/// A file from its byte `offset` on, of which the connection ends at byte `end`.
pub fn cut(headers: &str, content: &[u8], offset: usize, end: usize) -> Step {
    let mut answer = head(headers, content, offset);
    answer.extend_from_slice(&content[offset..end]);
    Step::Send(answer)
}

fn head(headers: &str, content: &[u8], offset: usize) -> Vec<u8> {
    let (size, rest) = (content.len(), content.len() - offset);
    let first = if offset == 0 {
        "200 OK\r\n".to_owned()
    } else {
        format!("206 Partial Content\r\nContent-Range: bytes {offset}-{}/{size}\r\n", size - 1)
    };
    format!("HTTP/1.1 {first}{headers}Content-Length: {rest}\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

/// An answer without a body.
pub fn status(status: &str, headers: &str) -> Step {
    let answer =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
    Step::Send(answer.into_bytes())
}
