//! Fetching from hosts that mean harm. Every host here is on loopback, in the same process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod addresses;
mod answers;
mod google_links;
mod names;
mod ranges;
mod redirects;
mod requests;
mod server;
mod slowness;
mod tls;
mod urls;
