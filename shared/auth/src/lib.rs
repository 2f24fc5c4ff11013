//! Secrets: passwords, opaque one-time tokens, signed access tokens, cursors and certificates.
//!
//! Each secret has two types, one that can be shown once and one that can be stored, and neither
//! can be printed by accident.

mod access_token;
mod certificate_keys;
mod cursor;
mod opaque_secret;
mod password;
mod random;

pub use access_token::{ACCESS_TOKEN_SECONDS, AccessRefusal, SigningKeys};
pub use certificate_keys::{CertificateKeys, CertificateRefusal, PublicKey, PublicKeys};
pub use cursor::PageCursor;
pub use opaque_secret::{OpaqueSecret, SecretHash};
pub use password::{Password, matches};
pub use random::random_bytes;
