//! The keys under which the seeds of second factors are stored: AES-256-GCM, one seals, all open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use share_model::{Invalid, Proof, SecondFactor, UserId};

use crate::stored_secrets::StoredSecrets;
use crate::{RecoveryCode, TotpSeed};

/// What the bytes of a key are derived for; `info` of HKDF (RFC 5869).
const KEY_PURPOSE: &[u8] = b"secure-file-share second factor AES-256-GCM";

/// What the name of a key is derived for.
const NAME_PURPOSE: &[u8] = b"secure-file-share second factor key name";

/// In bytes: the nonce, which AES-GCM wants to be 96 bits, and the tag.
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// The secret keys: the one that seals, and former ones, under which seeds are still stored.
///
/// A sealed seed is the name of its key, a dot, and base64url of nonce, ciphertext and tag. It
/// opens for the user for whom it was sealed, and for nobody else.
pub struct SeedKeys {
    current: Key,
    previous: Vec<Key>,
}

struct Key {
    name: String,
    cipher: RandomizedNonceKey,
}

impl SeedKeys {
    /// Reads `{"current": "…", "previous": ["…"]}`, or one bare secret.
    ///
    /// # Errors
    /// When a secret is shorter than 32 bytes.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let stored = StoredSecrets::parse(text)?;
        Ok(Self {
            current: Key::derive(&stored.current)?,
            previous: stored.previous.iter().map(|it| Key::derive(it)).collect::<Result<_, _>>()?,
        })
    }

    /// The seed as it can be stored in the record of `user`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "AES-GCM seals any 20 bytes")]
    pub fn seal(&self, seed: &TotpSeed, user: UserId) -> String {
        let mut text = seed.as_bytes().to_vec();
        let nonce = self
            .current
            .cipher
            .seal_in_place_append_tag(Aad::from(user.to_string()), &mut text)
            .expect("20 bytes can be sealed");
        let sealed = [nonce.as_ref().as_slice(), text.as_slice()].concat();
        format!("{}.{}", self.current.name, URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The seed that was sealed for `user`; `None` when none of the keys sealed it, it was sealed
    /// for another user, or it was changed since.
    #[must_use]
    pub fn open(&self, sealed: &str, user: UserId) -> Option<TotpSeed> {
        let (name, sealed) = sealed.split_once('.')?;
        let mut all = std::iter::once(&self.current).chain(&self.previous);
        let key = all.find(|key| key.name == name)?;
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        if sealed.len() != NONCE_LENGTH + TotpSeed::LENGTH + TAG_LENGTH {
            return None;
        }
        let (nonce, text) = sealed.split_first_chunk_mut::<NONCE_LENGTH>()?;
        let nonce = (&*nonce).into();
        let seed = key.cipher.open_in_place(nonce, Aad::from(user.to_string()), text).ok()?;
        Some(TotpSeed::from_bytes((&*seed).try_into().ok()?))
    }

    /// What `code` proves at `now`, when it is one of this second factor: a code of the app, or text
    /// that has the form of a recovery code. [`SecondFactor::spent`] says whether it still counts.
    #[must_use]
    pub fn proof(
        &self,
        factor: &SecondFactor,
        user: UserId,
        code: &str,
        now: Timestamp,
    ) -> Option<Proof> {
        if let Ok(code) = RecoveryCode::parse(code) {
            return Some(Proof::Recovery(code.hash()));
        }
        self.open(&factor.seed, user)?.step_of(code, now).map(Proof::Step)
    }

    /// Whether the key that seals today sealed it, so that the former ones are not needed for it.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        sealed.split_once('.').is_some_and(|(name, _)| name == self.current.name)
    }
}

impl Key {
    /// The key and its name, both from HKDF-SHA256 of the secret, because CloudFormation can make a
    /// random text but no key.
    #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives 32 bytes, which are a key")]
    fn derive(secret: &str) -> Result<Self, Invalid> {
        if secret.len() < 32 {
            return Err(Invalid::because("must hold secrets of at least 32 bytes"));
        }
        let secret = Salt::new(HKDF_SHA256, &[]).extract(secret.as_bytes());
        let key = derived(&secret, KEY_PURPOSE).expect("HKDF-SHA256 gives 32 bytes");
        let name = derived(&secret, NAME_PURPOSE).expect("HKDF-SHA256 gives 32 bytes");
        let name = name.iter().take(9).copied().collect::<Vec<u8>>();
        Ok(Self {
            name: URL_SAFE_NO_PAD.encode(name),
            cipher: RandomizedNonceKey::new(&AES_256_GCM, &key).expect("32 bytes are a key"),
        })
    }
}

