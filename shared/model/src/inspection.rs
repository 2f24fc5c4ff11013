//! What is inside a file: archives, Office documents, texts, images and PDF.
//!
//! Everything here reads from a [`Source`]: a reader that can seek, and a length. A small upload is
//! a cursor over memory; a large one is read from S3 by range. Nothing is unpacked to disk, and
//! memory is bounded whatever the length: by the central directory of an archive
//! ([`archive::MAX_DIRECTORY_BYTES`]) and by the largest part that is unpacked
//! ([`office::MAX_PART_BYTES`]).
//!
//! `docs/inspection.md` lists the checks and what they do not promise.

pub(crate) mod archive;
pub(crate) mod image;
pub(crate) mod office;
pub(crate) mod pdf;
mod rejection;
pub(crate) mod source;
mod text;

pub use rejection::{InspectionError, Rejection};
pub use text::TextCheck;

/// A file of at most this many bytes may be an incomplete image or PDF.
///
/// It is the window in which readers of PDF look for the header and for the end (PDF
/// Reference 1.7, appendix H, notes 13 and 18). In a file this short there is no room for a picture to be
/// truncated, and none for anything that the other checks would not see.
pub(crate) const SHORT_BYTES: u64 = 1024;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
