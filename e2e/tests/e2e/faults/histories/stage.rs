//! The server of the histories, its store, what stands between them, and its clients.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use share_e2e::process::Process;
use share_e2e::proxy::Proxy;
use share_e2e::samples::noise;
use share_e2e::store::new_secret;
use share_e2e::{Link, World};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{RwLock, RwLockReadGuard};

use super::check;
use super::plan::{ClientPlan, Plan, SIZES};
use crate::SERVER;

/// The server is killed each time that so many requests have been sent.
const REQUESTS_PER_LIFE: usize = 300;
/// A client gives up, and the history fails, after so many requests.
const MOST_REQUESTS: usize = 60;

pub(super) struct Stage {
    /// Whose DynamoDB and S3 the server uses.
    back: World,
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    data: TempDir,
    server: RwLock<Process>,
    requests: AtomicUsize,
    kills: AtomicUsize,
    files: Vec<(String, Vec<u8>)>,
    client_token: String,
    proxies: [Proxy; 2],
}

/// What a client has at its end.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) lease: Option<String>,
    pub(super) have: Vec<u8>,
    pub(super) won: bool,
    /// Requests without any lease whose answer did not arrive.
    pub(super) in_vain: usize,
    pub(super) refusal: String,
}

/// What came back over one connection.
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

/// A problem document, as far as it has come. No file here has a brace.
fn is_problem(body: &[u8]) -> bool {
    body.first().is_none_or(|first| *first == b'{')
}

