//! Downloads.

mod download_file;
mod finish;

pub use download_file::DownloadFile;
