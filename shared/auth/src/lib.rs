//! Secrets: passwords, second factors, opaque one-time tokens, signed access tokens, challenges,
//! tokens of devices, cursors and certificates.
//!
//! Each secret has two types, one that can be shown once and one that can be stored, and neither
//! can be printed by accident.

mod access_token;
mod certificate_keys;
mod challenge;
mod common_passwords;
mod cursor;
mod device_token;
mod opaque_secret;
mod opaque_string;
mod password;
mod password_hash;
mod random;
mod recovery_code;
mod sealed_text;
mod seed_keys;
mod stored_secrets;
mod totp_seed;

pub use access_token::{ACCESS_TOKEN_SECONDS, AccessRefusal, AccessToken, SigningKeys};
pub use certificate_keys::{CertificateKeys, CertificateRefusal, PublicKey, PublicKeys};
pub use challenge::{CHALLENGE_SECONDS, Challenge, ChallengePurpose};
pub use cursor::PageCursor;
pub use device_token::DeviceToken;
pub use opaque_secret::{OpaqueSecret, SecretHash};
pub use password::Password;
pub use password_hash::{Verified, matches, verify};
pub use random::random_bytes;
pub use recovery_code::{RecoveryCode, RecoveryCodes};
pub use seed_keys::SeedKeys;
pub use totp_seed::TotpSeed;
