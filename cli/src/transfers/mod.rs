//! What moves large files: uploads in parts, and downloads with a lease. Either continues where it was
//! cut, in the same run or in a later one.

pub(crate) mod batch;
pub(crate) mod check;
pub(crate) mod download;
pub(crate) mod journal;
pub(crate) mod progress;
mod retry;
pub(crate) mod source;
pub(crate) mod upload;

/// How many files are on their way at once.
pub(crate) const FILES: usize = 8;
