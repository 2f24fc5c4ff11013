//! Tokens that mean nothing by themselves: the table knows them by their hash.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use share_model::{Invalid, LinkId};

use crate::random_bytes;

/// A token as its holder knows it: 256 random bits. Shown once, never stored, never logged.
pub struct OpaqueSecret([u8; 32]);

impl OpaqueSecret {
    /// A new token.
    #[must_use]
    pub fn generate() -> Self {
        Self(random_bytes())
    }

    /// Reads a token that somebody presents.
    ///
    /// # Errors
    /// When the text is not 43 characters of unpadded base64url, which no token of ours is.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => Ok(Self(bytes)),
            _ => Err(Invalid::because("must be a token as it was given out")),
        }
    }

    /// The text to hand to the holder.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The form to store and to look up.
    ///
    /// One round of SHA-256 is enough: 256 random bits cannot be guessed, unlike a password.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(URL_SAFE_NO_PAD.encode(Sha256::digest(self.0)))
    }

    /// The link of which it is the token. Its identity is the token's hash.
    #[must_use]
    pub fn link_id(&self) -> LinkId {
        LinkId::of_digest(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for OpaqueSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OpaqueSecret(***)")
    }
}

/// The SHA-256 of a token, base64url. Of no use to a reader of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// That of a link's token, which is the link's identity.
    #[must_use]
    pub fn of_link(link: &LinkId) -> Self {
        Self(link.as_str().to_owned())
    }

    /// The table's key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_does_not_show_in_debug_output() {
        let token = OpaqueSecret::generate();
        assert!(!format!("{token:?}").contains(&token.reveal()));
        assert_eq!(format!("{token:?}"), "OpaqueSecret(***)");
    }

    #[test]
    fn the_hash_is_sha256_of_the_bytes() {
        // printf '\0%.0s' {1..32} | sha256sum | xxd -r -p | basenc --base64url
        let token = OpaqueSecret::parse(&"A".repeat(43)).unwrap();
        assert_eq!(token.hash().as_str(), "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU");
    }

    proptest! {
        #[test]
        fn a_token_survives_its_text(bytes: [u8; 32]) {
            let token = OpaqueSecret(bytes);
            prop_assert_eq!(OpaqueSecret::parse(&token.reveal()).unwrap().0, bytes);
        }

        #[test]
        fn a_text_that_is_read_is_the_only_text_of_its_token(text in "[A-Za-z0-9_=+/-]{40,46}") {
            if let Ok(token) = OpaqueSecret::parse(&text) {
                prop_assert_eq!(token.reveal(), text);
            }
        }

        #[test]
        fn any_text_at_all_is_read_or_refused_without_a_panic(text in ".{0,100}") {
            let _ = OpaqueSecret::parse(&text);
        }
    }
}
