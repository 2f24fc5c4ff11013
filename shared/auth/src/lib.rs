//! Secrets: passwords, opaque one-time tokens, signed access tokens, cursors and certificates.
//!
//! Each secret has two types, one that can be shown once and one that can be stored, and neither
//! can be printed by accident.

mod access_token;
mod certificate_keys;
mod common_passwords;
mod cursor;
mod opaque_secret;
mod opaque_string;
mod password;
mod password_hash;
mod random;

pub use access_token::{ACCESS_TOKEN_SECONDS, AccessRefusal, AccessToken, SigningKeys};
pub use certificate_keys::{CertificateKeys, CertificateRefusal, PublicKey, PublicKeys};
pub use cursor::PageCursor;
pub use opaque_secret::{OpaqueSecret, SecretHash};
pub use password::Password;
pub use password_hash::{Verified, matches, verify};
pub use random::random_bytes;
