//! A host that sends what a test says, byte for byte, and how to fetch from it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::RootCertStore;
use share_fetch::{AllowedHosts, FetchError, Fetched, Fetcher, Limits, Source};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What the host does after it has read a request. Then it closes the connection.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// One byte at a time, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Again and again until the client leaves.
    SendForever(Vec<u8>),
    /// Nothing until the client leaves.
    Wait,
}

pub(crate) fn send(text: impl AsRef<[u8]>) -> Step {
    Step::Send(text.as_ref().to_vec())
}

/// A complete answer with the body `file`.
pub(crate) const FILE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfile";

pub(crate) fn redirect(location: &str) -> Vec<Step> {
    vec![send(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))]
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The request line and the headers.
    pub(crate) head: String,
    /// Path and query.
    pub(crate) target: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

type Handler = dyn Fn(&Request) -> Vec<Step> + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    tls: bool,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<Request>,
}

impl Server {
    pub(crate) async fn answering(steps: Vec<Step>) -> Self {
        Self::start(move |_| steps.clone()).await
    }

    pub(crate) async fn start(
        handler: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(handler, None).await
    }

    pub(crate) async fn start_tls(acceptor: TlsAcceptor) -> Self {
        Self::listen(|_| vec![send(FILE)], Some(acceptor)).await
    }

    pub(crate) async fn listen(
        handler: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let handler: Arc<Handler> = Arc::new(handler);
        let mut tasks = JoinSet::new();
        let is_tls = tls.is_some();
        tasks.spawn({
            let seen = Arc::clone(&seen);
            async move {
                let mut connections = JoinSet::new();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    seen.lock().unwrap().connections += 1;
                    let (seen, handler, tls) = (seen.clone(), handler.clone(), tls.clone());
                    connections.spawn(async move {
                        // The client may leave at any moment.
                        serve(stream, tls, &seen, handler.as_ref()).await.ok();
                    });
                }
            }
        });
        Self { address, seen, tls: is_tls, _tasks: tasks }
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("{}://{}{target}", if self.tls { "https" } else { "http" }, self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    seen: &Mutex<Seen>,
    handler: &Handler,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => answer(tls.accept(stream).await?, seen, handler).await,
        None => answer(stream, seen, handler).await,
    }
}

async fn answer<S>(mut stream: S, seen: &Mutex<Seen>, handler: &Handler) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let request = Request { head, target };
    let steps = handler(&request);
    seen.lock().unwrap().requests.push(request);
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).await?,
            Step::Drip(bytes, pause) => {
                for byte in bytes {
                    tokio::time::sleep(pause).await;
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                }
            }
            Step::SendForever(bytes) => loop {
                stream.write_all(&bytes).await?;
            },
            Step::Wait => {
                stream.flush().await?;
                stream.read_u8().await?;
            }
        }
    }
    stream.shutdown().await
}

/// Limits that no test meets by accident.
pub(crate) const LIMITS: Limits = Limits {
    max_bytes: 1_000_000,
    connect: Duration::from_secs(20),
    headers: Duration::from_secs(20),
    idle: Duration::from_secs(20),
    min_speed: 1,
    speed_window: Duration::from_secs(20),
};

/// May fetch from the server and from the listed hosts, and finds no name.
pub(crate) fn fetcher(server: &Server, also: &str, limits: Limits) -> Fetcher {
    let list = [&server.address.to_string(), also].map(str::to_owned).join(",");
    let allowed = AllowedHosts::parse(list.trim_end_matches(',')).unwrap();
    Fetcher::with_roots(allowed, limits, RootCertStore::empty())
        .with_resolver(|_| async { Err::<Vec<IpAddr>, _>(io::ErrorKind::NotFound.into()) })
}

/// The address as a source, read with a list that allows it.
pub(crate) fn source(url: &str) -> Source {
    let parsed = url::Url::parse(url).unwrap();
    let name = parsed.host_str().unwrap();
    let entry = match parsed.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    Source::parse(url, &AllowedHosts::parse(&entry).unwrap()).unwrap()
}

/// Fetches the whole file.
pub(crate) async fn fetch(fetcher: &Fetcher, url: &str) -> Result<String, FetchError> {
    whole(fetcher.fetch(&source(url)).await?).await
}

pub(crate) async fn whole(mut fetched: Fetched) -> Result<String, FetchError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = fetched.body.chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Fails with every case whose outcome is not the expected one.
#[derive(Default)]
pub(crate) struct Cases(Vec<String>);

impl Cases {
    #[expect(clippy::needless_pass_by_value, reason = "reads like a row of the table")]
    pub(crate) fn expect<T: std::fmt::Debug + PartialEq>(&mut self, case: &str, got: T, want: T) {
        if got != want {
            self.0.push(format!("{case}: {got:?} instead of {want:?}"));
        }
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{}", self.0.join("\n"));
        }
    }
}
