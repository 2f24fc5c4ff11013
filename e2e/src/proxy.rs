//! A TCP proxy that can hold a request, lose an answer, or cut it short, after the server has done what was asked;
//! and that can answer in its place: as a busy gateway, or as DynamoDB does when transactions collide.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy in front of one server.
pub struct Proxy {
    /// Its own address, as a URL.
    pub url: String,
    faults: Arc<Faults>,
}

/// What can happen to marked requests.
struct Faults {
    /// Requests that contain one of these, which bars keep apart, are marked.
    marked: &'static str,
    /// How many answers still pass before those that are lost.
    to_pass: AtomicUsize,
    to_lose: AtomicUsize,
    /// How many requests are still to be refused, and for how many seconds.
    to_refuse: Mutex<(usize, u64)>,
    /// How many requests are still to be cancelled, and for which reason.
    to_cancel: Mutex<(usize, &'static str)>,
    collisions: AtomicUsize,
    /// Whether they wait.
    hold: watch::Sender<bool>,
    /// How many wait, or have waited.
    held: watch::Sender<usize>,
    disturbance: Mutex<Option<Disturbance>>,
    /// How many marked requests have come.
    seen: AtomicUsize,
    /// How many bytes of answers have passed.
    passed: AtomicUsize,
    /// After which marked request from now on nothing passes any more.
    to_halt: AtomicUsize,
    /// Whether nothing passes any more.
    halted: watch::Sender<bool>,
}

/// Faults at random.
struct Disturbance {
    random: Rng,
    /// How many of a thousand answers are cut.
    cuts: u32,
    /// After how many bytes.
    after: Range<usize>,
    /// How many of a thousand requests collide.
    collisions: u32,
}

/// What becomes of a request and its answer.
enum Verdict {
    Pass,
    /// Only so many bytes of the answer pass.
    Cut(usize),
    /// The server does not get to see the request; this is the answer.
    Answer(Vec<u8>),
    /// The answer does not pass, and nothing passes afterwards.
    Halt,
}

impl Proxy {
    /// Starts a proxy in front of `upstream`, a URL. Requests that contain `marked` are those to
    /// which something can happen; bars keep several such texts apart.
    pub async fn start(upstream: &str, marked: &'static str) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let faults = Arc::new(Faults {
            marked,
            to_pass: AtomicUsize::new(0),
            to_lose: AtomicUsize::new(0),
            to_refuse: Mutex::new((0, 0)),
            to_cancel: Mutex::new((0, "")),
            collisions: AtomicUsize::new(0),
            hold: watch::Sender::new(false),
            held: watch::Sender::new(0),
            disturbance: Mutex::new(None),
            seen: AtomicUsize::new(0),
            passed: AtomicUsize::new(0),
            to_halt: AtomicUsize::new(0),
            halted: watch::Sender::new(false),
        });
        let shared = Arc::clone(&faults);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // While the server is away, clients are, too.
                let Ok(server) = TcpStream::connect(&upstream).await else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                tokio::spawn(relay(client, server, Arc::clone(&shared)));
            }
        });
        Self { url, faults }
    }

    /// Loses the answers to the next `count` marked requests.
    pub fn lose(&self, count: usize) {
        self.lose_after(0, count);
    }

    /// Loses the answers to `count` marked requests, after `passing` that pass.
    pub fn lose_after(&self, passing: usize, count: usize) {
        self.faults.to_pass.store(passing, Ordering::SeqCst);
        self.faults.to_lose.store(count, Ordering::SeqCst);
    }

    /// How many answers are still to be lost.
    pub fn left(&self) -> usize {
        self.faults.to_lose.load(Ordering::SeqCst)
    }

    /// Answers the next `count` marked requests as a gateway does whose server is busy.
    pub fn refuse(&self, count: usize) {
        self.refuse_for(count, 0);
    }

    /// As [`Proxy::refuse`], and with each answer says after how many seconds to ask again.
    pub fn refuse_for(&self, count: usize, seconds: u64) {
        *self.faults.to_refuse.lock().unwrap() = (count, seconds);
    }

    /// From now on marked requests wait for [`Proxy::release`].
    pub fn hold(&self) {
        self.faults.held.send_replace(0);
        self.faults.hold.send_replace(true);
    }

    /// Returns when a request waits.
    pub async fn held(&self) {
        self.held_at_once(1).await;
    }

    /// Returns when so many requests wait.
    pub async fn held_at_once(&self, count: usize) {
        self.faults.held.subscribe().wait_for(|held| *held >= count).await.unwrap();
    }

    /// Lets the requests that wait go on.
    pub fn release(&self) {
        self.faults.hold.send_replace(false);
    }

    /// The marked request of this number from now on, counted from 1, is the last one that the server
    /// sees, and is not answered: as if the client had been killed then.
    pub fn halt_at(&self, number: usize) {
        self.faults.to_halt.store(number, Ordering::SeqCst);
        self.faults.halted.send_replace(false);
    }

    /// Returns when that request has been carried out.
    pub async fn halted(&self) {
        self.faults.halted.subscribe().wait_for(|halted| *halted).await.unwrap();
    }

    /// Whether that request has been carried out.
    pub fn has_halted(&self) -> bool {
        *self.faults.halted.borrow()
    }

    /// Answers the next `count` marked requests as DynamoDB does when it cancels a transaction for
    /// `reason`.
    pub fn cancel(&self, count: usize, reason: &'static str) {
        *self.faults.to_cancel.lock().unwrap() = (count, reason);
    }

    /// How many requests are still to be cancelled.
    pub fn left_to_cancel(&self) -> usize {
        self.faults.to_cancel.lock().unwrap().0
    }

    /// From now on cuts so many of a thousand answers to marked requests, `after` so many bytes;
    /// at random from `seed`.
    pub fn cut(&self, cuts: u32, after: Range<usize>, seed: u64) {
        self.disturb(cuts, after, 0, seed);
    }

    /// From now on cuts answers as [`Proxy::cut`] does, and answers `collisions` of a thousand
    /// marked requests as DynamoDB does when another transaction holds a record.
    pub fn disturb(&self, cuts: u32, after: Range<usize>, collisions: u32, seed: u64) {
        let random = Rng::with_seed(seed);
        let disturbance = Disturbance { random, cuts, after, collisions };
        *self.faults.disturbance.lock().unwrap() = Some(disturbance);
    }

    /// How many marked requests have come so far.
    pub fn seen(&self) -> usize {
        self.faults.seen.load(Ordering::SeqCst)
    }

    /// How many bytes of answers have passed so far, to whatever was asked.
    pub fn passed(&self) -> usize {
        self.faults.passed.load(Ordering::SeqCst)
    }

    /// How many requests have collided.
    pub fn collisions(&self) -> usize {
        self.faults.collisions.load(Ordering::SeqCst)
    }
}