impl Stage {
    pub(super) async fn start(seed: u64) -> Self {
        let back = World::start().await;
        let mut variables = back.server.backend().variables.clone();
        variables.extend(back.variables_of_store().await);
        let dynamodb = Proxy::start(
            &variables["AWS_ENDPOINT_URL_DYNAMODB"],
            "DynamoDB_20120810.TransactWriteItems",
        );
        let dynamodb = dynamodb.await;
        let s3 = Proxy::start(&variables["AWS_ENDPOINT_URL_S3"], "x-id=GetObject").await;
        variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), dynamodb.url.clone());
        variables.insert("AWS_ENDPOINT_URL_S3".to_owned(), s3.url.clone());
        let mut files = Vec::new();
        for (number, size) in SIZES.into_iter().enumerate() {
            let text: Vec<_> = noise(size).iter().map(|byte| byte % 64 + 32).collect();
            let answer = back.upload(&format!("{number}.txt"), &text).await;
            files.push((answer.is(201).id(), text));
        }
        let client_token = back.token("client").await;
        let data = TempDir::new().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let process = SERVER.front(any, data.path(), &variables);
        let address = process.address().parse().unwrap();
        dynamodb.disturb(10, 0..400, 100, seed);
        s3.cut(40, 0..200_000, seed);
        Self {
            back,
            variables,
            address,
            data,
            server: RwLock::new(process),
            requests: AtomicUsize::new(0),
            kills: AtomicUsize::new(0),
            files,
            client_token,
            proxies: [dynamodb, s3],
        }
    }

    /// Waits until the server is up. Counts a request, and kills the server in the middle of its
    /// life's last one.
    async fn up(&self) -> RwLockReadGuard<'_, Process> {
        if self.requests.fetch_add(1, Ordering::SeqCst) % REQUESTS_PER_LIFE == REQUESTS_PER_LIFE - 1
        {
            let mut server = self.server.write().await;
            server.kill();
            *server = SERVER.front(self.address, self.data.path(), &self.variables);
            self.kills.fetch_add(1, Ordering::SeqCst);
        }
        self.server.read().await
    }

    /// Sends a request on a connection of its own, and reads its answer to the end, or until
    /// `cut` bytes have come. `None` when not even the head came whole.
    async fn exchange(&self, request: &str, cut: Option<usize>) -> Option<Answer> {
        drop(self.up().await);
        let mut stream = TcpStream::connect(self.address).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let (mut bytes, mut piece) = (Vec::new(), vec![0; 16_384]);
        while cut.is_none_or(|cut| bytes.len() < cut) {
            match stream.read(&mut piece).await {
                Ok(length @ 1..) => bytes.extend_from_slice(&piece[..length]),
                _ => break,
            }
        }
        // Dropping the connection with bytes unread resets it.
        bytes.truncate(cut.unwrap_or(usize::MAX));
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers =
            headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Some(Answer { status, headers, body: bytes[end + 4..].to_vec() })
    }

    /// Asks for the file until it has all of it, or is refused for good.
    async fn download(&self, path: &str, plan: &ClientPlan, sent: &AtomicUsize) -> Client {
        let own = plan.own_lease.then(new_secret);
        let mut client = Client { lease: own, ..Client::default() };
        let mut cuts = plan.cuts.iter();
        for _ in 0..MOST_REQUESTS {
            let from = client.have.len();
            let lease = client.lease.as_ref().map(|lease| format!("Download-Lease: {lease}\r\n"));
            let range = (from > 0).then(|| format!("Range: bytes={from}-\r\n"));
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}{}\r\n",
                lease.unwrap_or_default(),
                range.unwrap_or_default(),
            );
            sent.fetch_add(1, Ordering::SeqCst);
            let answer = self.exchange(&request, cuts.next().copied()).await;
            let Some(answer) = answer else {
                client.in_vain += usize::from(client.lease.is_none());
                continue;
            };
            match answer.status {
                200 | 206 => {
                    let range = answer.headers.get("content-range");
                    let expected = format!("bytes {from}-");
                    assert!(
                        (answer.status == 200 && from == 0)
                            || range.is_some_and(|range| range.starts_with(&expected)),
                        "{range:?}"
                    );
                    client.won = true;
                    client.lease = Some(answer.headers["download-lease"].clone());
                    let length: usize = answer.headers["content-length"].parse().unwrap();
                    client.have.extend(&answer.body);
                    if answer.body.len() == length {
                        return client;
                    }
                }
                503 => assert!(is_problem(&answer.body), "bytes in a refusal"),
                _ => {
                    assert!(is_problem(&answer.body), "bytes in a refusal");
                    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                    let code = problem["code"].as_str().unwrap_or_default();
                    // A refusal that was cut tells nothing.
                    if !code.is_empty() {
                        return Client { refusal: code.to_owned(), ..client };
                    }
                }
            }
        }
        Client { refusal: "too many requests".to_owned(), ..client }
    }

    /// Revokes the link once its clients have sent so many requests; gives the status.
    async fn revoke(&self, id: &str, after: usize, sent: &AtomicUsize) -> u16 {
        while sent.load(Ordering::SeqCst) < after {
            tokio::task::yield_now().await;
        }
        self.back.revoke(id, &self.client_token).await.status.as_u16()
    }

    /// How many requests were sent, transactions collided, and servers were killed.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (count(&self.requests), self.proxies[0].collisions(), count(&self.kills))
    }

    /// Runs the history of this seed; what is wrong with it, if anything is.
    pub(super) async fn run(&self, seed: u64) -> Result<(), String> {
        let plan = Plan::of(seed);
        let (file_id, content) = &self.files[plan.file];
        // There are more histories than one account makes links in a day.
        self.back.store.forget_counts().await;
        let terms = json!({"max_downloads": plan.max_downloads});
        let link = Link::of(&self.back.link_with(file_id, &self.client_token, &terms).await);
        let path = self.back.path_of(&link.url);

        let sent = AtomicUsize::new(0);
        let downloads = plan.clients.iter().map(|client| self.download(path, client, &sent));
        let revoked = async {
            match plan.revoke_after {
                Some(after) => {
                    self.revoke(&link.id, after.min(plan.clients.len()), &sent).await == 204
                }
                None => false,
            }
        };
        let (clients, revoked) = tokio::join!(join_all(downloads), revoked);
        let late = self.download(path, &ClientPlan { own_lease: false, cuts: vec![] }, &sent).await;
        let history = check::History {
            max_downloads: plan.max_downloads,
            clients: &clients.iter().chain([&late]).collect::<Vec<_>>(),
            revoked,
            link: &link.id,
            content,
            store: &self.back.store,
        };
        history.check().await
    }
}
