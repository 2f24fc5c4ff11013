//! Public keys.

use schemars::JsonSchema;
use serde::Serialize;

/// The answer of `key_list`: a JWK Set (RFC 7517).
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KeySet {
    /// The keys, the one that signs now first.
    pub keys: Vec<Key>,
}

/// A public key of Ed25519 (RFC 8037).
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Key {
    /// Its kind: `OKP`.
    pub kty: &'static str,
    /// Its curve: `Ed25519`.
    pub crv: &'static str,
    /// How it signs: `EdDSA`.
    pub alg: &'static str,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    pub purpose: &'static str,
    /// Its thumbprint (RFC 7638), which certificates name.
    pub kid: String,
    /// The key itself, in base64url.
    pub x: String,
}

impl Key {
    /// The key with this thumbprint.
    #[must_use]
    pub fn new(kid: String, x: String) -> Self {
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", purpose: "sig", kid, x }
    }
}
