//! Fetches a file from an address that a user gave, without reaching what the user may not reach.
//!
//! An address from outside can name the machine's own services, the metadata endpoint of the cloud
//! or a host of the private network (server-side request forgery, SSRF). So the scheme, the host
//! and every resolved address are checked, for the first request and again for every redirect, and
//! the connection goes to an address that was checked: the name is not resolved a second time.
//! The other half is a host that never stops: silence, slow answers and endless ones are ended.
//!
//! [`Source::parse`] checks the address without a connection, [`Fetcher::fetch`] connects.

mod address;
mod allowed_hosts;
mod body;
mod error;
mod fetcher;
mod file_name;
mod google;
mod limits;
mod source;
mod validator;

pub use address::is_public;
pub use allowed_hosts::AllowedHosts;
pub use body::Body;
pub use error::FetchError;
pub use fetcher::{Fetched, Fetcher, MAX_HEADER_BYTES, MAX_REDIRECTS, NoRootCertificates};
pub use google::{Export, export_link};
pub use limits::Limits;
pub use source::Source;
pub use validator::Validator;
