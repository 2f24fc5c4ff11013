//! Bodies: received into a file, and read from one.

use std::error::Error;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::stream::ByteStream;
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use super::bad_request;
use super::checksum::{Algorithm, Checksum, Claim};

/// How much of a file is read at a time: larger pieces are no faster, and each download holds two.
const PIECE_BYTES: u64 = 256 * 1024;

/// How much of a body waits to be written.
const WRITE_BYTES: usize = 256 * 1024;

/// A body, and what its request says of it.
pub(super) struct Incoming {
    pub(super) body: Option<StreamingBlob>,
    pub(super) length: Option<i64>,
    pub(super) md5: Option<String>,
    pub(super) claim: Option<Claim>,
    /// What to compute when nothing is claimed.
    pub(super) otherwise: Option<Algorithm>,
    pub(super) trailers: Option<TrailingHeaders>,
}

/// A body that is as its request says. Its file is deleted unless it is moved to another place.
pub(super) struct Received {
    pub(super) file: TempPath,
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) checksum: Option<Checksum>,
}

impl Incoming {
    /// Writes the body to a new file in `folder`.
    pub(super) async fn receive(self, folder: &Path) -> S3Result<Received> {
        let mut body = self.body.ok_or_else(|| s3_error!(IncompleteBody))?;
        // Without it a connection that breaks off would look like the end.
        let said = self.length.and_then(|length| u64::try_from(length).ok());
        let length = said.or(body.remaining_length().exact().map(|length| length as u64));
        let length = length.ok_or_else(|| s3_error!(MissingContentLength))?;
        let (file, path) =
            NamedTempFile::new_in(folder).map_err(S3Error::internal_error)?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        // Of 2 MiB by itself, for each part that is on its way.
        file.set_max_buf_size(WRITE_BYTES);
        let mut md5 = Md5::new();
        let algorithm = self.claim.as_ref().map(Claim::algorithm).or(self.otherwise);
        let mut hasher = algorithm.map(Algorithm::hasher).unwrap_or_default();
        let mut size = 0;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| broken(&*error))?;
            size += piece.len() as u64;
            if size > length {
                break;
            }
            md5.update(&piece);
            hasher.update(&piece);
            file.write_all(&piece).await.map_err(S3Error::internal_error)?;
        }
        if size != length {
            return Err(s3_error!(IncompleteBody));
        }
        file.flush().await.map_err(S3Error::internal_error)?;
        let md5 = md5.finalize();
        if let Some(claimed) = self.md5 {
            match STANDARD.decode(claimed) {
                Ok(claimed) if claimed == md5 => {}
                Ok(claimed) if claimed.len() == md5.len() => return Err(s3_error!(BadDigest)),
                _ => return Err(s3_error!(InvalidDigest)),
            }
        }
        let checksum = Checksum::among(hasher.finalize()).next();
        if let (Some(claim), Some(computed)) = (self.claim, &checksum) {
            let trailers = self.trailers.and_then(|trailers| trailers.take()).unwrap_or_default();
            claim.value(&trailers)?.check(computed)?;
        }
        Ok(Received { file: path, size, md5, checksum })
    }
}

/// Why a body broke off. The errors of s3s are of private types, so their text must do.
fn broken(error: &(dyn Error + Send + Sync)) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        return bad_request(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
    }
    if text.contains("SignatureMismatch") {
        return s3_error!(SignatureDoesNotMatch);
    }
    s3_error!(IncompleteBody)
}

/// The bytes of a file, the next piece being read while one is sent.
pub(super) fn pieces(
    file: File,
    start: u64,
    length: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
    let file = Arc::new(file);
    let offsets = (0..length.div_ceil(PIECE_BYTES)).map(|number| number * PIECE_BYTES);
    let reads = stream::iter(offsets).map(move |offset| {
        let (file, wanted) = (Arc::clone(&file), PIECE_BYTES.min(length - offset));
        tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; usize::try_from(wanted).map_err(io::Error::other)?];
            file.read_exact_at(&mut piece, start + offset)?;
            Ok(Bytes::from(piece))
        })
    });
    reads.buffered(2).map(|read| read.map_err(io::Error::other)?)
}
