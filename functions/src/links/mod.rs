//! Links of Clients.

mod certificate_keys;
mod generate_download_link;
mod link_certificate;
mod list_links;
mod revoke_link;

pub use certificate_keys::CertificateKeys;
pub use generate_download_link::GenerateDownloadLink;
pub use link_certificate::LinkCertificate;
pub use list_links::ListLinks;
pub use revoke_link::RevokeLink;
