//! Random histories of one link each, checked against what a link promises.
//!
//! In a history up to 64 clients ask for one link's file at the same time. Their connections are
//! cut at random bytes, answers of DynamoDB are lost, its transactions collide, answers of S3 are cut
//! short, the server is killed (`kill -9`) and started again, and some links are taken back on the
//! way. However it goes:
//!
//! - exactly `max_downloads` clients win, or all of them when there are fewer. Only a client whose
//!   connection was cut before it knew its lease, and who brought none, may have won in vain;
//! - each winner ends with the file's very bytes, unless its link was taken back meanwhile;
//! - nobody else gets one byte;
//! - every byte that a client has is accounted for in the link's receipts, and their chain holds.
//!
//! A seed decides everything but the order in which machine and network let things happen. A
//! failure prints it; `HISTORY_SEED=<seed> cargo test -p share-e2e histories` runs that history
//! fifty times.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use share_auth::OpaqueSecret;
use share_e2e::process::Process;
use share_e2e::proxy::Proxy;
use share_e2e::samples::{noise, sha256};
use share_e2e::{World, send, store};
use share_model::{LinkId, Receipt, ReceiptEvent};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{RwLock, RwLockReadGuard};

const BINARY: &str = env!("CARGO_BIN_EXE_share-e2e-server");
const HISTORIES: u64 = 2000;
/// Histories that run at the same time, over one server.
const AT_ONCE: usize = 12;
/// The server is killed each time that so many requests have been sent.
const REQUESTS_PER_LIFE: usize = 600;
/// Sizes of the files: one byte, one packet, several frames, more than the embedded S3 reads at once.
const SIZES: [usize; 5] = [1, 2, 1_000, 70_000, 300_000];
/// A client gives up, and the history fails, after so many requests.
const PATIENCE: usize = 60;

type Item = HashMap<String, AttributeValue>;

/// The server, its store, and what stands between them.
struct Stage {
    /// Whose DynamoDB and S3 the server uses.
    back: World,
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    data: TempDir,
    server: RwLock<Process>,
    requests: AtomicUsize,
    kills: AtomicUsize,
    dynamodb: aws_sdk_dynamodb::Client,
    files: Vec<(String, Vec<u8>)>,
    client_token: String,
    proxies: [Proxy; 2],
}

/// One history, as its seed decides it.
#[derive(Debug)]
struct Plan {
    file: usize,
    max_downloads: usize,
    clients: Vec<ClientPlan>,
    /// Revoke the link after so many requests of all clients together.
    revoke_after: Option<usize>,
}

#[derive(Debug)]
struct ClientPlan {
    /// Whether it brings a lease of its own.
    own_lease: bool,
    /// After how many bytes of each answer, head included, the client's connection is cut.
    cuts: Vec<usize>,
}

/// What a client has at its end.
#[derive(Debug, Default)]
struct Client {
    lease: Option<String>,
    have: Vec<u8>,
    won: bool,
    /// Requests without any lease whose answer did not arrive.
    in_vain: usize,
    refusal: String,
}

/// What came back over one connection.
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Plan {
    fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let file = random.usize(..SIZES.len());
        let size = SIZES[file];
        let clients = match random.u32(..100) {
            0..60 => random.usize(1..=3),
            60..97 => random.usize(4..=10),
            _ => random.usize(11..=64),
        };
        let clients = (0..clients).map(|_| ClientPlan {
            own_lease: random.bool(),
            cuts: (0..random.usize(..4)).map(|_| cut(&mut random, size)).collect(),
        });
        let clients: Vec<_> = clients.collect();
        let max_downloads = if random.u32(..100) < 70 { 1 } else { random.usize(2..=6) };
        let revoke_after = (random.u32(..100) < 10).then(|| random.usize(..clients.len() * 2));
        Self { file, max_downloads, clients, revoke_after }
    }
}

/// A problem document, as far as it has come. No file here has a brace.
fn is_problem(body: &[u8]) -> bool {
    body.first().is_none_or(|first| *first == b'{')
}

/// Anywhere: before the answer, in its head, in its body, in its last bytes.
fn cut(random: &mut Rng, size: usize) -> usize {
    const HEAD: usize = 800;
    match random.u32(..4) {
        0 => 0,
        1 => random.usize(..HEAD),
        2 => HEAD + random.usize(..size),
        _ => HEAD + size.saturating_sub(random.usize(..20)),
    }
}

