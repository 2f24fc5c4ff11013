//! Links of Clients.

mod generate_download_link;
mod list_links;
mod revoke_link;

pub use generate_download_link::GenerateDownloadLink;
pub use list_links::ListLinks;
pub use revoke_link::RevokeLink;
