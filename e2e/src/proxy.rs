//! A TCP proxy that can lose an answer, or cut it short, after the server has done what was asked.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A proxy in front of one server.
pub struct Proxy {
    /// Its own address, as a URL.
    pub url: String,
    faults: Arc<Faults>,
}

/// What happens to the answers to marked requests.
struct Faults {
    /// Requests that contain this are marked.
    marked: &'static str,
    to_lose: AtomicUsize,
    cuts: Mutex<Option<Cuts>>,
}

/// Cuts at random.
struct Cuts {
    random: Rng,
    /// How many of a thousand answers are cut.
    per_mille: u32,
    /// After how many bytes.
    after: Range<usize>,
}

impl Proxy {
    /// Starts a proxy in front of `upstream`, a URL. Requests that contain `marked` are those
    /// whose answers it can lose.
    pub async fn start(upstream: &str, marked: &'static str) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let faults =
            Arc::new(Faults { marked, to_lose: AtomicUsize::new(0), cuts: Mutex::new(None) });
        let shared = Arc::clone(&faults);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&upstream).await.unwrap();
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                tokio::spawn(relay(client, server, Arc::clone(&shared)));
            }
        });
        Self { url, faults }
    }

    /// Loses the answers to the next `count` marked requests.
    pub fn lose(&self, count: usize) {
        self.faults.to_lose.store(count, Ordering::SeqCst);
    }

    /// How many answers are still to be lost.
    pub fn left(&self) -> usize {
        self.faults.to_lose.load(Ordering::SeqCst)
    }

    /// From now on cuts `per_mille` of a thousand answers to marked requests `after` so many
    /// bytes, at random from `seed`.
    pub fn cut(&self, per_mille: u32, after: Range<usize>, seed: u64) {
        let cuts = Cuts { random: Rng::with_seed(seed), per_mille, after };
        *self.faults.cuts.lock().unwrap() = Some(cuts);
    }
}

impl Faults {
    /// How many bytes of the answer to this request pass, when not all do.
    fn verdict(&self, request: &[u8]) -> Option<usize> {
        if !String::from_utf8_lossy(request).contains(self.marked) {
            return None;
        }
        let less = |count: usize| count.checked_sub(1);
        if self.to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Some(0);
        }
        let mut cuts = self.cuts.lock().unwrap();
        let cuts = cuts.as_mut()?;
        let hit = cuts.random.u32(..1000) < cuts.per_mille;
        hit.then(|| cuts.random.usize(cuts.after.clone()))
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, faults: Arc<Faults>) {
    let (mut request, mut answer) = (vec![0; 65536], vec![0; 65536]);
    let mut passing = None;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                passing = passing.or(faults.verdict(&request[..length]));
                if server.write_all(&request[..length]).await.is_err() { return }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                let passes = passing.map_or(length, |left| length.min(left));
                if client.write_all(&answer[..passes]).await.is_err() { return }
                // The server has done what was asked. Both connections end here, without a word.
                if passing == Some(passes) { return }
                passing = passing.map(|left| left - passes);
            }
        }
    }
}
