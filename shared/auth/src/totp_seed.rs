//! Time-based one-time passwords (RFC 6238): the codes of an authenticator app.

use std::fmt;

use jiff::Timestamp;
use share_model::Username;
use totp_rs::{Builder, Secret, Totp};

use crate::random_bytes;

/// The secret that an authenticator app and the service share: 160 random bits, as RFC 4226
/// (section 4) recommends. Shown once; stored only as [`crate::SeedKeys`] seals it.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSeed([u8; TotpSeed::LENGTH]);

impl TotpSeed {
    /// In bytes.
    pub(crate) const LENGTH: usize = 20;

    /// A new seed.
    #[must_use]
    pub fn generate() -> Self {
        Self(random_bytes())
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The text that somebody types into an app: base32 (RFC 4648) without padding, 32 characters.
    #[must_use]
    pub fn base32(&self) -> String {
        Secret::from(self.0).to_base32()
    }

    /// The address that an app reads from a QR code (`otpauth:`). `issuer` is the name of the
    /// service, without a colon.
    #[must_use]
    #[expect(clippy::expect_used, reason = "neither the issuer nor a username has a colon")]
    pub fn uri(&self, issuer: &str, account: &Username) -> String {
        let builder = self.builder().with_issuer(Some(issuer)).with_account_name(account.as_str());
        builder.build_noncompliant().to_url().expect("a label without a colon")
    }

    /// The step of 30 seconds, counted from 1970, of which `code` is the code. The step of `now`
    /// counts, the one before and the one after. `None` when it is the code of none of them.
    ///
    /// Spaces are passed over, because apps show them. The codes are compared in constant time.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let code: String = code.chars().filter(|it| *it != ' ').collect();
        self.totp().check(&code, u64::try_from(now.as_second()).ok()?)
    }

    /// SHA-1, six digits, steps of 30 seconds, one step either way: the library's defaults, and
    /// what every app understands.
    fn builder(&self) -> Builder {
        Builder::new().with_secret(self.0)
    }

    fn totp(&self) -> Totp {
        self.builder().build_noncompliant()
    }
}

impl fmt::Debug for TotpSeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TotpSeed(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: TotpSeed = TotpSeed(*b"12345678901234567890");

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        // Their last six digits: RFC 4226, section 5.3, takes the number modulo 10^digits.
        for (second, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = u64::try_from(second / 30).unwrap();
            assert_eq!(SEED.step_of(&code[2..], at(second)), Some(step), "{second}");
        }
    }

    #[test]
    fn a_code_counts_from_one_step_before_its_own_to_one_step_after() {
        // The step from 1111111080 to 1111111109.
        let step_at = |second| SEED.step_of("081804", at(second));
        for (second, step) in [
            (1_111_111_049, None),
            (1_111_111_050, Some(37_037_036)),
            (1_111_111_080, Some(37_037_036)),
            (1_111_111_109, Some(37_037_036)),
            (1_111_111_139, Some(37_037_036)),
            (1_111_111_140, None),
        ] {
            assert_eq!(step_at(second), step, "{second}");
        }
    }

    #[test]
    fn only_six_digits_are_a_code_whatever_the_spaces_between_them() {
        assert_eq!(SEED.step_of(" 081 804 ", at(1_111_111_109)), Some(37_037_036));
        for code in ["", "81804", "+81804", "-81804", "0081804", "07081804", "٠81804", "081804x"] {
            assert_eq!(SEED.step_of(code, at(1_111_111_109)), None, "{code:?}");
        }
    }

    #[test]
    fn an_app_learns_the_seed_from_its_base32_or_from_an_address() {
        // printf 12345678901234567890 | base32
        assert_eq!(SEED.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let name = Username::parse("Zoë+2").unwrap();
        assert_eq!(
            SEED.uri("Secure File Share", &name),
            "otpauth://totp/Secure%20File%20Share:Zo%C3%AB%2B2?secret=\
             GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Secure%20File%20Share"
        );
    }

    #[test]
    fn a_seed_does_not_show_in_debug_output_and_no_two_are_alike() {
        let seed = TotpSeed::generate();
        assert_eq!(format!("{seed:?}"), "TotpSeed(***)");
        assert_ne!(seed, TotpSeed::generate());
    }

    proptest! {
        #[test]
        fn any_text_at_all_is_a_code_or_none_without_a_panic(code in ".{0,20}", second: i32) {
            let _ = SEED.step_of(&code, at(second.into()));
        }
    }
}
