//! How a file travels, and with which headers.

use http::{HeaderName, header};
use share_contract::settings::{Delivery, DownloadSettings};
use share_http::Answer;
use share_model::{ByteRange, FileRecord, attachment};

/// The largest file that a buffered answer holds: Lambda's 6 MB, of which base64 takes a quarter,
/// less room for the headers.
const BUFFERED_LIMIT_BYTES: u64 = 4_600_000;

/// The largest file that is read whole and compared with its digest before its link is redeemed, so
/// that S3 cannot break the answer: 8 MiB. A function answers one request at a time and has 256 MB;
/// a gateway takes 10 MB of a stream at full speed, so a larger file would be held for much longer.
pub(super) const CHECKED_LIMIT_BYTES: u64 = 8 * 1024 * 1024;

/// How this file travels. Files that do not fit travel by a presigned URL.
pub(super) fn delivery_of(file: &FileRecord, settings: &DownloadSettings) -> Delivery {
    match settings.delivery {
        Delivery::Stream if file.size > settings.stream_limit => Delivery::Presigned,
        Delivery::Buffered if file.size > BUFFERED_LIMIT_BYTES => Delivery::Presigned,
        fits => fits,
    }
}

/// The entity tag of a file: its digest.
pub(super) fn entity_tag(file: &FileRecord) -> String {
    format!("\"{}\"", file.sha256.hex())
}

/// `answer` with the headers of a file, or of a part of it.
pub(super) fn with_headers<T>(
    mut answer: Answer<T>,
    file: &FileRecord,
    part: Option<ByteRange>,
) -> Answer<T> {
    if let Some(part) = part {
        answer = answer.with(header::CONTENT_RANGE, format!("bytes {part}/{}", file.size));
    }
    let length = part.map_or(file.size, ByteRange::length);
    answer
        .with(header::CONTENT_TYPE, file.content_type.as_str())
        .with(header::CONTENT_LENGTH, length)
        .with(header::CONTENT_DISPOSITION, attachment(&file.filename))
        .with(header::CONTENT_SECURITY_POLICY, "sandbox")
        .with(header::ACCEPT_RANGES, "bytes")
        .with(header::ETAG, entity_tag(file))
        // RFC 9530: so that a stream that breaks off, or changes, is noticed.
        .with(HeaderName::from_static("repr-digest"), format!("sha-256=:{}:", file.sha256.base64()))
}
