//! E-mail addresses.

use std::fmt;

use ::email_address::Options;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// An e-mail address of RFC 5321's plain form, at most 254 characters, in lower case.
///
/// `Debug` shows only the domain, because addresses must not reach a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// In characters (RFC 5321, section 4.5.3.1.3, less the brackets).
    pub const MAX_LENGTH: usize = 254;

    /// # Errors
    /// When the text is not `local@domain.tld` in ASCII.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let options =
            Options::default().with_required_tld().without_domain_literal().without_display_text();
        let plain = text.len() <= Self::MAX_LENGTH && text.is_ascii() && !text.contains('"');
        // A number is no top-level domain, but the end of an IP address. What RFC 2047 would decode is
        // no local part that people have.
        let last = text.rsplit('.').next().unwrap_or_default();
        let number = last.bytes().all(|byte| byte.is_ascii_digit());
        let plain = plain && !number && !text.contains("=?");
        if !plain || ::email_address::EmailAddress::parse_with_options(text, options).is_err() {
            return Err(Invalid::because("must be an e-mail address such as name@example.com"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The address, for sending mail and for its owner's eyes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "***@{}", self.domain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_a_local_part_and_a_domain() {
        let address = EmailAddress::parse("Marianne.Sommer@Example.com").unwrap();
        assert_eq!((address.local_part(), address.domain()), ("marianne.sommer", "example.com"));
    }

    #[test]
    fn email_length_is_checked_at_and_one_above() {
        let label = "d".repeat(61);
        let at_limit = format!("{}@{label}.{label}.{label}.com", "a".repeat(254 - 4 - 61 * 3 - 3));
        assert_eq!(at_limit.len(), 254);
        assert!(EmailAddress::parse(&at_limit).is_ok());
        assert!(EmailAddress::parse(&format!("a{at_limit}")).is_err());
    }

    #[test]
    fn addresses_that_only_some_servers_understand_are_refused() {
        for text in [
            "",
            "plain",
            "a@b",
            "a@localhost",
            "\"a b\"@example.com",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "=?utf-8?q?a=40example.net=3e?=@example.com",
            "A <a@example.com>",
            "ä@example.com",
            "a@exämple.com",
            "a@example.com\r\nBcc: x@y.zz",
            " a@example.com",
            "a@@example.com",
            "a..b@example.com",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn an_address_in_a_log_shows_no_local_part() {
        let address = EmailAddress::parse("secret.person@example.com").unwrap();
        assert_eq!(format!("{address:?}"), "***@example.com");
    }

    proptest! {
        #[test]
        fn ordinary_addresses_are_accepted_and_lowered(
            local in "[A-Za-z0-9]{1,20}([.+_-][A-Za-z0-9]{1,10})?", domain in "[a-z]{1,20}",
        ) {
            let address = EmailAddress::parse(&format!("{local}@{domain}.Example")).unwrap();
            prop_assert_eq!(address.as_str(), format!("{}@{}.example", local.to_lowercase(), domain));
        }

        #[test]
        fn an_accepted_address_never_holds_a_control_character_or_space(
            text in ".{0,80}|\\w{1,9}@\\w{1,9}\\.[a-z]{2}",
        ) {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().chars().all(|c| c.is_ascii_graphic()));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
            }
        }
    }
}
