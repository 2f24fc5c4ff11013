//! Files, and what happened to them.

mod list_files;
mod list_receipts;
mod upload_file;

pub use list_files::ListFiles;
pub use list_receipts::ListReceipts;
pub use upload_file::UploadFile;