impl Stage {
    async fn start(seed: u64) -> Self {
        let back = World::start().await;
        let mut variables = back.server.variables.clone();
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
            assert_eq!(answer.status, 201, "{answer:?}");
            files.push((answer.json()["id"].as_str().unwrap().to_owned(), text));
        }
        let client_token = back.token("client").await;
        let data = TempDir::new().unwrap();
        let process =
            Process::front(BINARY, "127.0.0.1:0".parse().unwrap(), data.path(), &variables);
        let address = process.url.trim_start_matches("http://").parse().unwrap();
        dynamodb.disturb(10, 0..400, 100, seed);
        s3.cut(40, 0..200_000, seed);
        Self {
            dynamodb: store::dynamodb(&back.server.variables).await,
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
            *server = Process::front(BINARY, self.address, self.data.path(), &self.variables);
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
        let own = plan.own_lease.then(|| OpaqueSecret::generate().reveal());
        let mut client = Client { lease: own, ..Client::default() };
        let mut cuts = plan.cuts.iter();
        for _ in 0..PATIENCE {
            let from = client.have.len();
            let lease = client.lease.as_ref().map(|lease| format!("Download-Lease: {lease}\r\n"));
            let range = (from > 0).then(|| format!("Range: bytes={from}-\r\n"));
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: e2e\r\nConnection: close\r\n{}{}\r\n",
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
        Client { refusal: "out of backoff_".to_owned(), ..client }
    }

    /// Revokes the link once its clients have sent so many requests; gives the status.
    async fn revoke(&self, id: &LinkId, after: usize, sent: &AtomicUsize) -> u16 {
        while sent.load(Ordering::SeqCst) < after {
            tokio::task::yield_now().await;
        }
        let path = format!("/api/links/{id}");
        send(self.back.request(reqwest::Method::DELETE, &path).bearer_auth(&self.client_token))
            .await
            .status
            .as_u16()
    }

    /// Runs the history of this seed; what is wrong with it, if anything is.
    async fn run(&self, seed: u64) -> Result<(), String> {
        let plan = Plan::of(seed);
        let (file_id, content) = &self.files[plan.file];
        let path = format!("/api/files/generate-download-link/{file_id}");
        let request =
            self.back.request(reqwest::Method::POST, &path).bearer_auth(&self.client_token);
        let link = send(request.json(&json!({"max_downloads": plan.max_downloads}))).await.json();
        let id = LinkId::parse(link["id"].as_str().unwrap()).unwrap();
        let url = link["download_url"].as_str().unwrap();
        let path = &url[url.find("/api").unwrap()..];

        let sent = AtomicUsize::new(0);
        let downloads = plan.clients.iter().map(|client| self.download(path, client, &sent));
        let revoked = async {
            match plan.revoke_after {
                Some(after) => self.revoke(&id, after.min(plan.clients.len()), &sent).await == 204,
                None => false,
            }
        };
        let (clients, revoked) = tokio::join!(join_all(downloads), revoked);
        let late = self.download(path, &ClientPlan { own_lease: false, cuts: vec![] }, &sent).await;
        self.check(&plan, &clients, &late, revoked, &id, content).await
    }

    async fn check(
        &self,
        plan: &Plan,
        clients: &[Client],
        late: &Client,
        revoked: bool,
        id: &LinkId,
        content: &[u8],
    ) -> Result<(), String> {
        let ensure = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
        let all: Vec<_> = clients.iter().chain([late]).collect();
        let receipts = self.receipts(id, revoked).await?;
        let begun = |receipt: &Receipt| match &receipt.event {
            ReceiptEvent::Redeemed(request) | ReceiptEvent::Resumed(request) => {
                Some((receipt.number, request.clone()))
            }
            _ => None,
        };
        let redeemed: Vec<_> = receipts
            .iter()
            .filter_map(|receipt| match &receipt.event {
                ReceiptEvent::Redeemed(request) => Some(request.download as usize),
                _ => None,
            })
            .collect();
        let in_order: Vec<_> = (1..=redeemed.len()).collect();
        ensure(redeemed == in_order, format!("downloads are counted {redeemed:?}"))?;
        ensure(redeemed.len() <= plan.max_downloads, format!("{} downloads", redeemed.len()))?;

        let winners: Vec<_> = all.iter().filter(|client| client.won).collect();
        let in_vain: usize = all.iter().map(|client| client.in_vain).sum();
        let unclaimed = redeemed.len().checked_sub(winners.len());
        ensure(
            unclaimed.is_some_and(|unclaimed| unclaimed <= in_vain),
            format!("{} won, {} downloads, {in_vain} in vain", winners.len(), redeemed.len()),
        )?;
        for client in &all {
            let Client { won, have, refusal, .. } = client;
            let whole = have == content;
            let excused = revoked && refusal == "link_revoked";
            ensure(
                !won || whole || excused,
                format!("a winner has {} bytes: {refusal}", have.len()),
            )?;
            ensure(content.starts_with(have), "a client has other bytes than the file's".into())?;
            ensure(*won || have.is_empty(), "somebody who did not win has bytes".into())?;
            let refused = refusal == "link_used" && redeemed.len() == plan.max_downloads;
            ensure(*won || refused || excused, format!("a client was refused: {refusal}"))?;
        }
        for client in winners {
            let lease = OpaqueSecret::parse(client.lease.as_ref().unwrap()).unwrap().hash();
            let record = self.get(&format!("lease#{id}#{}", lease.as_str())).await?;
            let download: u32 = record["download"].as_n().unwrap().parse().unwrap();
            let ended = |number: u32| {
                receipts.iter().find_map(|receipt| match receipt.event {
                    ReceiptEvent::Ended { begun, bytes, .. } if begun == number => Some(bytes),
                    _ => None,
                })
            };
            let mine = receipts.iter().filter_map(begun).filter(|it| it.1.download == download);
            // Without an end anything up to what was asked for may have gone out.
            let accounted: u64 =
                mine.map(|(number, it)| ended(number).unwrap_or(it.range.length())).sum();
            let have = client.have.len() as u64;
            ensure(accounted >= have, format!("{have} bytes came, {accounted} are accounted for"))?;
        }
        Ok(())
    }

    /// The link's receipts, after a look at their chain and at what they say of a revocation.
    async fn receipts(&self, id: &LinkId, revoked: bool) -> Result<Vec<Receipt>, String> {
        // The end of a download that was cut is written in the background: read until nothing has
        // changed in between.
        let key = format!("link#{id}");
        let (link, sealed) = loop {
            let link = self.get(&key).await?;
            let sealed = self.chain(id, &link).await;
            if self.get(&key).await? == link {
                break (link, sealed);
            }
        };
        // The chain, without the code that made it.
        let (mut receipts, mut previous) = (Vec::new(), Value::Null);
        for item in &sealed {
            let (text, hash) = (item["receipt"].as_s().unwrap(), item["hash"].as_s().unwrap());
            let receipt: Value = serde_json::from_str(text).unwrap();
            let number = receipts.len() + 1;
            let next = receipt["previous"] == previous && receipt["number"] == number;
            if !next || *hash != sha256(text.as_bytes()) {
                return Err(format!("receipt {number} does not fit"));
            }
            previous = hash.clone().into();
            receipts.push(serde_json::from_value::<Receipt>(receipt).unwrap());
        }
        let last = Value::from(link["last_receipt"].as_s().unwrap().clone());
        if link["receipts"].as_n() != Ok(&receipts.len().to_string()) || last != previous {
            return Err("the link says that its chain ends elsewhere".to_owned());
        }
        let place =
            |event: fn(&ReceiptEvent) -> bool| receipts.iter().rposition(|it| event(&it.event));
        let last_start =
            place(|event| matches!(event, ReceiptEvent::Redeemed(_) | ReceiptEvent::Resumed(_)));
        let revocation = place(|event| matches!(event, ReceiptEvent::Revoked { .. }));
        if revocation.is_some() != revoked {
            return Err(format!("the revocation was answered otherwise than written: {revoked}"));
        }
        if revocation.is_some() && revocation < last_start {
            return Err("a download began after the revocation".to_owned());
        }
        Ok(receipts)
    }

    /// The link's receipts as they are stored.
    async fn chain(&self, id: &LinkId, link: &Item) -> Vec<Item> {
        let text = |name: &str| link[name].as_s().unwrap();
        let subject = AttributeValue::S(format!("file#{}", text("file_id")));
        let key = AttributeValue::S(format!("link#{}#{id}#", text("created_at")));
        let query = self.dynamodb.query().table_name("AuditTable").consistent_read(true);
        let query = query
            .key_condition_expression("subject = :subject AND begins_with(at_id, :key)")
            .expression_attribute_values(":subject", subject)
            .expression_attribute_values(":key", key);
        query.send().await.unwrap().items.unwrap_or_default()
    }

    async fn get(&self, key: &str) -> Result<Item, String> {
        let request = self.dynamodb.get_item().table_name("TokensTable").consistent_read(true);
        let answer = request.key("token_hash", AttributeValue::S(key.to_owned())).send().await;
        answer.unwrap().item.ok_or_else(|| format!("there is no record {key}"))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one setting of this test")]
fn seed_to_replay() -> Option<u64> {
    std::env::var("HISTORY_SEED").ok().map(|seed| seed.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_history_a_link_gives_whole_files_to_as_many_as_it_says_and_nothing_to_others() {
    let replayed = seed_to_replay();
    let seeds: Vec<_> = match replayed {
        Some(seed) => vec![seed; 50],
        None => (0..HISTORIES).collect(),
    };
    let stage = Arc::new(Stage::start(seeds[0]).await);
    let failures: Vec<_> = stream::iter(&seeds)
        .map(|seed| {
            let stage = Arc::clone(&stage);
            async move {
                let history = tokio::time::timeout(Duration::from_mins(2), stage.run(*seed)).await;
                let history = history.unwrap_or_else(|_| Err("it does not end".to_owned()));
                history
                    .err()
                    .map(|wrong| format!("HISTORY_SEED={seed}: {wrong}; {:?}", Plan::of(*seed)))
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|failure| async { failure })
        .take(5)
        .collect()
        .await;
    let (requests, kills) =
        (stage.requests.load(Ordering::SeqCst), stage.kills.load(Ordering::SeqCst));
    let collisions = stage.proxies[0].collisions();
    println!(
        "{} histories, {requests} requests, {collisions} collisions, {kills} kills",
        seeds.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(collisions > 0, "no transaction collided");
    assert!(kills > 0 || replayed.is_some(), "the server was never killed");
}
