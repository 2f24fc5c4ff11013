//! PDF: its beginning and its end (ISO 32000-1, 7.5).
//!
//! Nothing between is parsed. Scripts and actions (`/JavaScript`, `/Launch`) are not looked for:
//! they may stand in object streams, which are compressed and may be encrypted, so that what a
//! search misses would pass for checked. A scan for malware is the place for it.

use std::io::{Read, Seek};

use super::archive::ends_as_archive;
use super::source::{Source, last_position};
use super::{InspectionError, Rejection, SHORT_BYTES};

/// Readers look for the end marker in as many bytes (PDF Reference 1.7, appendix H, note 18).
const END_WINDOW: u64 = 1024;

/// Before the end marker stands `startxref`, and a number of at most 20 digits.
const START_WINDOW: u64 = 64;

const HEADER: &[u8] = b"%PDF-";
const END: &[u8] = b"%%EOF";
const START: &[u8] = b"startxref";
const ARCHIVE_END: &[u8] = b"PK\x05\x06";

/// Checks a file that readers take for a PDF. They look for the header in the first 1,024 bytes;
/// here it must be the first.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), InspectionError> {
    if !source.starts_with(HEADER)? {
        return Err(Rejection::ContentMismatch.into());
    }
    if ends_as_archive(source)? {
        return Err(Rejection::DataBeforeArchive.into());
    }
    let length = source.length();
    let tail = source.tail(END_WINDOW + START_WINDOW)?;
    let Some(end) = last_position(tail, END) else {
        return incomplete(length);
    };
    let after = tail.get(end..).unwrap_or_default();
    if after.len() as u64 > END_WINDOW || last_position(after, ARCHIVE_END).is_some() {
        return Err(Rejection::TrailingData.into());
    }
    let before = tail.get(..end).unwrap_or_default();
    let Some(start) = last_position(before, START) else {
        return incomplete(length);
    };
    let number = before.get(start + START.len()..).unwrap_or_default();
    let number = std::str::from_utf8(number).ok().map(str::trim).and_then(|text| text.parse().ok());
    if number.is_none_or(|offset: u64| offset >= length) {
        return Err(Rejection::MalformedDocument.into());
    }
    Ok(())
}

fn incomplete(length: u64) -> Result<(), InspectionError> {
    if length <= SHORT_BYTES { Ok(()) } else { Err(Rejection::MalformedDocument.into()) }
}
