//! A TCP proxy that can lose an answer after the server has done what was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A proxy in front of one server.
pub struct Proxy {
    /// Its own address, as a URL.
    pub url: String,
    to_lose: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts a proxy in front of `upstream`, a URL. Requests that contain `marked` are those
    /// whose answers it can lose.
    pub async fn start(upstream: &str, marked: &'static str) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to_lose = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&to_lose);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&upstream).await.unwrap();
                tokio::spawn(relay(client, server, marked, Arc::clone(&counter)));
            }
        });
        Self { url, to_lose }
    }

    /// Loses the answers to the next `count` marked requests.
    pub fn lose(&self, count: usize) {
        self.to_lose.store(count, Ordering::SeqCst);
    }

    /// How many answers are still to be lost.
    pub fn left(&self) -> usize {
        self.to_lose.load(Ordering::SeqCst)
    }
}

async fn relay(
    mut client: TcpStream,
    mut server: TcpStream,
    marked: &'static str,
    to_lose: Arc<AtomicUsize>,
) {
    let (mut request, mut answer) = (vec![0; 65536], vec![0; 65536]);
    let mut losing = false;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                let text = String::from_utf8_lossy(&request[..length]);
                if text.contains(marked) {
                    let less = |count: usize| count.checked_sub(1);
                    losing = to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
                }
                if server.write_all(&request[..length]).await.is_err() { return }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                // The server has committed. Both connections end here, without a word.
                if losing { return }
                if client.write_all(&answer[..length]).await.is_err() { return }
            }
        }
    }
}
