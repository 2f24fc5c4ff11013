//! Uploads in parts, which go straight to S3.

mod abort_upload;
mod complete_upload;
mod create_upload;
mod show_upload;
mod sign_parts;

pub use abort_upload::AbortUpload;
pub use complete_upload::CompleteUpload;
pub use create_upload::CreateUpload;
pub use show_upload::ShowUpload;
pub use sign_parts::SignParts;

use share_contract::ErrorCode;
use share_model::{File, User};

/// The upload, when it is one of this account. Others are told that there is none.
fn own(file: Option<File>, ops: &User) -> Result<File, ErrorCode> {
    file.filter(|file| file.uploader == Some(ops.id)).ok_or(ErrorCode::UploadUnknown)
}
