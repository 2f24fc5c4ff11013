//! Downloads.

mod checks;
mod delivery;
mod download_file;
mod download_page;
mod finish;
mod page;

pub use download_file::DownloadFile;
pub use download_page::DownloadPage;
