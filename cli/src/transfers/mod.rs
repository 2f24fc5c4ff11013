//! What moves large files: uploads in parts, and downloads with a lease. Either continues where it was
//! cut, in the same run or in a later one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::failure::{Failure, unexpected};

pub(crate) mod batch;
pub(crate) mod check;
pub(crate) mod download;
pub(crate) mod journal;
pub(crate) mod progress;
pub(crate) mod retry;
pub(crate) mod source;
pub(crate) mod upload;

/// How many files are on their way at once.
pub(crate) const FILES: usize = 8;

/// 32 random bytes as base64url: a lease, or the key of a request.
pub(crate) fn random_text() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| unexpected("There are no random bytes", error))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
