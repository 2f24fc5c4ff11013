//! The SHA-256 of a file or a receipt, and the ways to write it.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::Invalid;

/// A SHA-256. In JSON and in the tables it is 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// # Errors
    /// When the text is not 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::because("must be a SHA-256: 64 hexadecimal digits");
        let digits = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !digits {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| refused())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refused())?;
        }
        Ok(Self(bytes))
    }

    /// As S3 writes it.
    ///
    /// # Errors
    /// When the text is not the base64 of 32 bytes.
    pub fn parse_base64(text: &str) -> Result<Self, Invalid> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| Invalid::because("must be the base64 of 32 bytes"))
    }

    /// As `sha256sum` prints it.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// As `Repr-Digest` (RFC 9530) and S3 write it.
    #[must_use]
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl Serialize for ContentDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for ContentDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?)
            .map_err(|reason| de::Error::custom(reason.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_abc_is_that_of_fips_180_4() {
        let digest = ContentDigest::of(b"abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.hex(), hex);
        assert_eq!(digest.base64(), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn a_digest_survives_json_and_other_texts_are_refused() {
        let digest = ContentDigest::of(b"abc");
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<ContentDigest>(&json).unwrap(), digest);
        let digits = "0".repeat(64);
        for text in ["", &digits[1..], &format!("{digits}0"), &"é".repeat(32), &"g".repeat(64)] {
            let json = serde_json::to_string(text).unwrap();
            assert!(serde_json::from_str::<ContentDigest>(&json).is_err(), "{text:?}");
        }
    }
}