fn derived(secret: &Prk, purpose: &[u8]) -> Result<[u8; 32], Unspecified> {
    let mut bytes = [0; 32];
    secret.expand(&[purpose], HKDF_SHA256)?.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn user(number: u8) -> UserId {
        UserId::new(Timestamp::from_second(1_700_000_000).unwrap(), [number; 10])
    }

    fn seed() -> TotpSeed {
        TotpSeed::from_bytes(*b"12345678901234567890")
    }

    #[test]
    fn a_sealed_seed_opens_for_its_user_and_for_nobody_else() {
        let keys = SeedKeys::parse(SECRET).unwrap();
        let sealed = keys.seal(&seed(), user(1));
        assert_eq!(keys.open(&sealed, user(1)), Some(seed()));
        assert_eq!(keys.open(&sealed, user(2)), None);
        assert_eq!(SeedKeys::parse(OTHER).unwrap().open(&sealed, user(1)), None);
    }

    /// From a Python program: HKDF of RFC 5869, and AES-GCM of the package `cryptography`.
    #[test]
    fn a_seed_is_sealed_as_documented() {
        let sealed =
            "B7091Bw9Ms6U.AAECAwQFBgcICQoLC5M7uAy-W625HqpOI5IdOEHcqW1lmIiI22WW0rbOsPc5uUdD";
        let keys = SeedKeys::parse(SECRET).unwrap();
        assert_eq!(keys.open(sealed, user(1)), Some(seed()));
    }

    #[test]
    fn the_same_seed_is_never_sealed_to_the_same_text() {
        let keys = SeedKeys::parse(SECRET).unwrap();
        assert_ne!(keys.seal(&seed(), user(1)), keys.seal(&seed(), user(1)));
    }

    #[test]
    fn former_keys_open_and_only_the_current_one_seals() {
        let former = SeedKeys::parse(SECRET).unwrap();
        let old = former.seal(&seed(), user(1));
        let rotated = json!({"current": OTHER, "previous": [SECRET]}).to_string();
        let keys = SeedKeys::parse(&rotated).unwrap();
        let new = keys.seal(&seed(), user(1));
        assert_eq!(keys.open(&old, user(1)), Some(seed()));
        assert_eq!([&old, &new].map(|it| keys.is_current(it)), [false, true]);
        assert_eq!(former.open(&new, user(1)), None);
        assert!(!keys.is_current(""));
    }

    #[test]
    fn short_secrets_are_refused_at_31_bytes_and_taken_at_32() {
        assert!(SeedKeys::parse(&SECRET[..31]).is_err());
        assert!(SeedKeys::parse(SECRET).is_ok());
        for text in [
            json!({"current": SECRET, "previous": ["short"]}),
            json!({"current": SECRET, "previous": OTHER}),
            json!({"current": SECRET, "other": OTHER}),
        ] {
            assert!(SeedKeys::parse(&text.to_string()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_code_of_the_app_or_a_recovery_code_proves_something_and_another_seeds_code_does_not() {
        let keys = SeedKeys::parse(SECRET).unwrap();
        let now = Timestamp::from_second(59).unwrap();
        let factor = SecondFactor::pending(keys.seal(&seed(), user(1)));
        let proof = |factor: &SecondFactor, code| keys.proof(factor, user(1), code, now);
        // RFC 6238, appendix B.
        assert_eq!(proof(&factor, "287082"), Some(Proof::Step(1)));
        assert_eq!(proof(&factor, "287083"), None);
        let other = SecondFactor::pending(keys.seal(&TotpSeed::from_bytes([7; 20]), user(1)));
        assert_eq!(proof(&other, "287082"), None);
        let of_another_user = SecondFactor::pending(keys.seal(&seed(), user(2)));
        assert_eq!(proof(&of_another_user, "287082"), None);
        let hash = RecoveryCode::parse("0123-4567-89ab-cdef").unwrap().hash();
        assert_eq!(proof(&factor, "0123 4567 89AB CDEF"), Some(Proof::Recovery(hash)));
    }

    proptest! {
        #[test]
        fn any_change_to_a_sealed_seed_is_noticed(
            place: prop::sample::Index, other in "[A-Za-z0-9_.-]",
        ) {
            let keys = SeedKeys::parse(SECRET).unwrap();
            let sealed = keys.seal(&seed(), user(1));
            let place = place.index(sealed.len());
            let mut changed = sealed.clone();
            changed.replace_range(place..=place, &other);
            prop_assert_eq!(keys.open(&changed, user(1)).is_some(), changed == sealed);
        }

        #[test]
        fn any_text_at_all_is_refused_without_a_panic(text in ".{0,80}") {
            let keys = SeedKeys::parse(SECRET).unwrap();
            prop_assert_eq!(keys.open(&text, user(1)), None);
        }
    }
}
