//! A client that brings a file in parts and gets it by a link, as any program would.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::api::Api;
use share_model::{ContentDigest, DigestProgress};
use tokio::task::spawn_blocking;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Parts whose requests are asked for together.
const BATCH: u64 = 4;
/// Such batches at once.
const BATCHES: usize = 3;

/// A file that has arrived.
pub(crate) struct Uploaded {
    pub(crate) id: String,
    /// Until the upload was complete, as S3's own clients count.
    pub(crate) took: Duration,
    /// Until the file was available, its check included.
    pub(crate) available: Duration,
}

/// Makes an archive at `path` whose one entry is `piece`, `times` times. Zeros take no place on
/// disk.
pub(crate) fn archive(path: &Path, piece: &[u8], times: usize) -> anyhow::Result<u64> {
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    let mut zip = ZipWriter::new(Sparse(File::create(path)?));
    zip.start_file("large.bin", options)?;
    for _ in 0..times {
        zip.write_all(piece)?;
    }
    let Sparse(mut file) = zip.finish()?;
    let size = file.stream_position()?;
    file.set_len(size)?;
    Ok(size)
}

/// Skips zeros in the place of writing them.
struct Sparse(File);

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() < 4096 || bytes.iter().any(|byte| *byte != 0) {
            return self.0.write(bytes);
        }
        self.0.seek_relative(i64::try_from(bytes.len()).map_err(io::Error::other)?)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Sparse {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

/// Uploads the file at `path` and waits until it is available.
pub(crate) async fn upload(api: &Api, ops: &str, path: &Path) -> anyhow::Result<Uploaded> {
    let started = Instant::now();
    let size = fs::metadata(path)?.len();
    let request = json!({"filename": "large.zip", "size": size});
    let created = post(api, "/api/uploads", ops, &request).await?;
    let id = created["upload_id"].as_str().context("no id")?;
    let number = |name: &str| created[name].as_u64().context("no such number");
    let (part_size, parts) = (number("part_size")?, number("parts")?);
    let file = Arc::new(File::open(path)?);
    stream::iter((1..=parts).step_by(usize::try_from(BATCH)?))
        .map(|first| {
            let parts = first..(first + BATCH).min(parts + 1);
            let part = move |number| {
                let from = (number - 1) * part_size;
                (number, from, part_size.min(size - from))
            };
            send(api, ops, id, Arc::clone(&file), parts.map(part).collect())
        })
        .buffer_unordered(BATCHES)
        .try_collect::<()>()
        .await?;
    post(api, &format!("/api/uploads/{id}/complete"), ops, &json!({})).await?;
    let took = started.elapsed();
    loop {
        let file = details(api, id, ops).await?;
        match file["state"].as_str() {
            Some("available") => break,
            Some("checking") => tokio::time::sleep(Duration::from_millis(10)).await,
            _ => anyhow::bail!("the file is not taken: {file}"),
        }
    }
    Ok(Uploaded { id: id.to_owned(), took, available: started.elapsed() })
}

/// What Ops see of a file.
pub(crate) async fn details(api: &Api, id: &str, ops: &str) -> anyhow::Result<Value> {
    let request = api.request(Method::GET, &format!("/api/files/{id}")).bearer_auth(ops);
    Ok(request.send().await?.error_for_status()?.json().await?)
}

/// Without comparing the answer with the contract, which would take time.
async fn post(api: &Api, path: &str, ops: &str, body: &Value) -> anyhow::Result<Value> {
    let request = api.request(Method::POST, path).bearer_auth(ops).json(body);
    Ok(request.send().await?.error_for_status()?.json().await?)
}

/// Reads parts, each a number, a place and a length; digests them; asks for their requests; and
/// sends them.
async fn send(
    api: &Api,
    ops: &str,
    upload: &str,
    file: Arc<File>,
    parts: Vec<(u64, u64, u64)>,
) -> anyhow::Result<()> {
    let read = parts.into_iter().map(|(number, from, length)| {
        let file = Arc::clone(&file);
        spawn_blocking(move || -> anyhow::Result<_> {
            let mut bytes = vec![0; usize::try_from(length)?];
            file.read_exact_at(&mut bytes, from)?;
            let sha256 = ContentDigest::of(&bytes).hex();
            Ok((json!({"number": number, "sha256": sha256}), Bytes::from(bytes)))
        })
    });
    let read = try_join_all(read).await?.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let (parts, bytes): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    let path = format!("/api/uploads/{upload}/parts");
    let signed = post(api, &path, ops, &json!({ "parts": parts })).await?;
    let signed = signed["parts"].as_array().context("no parts")?;
    try_join_all(signed.iter().zip(bytes).map(|(part, bytes)| put(api, part, bytes))).await?;
    Ok(())
}

async fn put(api: &Api, part: &Value, bytes: Bytes) -> anyhow::Result<()> {
    let mut request = api.http.put(part["url"].as_str().context("no address")?).body(bytes);
    for (name, value) in part["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap_or_default());
    }
    request.send().await?.error_for_status()?.bytes().await?;
    Ok(())
}

/// Gets a file by a new link, hands its bytes on, and gives how many there were.
pub(crate) async fn download(
    api: &Api,
    client: &str,
    id: &str,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> anyhow::Result<u64> {
    let link = api.link(id, client).await;
    let mut body = api.http.get(link).send().await?.error_for_status()?.bytes_stream();
    let mut length = 0;
    while let Some(piece) = body.next().await {
        let piece = piece?;
        take(&piece)?;
        length += piece.len() as u64;
    }
    Ok(length)
}

/// The SHA-256 of the file at `path`, a piece at a time.
pub(crate) fn digest(path: &Path) -> anyhow::Result<String> {
    let mut progress = DigestProgress::default();
    let mut file = File::open(path)?;
    let mut piece = vec![0; 1024 * 1024];
    loop {
        match io::Read::read(&mut file, &mut piece)? {
            0 => return Ok(progress.finish().hex()),
            read => progress.add(&piece[..read]),
        }
    }
}
