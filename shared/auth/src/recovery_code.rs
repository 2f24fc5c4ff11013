//! Codes for somebody who has lost the authenticator app. Each is good once.

use std::array;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use share_model::Invalid;

use crate::random_bytes;

/// The digits of Crockford's base32, in lower case: no i, l, o and u.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// In characters. Each is five bits.
const LENGTH: usize = 24;

/// The length of the codes that were given out at first. They count as long as they are stored.
const FORMER_LENGTH: usize = 16;

/// A code as its holder knows it: 120 random bits. Shown once, never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Vec<u8>);

/// The codes that somebody gets at one time.
#[derive(Debug)]
pub struct RecoveryCodes([RecoveryCode; RecoveryCodes::COUNT]);

impl RecoveryCodes {
    /// How many there are.
    pub const COUNT: usize = 10;

    /// New codes.
    #[must_use]
    pub fn generate() -> Self {
        Self(array::from_fn(|_| RecoveryCode::generate()))
    }

    /// The texts to hand to their holder.
    #[must_use]
    pub fn reveal(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCode::reveal).collect()
    }

    /// The forms to store.
    #[must_use]
    pub fn hashes(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCode::hash).collect()
    }
}

impl RecoveryCode {
    fn generate() -> Self {
        Self(random_bytes::<LENGTH>().map(digit).to_vec())
    }

    /// Reads a code as somebody types it: in either case, with or without hyphens and spaces, and
    /// with o for 0, and i or l for 1, as Crockford has it.
    ///
    /// # Errors
    /// When the text is neither 24 nor 16 of its characters, which no code of ours is.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let typed = text.bytes().filter(|byte| !b" -".contains(byte));
        // One more than there may be shows that there are too many.
        let digits: Option<Vec<u8>> = typed.take(LENGTH + 1).map(read).collect();
        digits
            .filter(|digits| [LENGTH, FORMER_LENGTH].contains(&digits.len()))
            .map(Self)
            .ok_or_else(|| Invalid::because("must be a recovery code as it was given out"))
    }

    /// Six groups of four characters, with hyphens between them.
    fn reveal(&self) -> String {
        let groups = self.0.chunks(4).map(|group| String::from_utf8_lossy(group).into_owned());
        groups.collect::<Vec<_>>().join("-")
    }

    /// The form to store and to compare: the SHA-256 of the characters, base64url.
    ///
    /// One round is enough: 120 random bits cannot be guessed, nor the 80 of former codes, unlike a password.
    #[must_use]
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }
}

#[expect(clippy::indexing_slicing, reason = "five bits are below 32")]
fn digit(five_bits: u8) -> u8 {
    DIGITS[usize::from(five_bits % 32)]
}

/// The digit that somebody meant who typed this character; `None` when it is none.
fn read(typed: u8) -> Option<u8> {
    let digit = match typed.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        other => other,
    };
    DIGITS.contains(&digit).then_some(digit)
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RecoveryCode(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_ten_codes_and_all_differ() {
        let codes = RecoveryCodes::generate();
        let texts: BTreeSet<String> = codes.reveal().into_iter().collect();
        let hashes: BTreeSet<String> = codes.hashes().into_iter().collect();
        assert_eq!((texts.len(), hashes.len()), (10, 10));
    }

    #[test]
    fn a_code_that_is_typed_has_the_stored_hash() {
        let codes = RecoveryCodes::generate();
        for (text, hash) in codes.reveal().iter().zip(codes.hashes()) {
            assert_eq!(RecoveryCode::parse(text).unwrap().hash(), hash);
        }
    }

    #[test]
    fn the_hash_is_sha256_of_the_characters() {
        for (text, hash) in [
            // printf 0123456789abcdefghjkmnpq | sha256sum | xxd -r -p | basenc --base64url
            ("0123-4567-89ab-cdef-ghjk-mnpq", "rps7itAaNqF08WnMPHXEenvYc6LY-njMXYXz-goz_JY"),
            // A code of those that were given out at first.
            ("0123-4567-89ab-cdef", "n59REfeyengfHx3d5evC3St5a_xzZcnCi1SOVkF2kp8"),
        ] {
            let code = RecoveryCode::parse(text).unwrap();
            assert_eq!((code.reveal().as_str(), code.hash().as_str()), (text, hash));
        }
    }

    #[test]
    fn a_code_has_120_random_bits() {
        let text = RecoveryCode::generate().reveal();
        assert_eq!((text.len(), text.split('-').count()), (29, 6));
        let digits = text.bytes().filter(|digit| DIGITS.contains(digit)).count();
        assert_eq!(digits * 5, 120);
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = RecoveryCode::parse("0123-4567-89ab-1def-ghjk-mnpq").unwrap();
        for typed in [
            "0123456789ab1defghjkmnpq",
            " 0123 4567 89AB 1DEF GHJK MNPQ ",
            "O123-4567-89ab-ldef-ghjk-mnpq",
            "oi23-4567-89ab-Idef-ghjk-mnpq",
        ] {
            assert!(RecoveryCode::parse(typed).unwrap() == code, "{typed}");
        }
        for other in [
            "",
            "123456",
            "0123-4567-89ab-1def-ghjk-mnp",
            "0123-4567-89ab-1def-ghjk-mnpqr",
            "u123-4567-89ab-1def-ghjk-mnpq",
            "é123-4567-89ab-1def-ghjk-mnp",
            "0123-4567-89ab-1de",
            "0123-4567-89ab-1deff",
        ] {
            assert!(RecoveryCode::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn every_digit_is_used() {
        let digits: BTreeSet<u8> = (0..=255).map(digit).collect();
        assert_eq!(digits.len(), 32);
    }

    #[test]
    fn a_code_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", RecoveryCode::generate()), "RecoveryCode(***)");
    }

    proptest! {
        #[test]
        fn any_text_at_all_is_read_or_refused_without_a_panic(text in ".{0,40}") {
            let _ = RecoveryCode::parse(&text);
        }
    }
}