impl Faults {
    fn marks(&self, request: &[u8]) -> bool {
        let request = String::from_utf8_lossy(request);
        self.marked.split('|').any(|text| request.contains(text))
    }

    async fn wait(&self, request: &[u8]) {
        if *self.halted.borrow() {
            // The connections of one that was killed are never used again.
            std::future::pending::<()>().await;
        }
        if self.marks(request) && *self.hold.borrow() {
            self.held.send_modify(|held| *held += 1);
            self.hold.subscribe().wait_for(|hold| !*hold).await.unwrap();
        }
    }

    fn verdict(&self, request: &[u8]) -> Verdict {
        if !self.marks(request) {
            return Verdict::Pass;
        }
        self.seen.fetch_add(1, Ordering::SeqCst);
        let less = |count: usize| count.checked_sub(1);
        if self.to_halt.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) == Ok(1) {
            return Verdict::Halt;
        }
        if self.to_pass.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Verdict::Pass;
        }
        if self.to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Verdict::Cut(0);
        }
        let mut to_refuse = self.to_refuse.lock().unwrap();
        if let Some(left) = to_refuse.0.checked_sub(1) {
            to_refuse.0 = left;
            let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0";
            let answer = format!("{head}\r\nRetry-After: {}\r\n\r\n", to_refuse.1);
            return Verdict::Answer(answer.into_bytes());
        }
        let mut to_cancel = self.to_cancel.lock().unwrap();
        if let Some(left) = to_cancel.0.checked_sub(1) {
            to_cancel.0 = left;
            return Verdict::Answer(cancellation(to_cancel.1));
        }
        let mut disturbance = self.disturbance.lock().unwrap();
        let Some(disturbance) = disturbance.as_mut() else { return Verdict::Pass };
        match disturbance.random.u32(..1000) {
            hit if hit < disturbance.cuts => {
                Verdict::Cut(disturbance.random.usize(disturbance.after.clone()))
            }
            hit if hit < disturbance.cuts + disturbance.collisions => {
                self.collisions.fetch_add(1, Ordering::SeqCst);
                Verdict::Answer(cancellation("TransactionConflict"))
            }
            _ => Verdict::Pass,
        }
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, faults: Arc<Faults>) {
    let (mut piece, mut answer) = (vec![0; 65536], vec![0; 65536]);
    // The head of a request, until its end has come.
    let mut head = Vec::new();
    // The bytes of the request that are still to come.
    let mut rest = 0;
    // The bytes of the answer that pass, when not all do.
    let mut passing = None;
    // What is said in the place of the server.
    let mut answered = None;
    let mut halts = false;
    loop {
        tokio::select! {
            read = client.read(&mut piece) => {
                let Ok(length @ 1..) = read else { return };
                let mut bytes = piece[..length].to_vec();
                if rest == 0 {
                    head.append(&mut bytes);
                    let Some(length) = request_length(&head) else { continue };
                    faults.wait(&head).await;
                    let verdict = faults.verdict(&head);
                    answered = None;
                    match verdict {
                        Verdict::Pass => {}
                        Verdict::Cut(bytes) => passing = Some(bytes),
                        Verdict::Answer(answer) => answered = Some(answer),
                        Verdict::Halt => halts = true,
                    }
                    bytes.append(&mut head);
                    rest = length;
                }
                rest = rest.saturating_sub(bytes.len());
                match &answered {
                    None if server.write_all(&bytes).await.is_err() => return,
                    Some(answer) if rest == 0 && client.write_all(answer).await.is_err() => return,
                    _ => {}
                }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if halts {
                    faults.halted.send_replace(true);
                    std::future::pending::<()>().await;
                }
                let passes = passing.map_or(length, |left| length.min(left));
                if client.write_all(&answer[..passes]).await.is_err() { return }
                faults.passed.fetch_add(passes, Ordering::SeqCst);
                // The server has done what was asked. Both connections end here, without a word.
                if passing == Some(passes) { return }
                passing = passing.map(|left| left - passes);
            }
        }
    }
}

/// The length of a request, head included, once its head has come. Our clients send one request
/// after the other, and say how long it is.
fn request_length(request: &[u8]) -> Option<usize> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some(end + length.map_or(0, |length| length.trim().parse().unwrap()))
}

/// As the reference of `TransactWriteItems` shows it.
fn cancellation(reason: &str) -> Vec<u8> {
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let reasons = json!([{ "Code": reason, "Message": "The reason" }, { "Code": "None" }]);
    let body = json!({
        "__type": kind, "CancellationReasons": reasons, "Message": "Transaction cancelled",
    });
    let body = body.to_string();
    let length = body.len();
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.0";
    format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}
