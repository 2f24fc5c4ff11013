//! The record of a new file, which a request with a key creates once, however often it is repeated.

use share_contract::ErrorCode;
use share_http::{ApiError, Request};
use share_model::{File, FileState, KeyedRequest};
use share_store::{Created, Earlier, FileChanges};

/// Which request has created a file.
pub(crate) enum CreatedFile {
    /// This one.
    New(File),
    /// An earlier one, which this one repeats. The file is as it is now, and not deleted.
    Earlier(File),
}

/// The file that an earlier request has created, which this one repeats. None when it is the first,
/// or may not be repeated.
///
/// # Errors
/// 410 when it is deleted, 422 when the key is that of another request, 503.
pub(crate) async fn earlier(
    changes: &FileChanges,
    keyed: Option<&KeyedRequest>,
    request: &Request,
) -> Result<Option<File>, ApiError> {
    let Some(keyed) = keyed else { return Ok(None) };
    let earlier = changes.earlier(keyed, request.now()).await?;
    earlier.map(file_of).transpose()
}

impl CreatedFile {
    /// `file`, or that of an earlier request, perhaps of a moment ago, which this one repeats.
    ///
    /// # Errors
    /// 409 when it passes a quota, 410 when the other one is deleted, 422 when the key is that of
    /// another request.
    pub(crate) fn of(created: Created, file: File) -> Result<Self, ApiError> {
        match created {
            Created::Now => Ok(Self::New(file)),
            Created::Before(earlier) => file_of(earlier).map(Self::Earlier),
            Created::QuotaExceeded => Err(ErrorCode::QuotaExceeded.into()),
        }
    }
}

fn file_of(earlier: Earlier) -> Result<File, ApiError> {
    match earlier {
        Earlier::Other => Err(ErrorCode::KeyReused.into()),
        Earlier::Same(file) if matches!(file.state, FileState::Deleted(_)) => {
            Err(ErrorCode::FileGone.into())
        }
        Earlier::Same(file) => Ok(*file),
    }
}
