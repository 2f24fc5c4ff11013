//! Files, and what happened to them.

mod change_file;
mod delete_file;
mod list_files;
mod list_receipts;
mod list_uploaded;
mod show_file;
mod upload_file;

pub use change_file::ChangeFile;
pub use delete_file::DeleteFile;
pub use list_files::ListFiles;
pub use list_receipts::ListReceipts;
pub use list_uploaded::ListUploaded;
pub use show_file::ShowFile;
pub use upload_file::UploadFile;

use share_contract::ErrorCode;
use share_model::{File, Role, User};

/// The file, when `user` may manage it: Ops their own, admins all. Others are told that there is
/// none.
fn managed_by(user: &User, file: Option<File>) -> Result<File, ErrorCode> {
    let may = |file: &File| user.role == Role::Admin || file.uploader == Some(user.id);
    file.filter(may).ok_or(ErrorCode::FileUnknown)
}
