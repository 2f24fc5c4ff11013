//! 1 GiB through `download_file`, beside the same bytes from S3 by a presigned URL and from a plain
//! file server on the same HTTP stack.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use bytes::BytesMut;
use futures_util::stream::{self, StreamExt};
use share_e2e::samples::noise;
use share_e2e::{World, store};
use share_store::FileChanges;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::{MIB, ROUNDS, create, percentiles, resident_bytes};

const BYTES: u64 = 1024 * MIB;
/// The size of its parts in S3.
const PART_BYTES: usize = 64 * 1024 * 1024;
/// How much the plain server reads at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// On a server of its own.
pub(crate) async fn measure() -> anyhow::Result<()> {
    let world = World::start().await;
    let platform = world.server.backend().platform().await;
    download(&world, &FileChanges::connect(&platform)?).await
}

/// As one of several measurements.
pub(crate) async fn download(world: &World, files: &FileChanges) -> anyhow::Result<()> {
    let id = create(world, files, "large.zip", BYTES).await?;
    let backend = world.server.backend();
    let s3 = store::s3(backend).await;
    let (bucket, key) = (&backend.variables["FILES_BUCKET"], id.to_string());
    put(&s3, bucket, &key).await?;
    let copy = world.data.path().join("plain");
    let plain = serve(&copy).await?;
    let token = world.token("client").await;
    let (mut through, mut direct, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    let before = resident_bytes()?;
    let mut peak = before;
    for _ in 0..ROUNDS {
        let link = world.link(&id.to_string(), &token).await;
        through.push(read(world, &link, &mut peak).await?);
        let lifetime = PresigningConfig::expires_in(Duration::from_mins(10))?;
        let presigned = s3.get_object().bucket(bucket).key(&key).presigned(lifetime).await?;
        direct.push(read(world, presigned.uri(), &mut 0).await?);
        beside.push(read(world, &plain, &mut 0).await?);
    }
    let [through, direct, beside] = [through, direct, beside].map(|times| percentiles(times).0);
    let speed = |took: Duration| f64::from(1024) / took.as_secs_f64();
    println!("1 GiB through download_file:  median of {ROUNDS} {:.0} MiB/s", speed(through));
    println!("1 GiB by presigned URL:       median of {ROUNDS} {:.0} MiB/s", speed(direct));
    println!("1 GiB from a plain server:    median of {ROUNDS} {:.0} MiB/s", speed(beside));
    println!("download_file is at {:.2} of the plain server", speed(through) / speed(beside));
    let grown = peak.saturating_sub(before) / MIB;
    println!("resident memory: {} MiB before, grown by {grown} MiB at most", before / MIB);
    Ok(())
}

/// Puts the file as a large one comes to S3: in parts, with a checksum of the whole.
async fn put(s3: &Client, bucket: &str, key: &str) -> anyhow::Result<()> {
    let algorithm = ChecksumAlgorithm::Crc64Nvme;
    let create = s3.create_multipart_upload().bucket(bucket).key(key);
    let upload = create.checksum_algorithm(algorithm.clone()).send().await?;
    let upload = upload.upload_id().unwrap_or_default();
    let bytes = noise(PART_BYTES);
    let mut parts = Vec::new();
    for number in 1..=i32::try_from(BYTES / PART_BYTES as u64)? {
        let part = s3.upload_part().bucket(bucket).key(key).upload_id(upload).part_number(number);
        let part = part.checksum_algorithm(algorithm.clone());
        let part = part.body(ByteStream::from(bytes.clone())).send().await?;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload);
    complete.multipart_upload(parts).send().await?;
    Ok(())
}

/// A server that does nothing but stream a file of the same size, and its URL.
async fn serve(path: &Path) -> anyhow::Result<String> {
    let bytes = noise(PART_BYTES);
    let mut file = File::create(path)?;
    for _ in 0..BYTES / PART_BYTES as u64 {
        file.write_all(&bytes)?;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let path = path.to_owned();
    let router = Router::new().route("/", get(move || plain(path.clone())));
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(url)
}

async fn plain(path: PathBuf) -> Result<Response, String> {
    let file = tokio::fs::File::open(path).await.map_err(|error| error.to_string())?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        file.set_max_buf_size(PIECE_BYTES);
        let mut piece = BytesMut::with_capacity(PIECE_BYTES);
        let read = file.read_buf(&mut piece).await?;
        Ok::<_, std::io::Error>((read > 0).then(|| (piece.freeze(), file)))
    });
    let response = Response::builder().header("content-length", BYTES);
    response.body(Body::from_stream(pieces)).map_err(|error| error.to_string())
}

/// Reads `url` to its end, dropping the bytes, and notes the most memory seen on the way.
async fn read(world: &World, url: &str, peak: &mut u64) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let mut body = world.http.get(url).send().await?.error_for_status()?.bytes_stream();
    let (mut seen, mut looked) = (0, 0);
    while let Some(piece) = body.next().await {
        seen += piece?.len() as u64;
        if seen - looked > 16 * MIB {
            looked = seen;
            *peak = (*peak).max(resident_bytes()?);
        }
    }
    anyhow::ensure!(seen == BYTES, "{seen} bytes came");
    Ok(started.elapsed())
}
