//! Tokens that mean nothing by themselves: the table knows them by their hash.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use share_model::{Invalid, LinkId};

use crate::random_bytes;

/// A token as its holder knows it: 256 random bits. Shown once, never stored, never logged.
#[derive(Clone)]
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

    /// The refresh token that follows this one, made with the random `nonce` that the table has.
    /// Whoever knows the one but not the other cannot tell it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn successor(&self, nonce: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(format!("refresh token after {nonce}").as_bytes());
        Self(mac.finalize().into_bytes().into())
    }

    /// The lease with which the holder of this secret resumes a download of `link`: the holder's
    /// lease of this number, counted from 1. It says nothing about the secret, or about the leases
    /// of other links.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn lease(&self, link: &LinkId, number: u32) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(format!("lease {number} of link {link}").as_bytes());
        Self(mac.finalize().into_bytes().into())
    }

    /// Whether it is plainly not 32 random bytes: it has fewer than 8 different ones, or three in
    /// four of its bytes, or of the characters of its text, follow the one before by the same step,
    /// as in `abcd…` or `1111…`.
    ///
    /// Of random secrets, fewer than one in 2^100 is taken for such a one.
    #[must_use]
    pub fn is_plainly_not_random(&self) -> bool {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let different: BTreeSet<u8> = self.0.into_iter().collect();
        let text = self.reveal();
        let places = text.chars().filter_map(|it| u8::try_from(ALPHABET.find(it)?).ok());
        different.len() < 8 || is_steady(&self.0) || is_steady(&places.collect::<Vec<_>>())
    }

    /// The link of which it is the token. Its identity is the token's hash.
    #[must_use]
    pub fn link_id(&self) -> LinkId {
        LinkId::of_digest(Sha256::digest(self.0).into())
    }
}

/// Whether three in four of the steps from one value to the next are the same.
fn is_steady(values: &[u8]) -> bool {
    let mut steps = [0_usize; 256];
    for (one, next) in values.iter().zip(values.iter().skip(1)) {
        if let Some(count) = steps.get_mut(usize::from(next.wrapping_sub(*one))) {
            *count += 1;
        }
    }
    steps.iter().any(|count| count * 4 >= (values.len() - 1) * 3)
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

    #[test]
    fn what_repeats_itself_or_counts_is_plainly_not_random() {
        let counting: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        for bytes in [
            [0; 32],
            [0x42; 32],
            *b"abababababababababababababababab",
            *b"passwordpasswordpasswordpassword",
            *b"abcdefghabcdefghabcdefghabcdefgh",
            *b"0123456789abcdef0123456789abcdef",
            counting,
            counting.map(|byte| 255 - 3 * byte),
        ] {
            assert!(OpaqueSecret(bytes).is_plainly_not_random(), "{bytes:?}");
        }
        // The last of 43 characters has four bits.
        for text in [
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE",
            "0123456789012345678901234567890123456789010",
        ] {
            assert!(OpaqueSecret::parse(text).unwrap().is_plainly_not_random(), "{text}");
        }
        // Seven different bytes are too few, eight are enough.
        let some = b"\x03\x9a\x51\xe0\x77\x18\xc4\x2f";
        let of = |different| std::array::from_fn(|at| some[(at * at + at / 5) % 32 % different]);
        assert!(OpaqueSecret(of(7)).is_plainly_not_random());
        assert!(!OpaqueSecret(of(8)).is_plainly_not_random());
    }

    #[test]
    fn a_lease_depends_on_the_secret_the_link_and_the_number_and_on_nothing_else() {
        let (one, other) = (OpaqueSecret([1; 32]), OpaqueSecret([2; 32]));
        let (link, second) = (one.link_id(), other.link_id());
        // printf 'lease 1 of link %s' "$(printf '\1%.0s' {1..32} | sha256sum | xxd -r -p |
        // basenc --base64url | tr -d =)" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf
        // '01%.0s' {1..32}) -binary | basenc --base64url
        assert_eq!(one.lease(&link, 1).reveal(), "i_s0QMYOH7_HWaHvgxpznX7wLne-9meS-s9r5hB-l7Q");
        assert_eq!(one.lease(&link, 1).0, one.lease(&link, 1).0);
        for another in [one.lease(&link, 2), one.lease(&second, 1), other.lease(&link, 1)] {
            assert_ne!(another.0, one.lease(&link, 1).0);
        }
    }

    #[test]
    fn a_refresh_token_follows_from_the_one_before_and_the_nonce_together() {
        let (one, other) = (OpaqueSecret([1; 32]), OpaqueSecret([2; 32]));
        // printf 'refresh token after nonce' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf
        // '01%.0s' {1..32}) -binary | basenc --base64url | tr -d =
        assert_eq!(one.successor("nonce").reveal(), "bkpHMXxAQ5D--945mO7YOMKcmu0eKwoxJefIdBOHj8U");
        assert_eq!(one.successor("nonce").0, one.successor("nonce").0);
        for another in [one.successor("another"), other.successor("nonce")] {
            assert_ne!(another.0, one.successor("nonce").0);
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_not_taken_for_anything_else(bytes: [u8; 32]) {
            prop_assert!(!OpaqueSecret(bytes).is_plainly_not_random());
        }

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
