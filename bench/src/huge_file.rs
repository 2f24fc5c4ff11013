//! 10 GiB up and down, and what memory the server has meanwhile.

use std::time::{Duration, Instant};

use share_model::DigestProgress;
use tempfile::TempDir;

use crate::client::{archive, details, digest, download, upload};
use crate::front::Server;
use crate::mib_per_second;

/// Pieces of 1 MiB.
const PIECES: usize = 10 * 1024;

pub(crate) async fn measure() -> anyhow::Result<()> {
    let data = TempDir::new()?;
    let server = Server::start(&data).await?;
    let (small, large) = (data.path().join("small.zip"), data.path().join("large.zip"));
    let zeros = vec![0; 1024 * 1024];
    archive(&small, &zeros, 16)?;
    let size = archive(&large, &zeros, PIECES)?;
    let expected = digest(&large)?;
    let api = &server.api;
    let (ops, client) = (api.token("ops").await, api.token("client").await);
    // What every server needs once: connections, statements, a hash of a password.
    let first = upload(api, &ops, &small).await?;
    download(api, &client, &first.id, |_| Ok(())).await?;
    let before = server.resident_kib()?;
    println!("the server, after 16 MiB up and down: {} MiB resident", before / 1024);

    server.forget_peak()?;
    let uploaded = upload(api, &ops, &large).await?;
    let file = details(api, &uploaded.id, &ops).await?;
    anyhow::ensure!(file["sha256"].as_str() == Some(expected.as_str()), "other bytes have arrived");
    report("up", size, uploaded.took, server.peak_kib()?, before);
    let checked = uploaded.available.saturating_sub(uploaded.took);
    println!("   and available {checked:.1?} later");

    server.forget_peak()?;
    let mut received = DigestProgress::default();
    let started = Instant::now();
    let length = download(api, &client, &uploaded.id, |piece| {
        received.add(piece);
        Ok(())
    });
    anyhow::ensure!(length.await? == size, "not all bytes came");
    let took = started.elapsed();
    anyhow::ensure!(received.finish().hex() == expected, "other bytes came");
    report("down", size, took, server.peak_kib()?, before);
    println!("the server, after all this: {} MiB resident", server.resident_kib()? / 1024);
    Ok(())
}

fn report(what: &str, size: u64, took: Duration, peak: u64, before: u64) {
    println!(
        "{size} bytes {what} in {took:.1?}, {:.0} MiB/s: at most {} MiB resident, {} KiB more than \
         before",
        mib_per_second(size, took),
        peak / 1024,
        peak.saturating_sub(before)
    );
}
