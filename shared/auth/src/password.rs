//! Passwords: what is accepted.

use share_model::{EmailAddress, Invalid, Username};

use crate::common_passwords::is_common;
use crate::opaque_string::opaque_string;

/// The fewest characters of a password (NIST SP 800-63B, section 3.1.1).
const FEWEST: usize = 8;

/// The most, so that no request can make hashing slow.
const MOST: usize = 256;

/// So many bytes are never [`MOST`] characters, however they are composed: no character becomes
/// more than four in a canonical decomposition, or has more than four bytes.
const MOST_BYTES: usize = 4 * 4 * MOST;

/// The name of the service, as [`run_together`] leaves it.
const SERVICE: &str = "securefileshare";

/// A password on its way to be hashed. It cannot be printed, and is of limited length.
pub struct Password {
    /// In the form of RFC 8265, or, when it cannot have that, as it was typed.
    form: String,
    /// As it was typed, when that differs. Hashes made before there was the form are of this.
    typed: Option<String>,
}

impl Password {
    /// A password that somebody wants to have: 8 to 256 characters of any kind that fit into a line
    /// (NIST SP 800-63B, section 3.1.1), not a common one, not the user's own name or address or
    /// the name of the service.
    ///
    /// # Errors
    /// When a rule is broken. The reason says what to do instead.
    pub fn choose(text: &str, username: &Username, email: &EmailAddress) -> Result<Self, Invalid> {
        let password = Self::present(text)?;
        let form = opaque_string(text).unwrap_or_default();
        if form.is_empty() && !text.is_empty() {
            return Err(Invalid::because("must not have line breaks, tabs or other controls"));
        }
        let length = form.chars().count();
        if length < FEWEST {
            return Err(Invalid::because("must be at least 8 characters"));
        }
        if length > MOST {
            return Err(too_long());
        }
        let lower = form.to_lowercase();
        let own = [&username.canonical(), email.as_str(), email.local_part(), SERVICE];
        if own.iter().any(|word| run_together(&lower) == run_together(word)) {
            return Err(Invalid::because(
                "must not be the username, the e-mail address or the name of the service; three or \
                 four unrelated words make a good one",
            ));
        }
        if is_common(&lower) {
            return Err(Invalid::because(
                "is one of the most common passwords; three or four unrelated words make a good one",
            ));
        }
        Ok(password)
    }

    /// [`Self::present`], for a field that must not be empty.
    ///
    /// # Errors
    /// When it is empty, or longer than any password can be.
    pub fn given(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() { Err(Invalid::because("is required")) } else { Self::present(text) }
    }

    /// A password that somebody presents to log in.
    ///
    /// # Errors
    /// When it is longer than any password can be.
    pub fn present(text: &str) -> Result<Self, Invalid> {
        // The first test is cheap however long the text is.
        if text.len() > MOST_BYTES {
            return Err(too_long());
        }
        let form = opaque_string(text).unwrap_or_else(|| text.to_owned());
        let typed = (form != text).then(|| text.to_owned());
        let password = Self { form, typed };
        // Either, because composing a text makes it shorter, and in a few scripts longer.
        if password.forms().all(|it| it.chars().count() > MOST) {
            return Err(too_long());
        }
        Ok(password)
    }

    /// What a new hash is made of.
    pub(crate) fn form(&self) -> &str {
        &self.form
    }

    /// What a stored hash can have been made of, the likeliest first.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.form.as_str()).chain(self.typed.as_deref())
    }
}

fn too_long() -> Invalid {
    Invalid::because("must be at most 256 characters")
}

/// A text without what people put between words, in lower case.
fn run_together(text: &str) -> String {
    let kept = text.chars().filter(|it| !it.is_whitespace() && !matches!(it, '.' | '-' | '_'));
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choose(text: &str) -> Result<Password, Invalid> {
        let name = Username::parse("Marianne").unwrap();
        let email = EmailAddress::parse("marianne.sommer@example.com").unwrap();
        Password::choose(text, &name, &email)
    }

    fn refusal(text: &str) -> String {
        choose(text).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn length_is_checked_in_characters_at_one_below_at_and_one_above() {
        assert_eq!(refusal("sevén_7"), "must be at least 8 characters");
        assert!(choose("eight_é8").is_ok());
        assert!(choose(&"é".repeat(256)).is_ok());
        assert!(choose(&"😀".repeat(256)).is_ok(), "1,024 bytes");
        assert_eq!(refusal(&"é".repeat(257)), "must be at most 256 characters");
        assert_eq!(refusal(""), "must be at least 8 characters");
    }

    #[test]
    fn length_is_that_of_the_composed_text() {
        assert_eq!(refusal("seve\u{301}n_7"), "must be at least 8 characters");
        assert!(choose(&"e\u{301}".repeat(256)).is_ok());
        assert!(choose(&"e\u{301}".repeat(257)).is_err());
        // The longest text of 256 characters there is: U+1F80 from four characters, of nine bytes.
        let decomposed = "\u{3b1}\u{313}\u{345}".repeat(256);
        assert!(choose(&decomposed).is_ok());
        assert!(Password::present(&"\u{1f80}".repeat(257)).is_err());
    }

    #[test]
    fn a_composed_text_that_has_grown_can_still_be_presented_and_not_chosen() {
        // Composition excludes U+0958, which becomes two characters.
        let text = "\u{958}".repeat(256);
        assert!(Password::present(&text).is_ok());
        assert_eq!(refusal(&text), "must be at most 256 characters");
        assert!(Password::present(&"\u{958}".repeat(257)).is_err());
    }

    #[test]
    fn controls_are_refused_in_a_new_password_and_not_in_one_that_is_presented() {
        for text in ["a long enough\tone", "a long enough\none", "\0a long enough one"] {
            assert_eq!(refusal(text), "must not have line breaks, tabs or other controls");
            let password = Password::present(text).unwrap();
            assert_eq!(password.forms().collect::<Vec<_>>(), [text]);
        }
    }

    #[test]
    fn a_text_is_tried_as_it_was_typed_only_when_that_differs_from_its_form() {
        for (text, forms) in [
            ("correct horse", vec!["correct horse"]),
            ("Zu\u{308}rich", vec!["Zürich", "Zu\u{308}rich"]),
            ("non\u{a0}breaking", vec!["non breaking", "non\u{a0}breaking"]),
            ("", vec![""]),
        ] {
            let password = Password::present(text).unwrap();
            assert_eq!(password.forms().collect::<Vec<_>>(), forms);
            assert_eq!(password.form(), forms[0]);
        }
    }

    #[test]
    fn common_passwords_are_refused_in_any_case_and_form_and_the_reason_says_what_to_do() {
        for text in
            ["password1", "PassWord1", "12345678", "aaaaaaaa", "trustNO1", "\u{212a}ristina"]
        {
            assert_eq!(
                refusal(text),
                "is one of the most common passwords; three or four unrelated words make a good one",
                "{text}"
            );
        }
        assert!(choose("correct horse battery staple").is_ok());
    }

    #[test]
    fn nobody_has_to_mix_kinds_of_characters() {
        for text in ["qpalzmvh", "8305216947", "        ", "........", "éééééééé", "зимнийлес"]
        {
            assert!(choose(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn ones_own_name_and_address_and_that_of_the_service_are_refused_however_they_are_written() {
        for text in [
            "MARIANNE",
            "marianne_",
            "mari-anne",
            "marianne.sommer@example.com",
            "Marianne.Sommer",
            "marianne sommer",
            "Secure File Share",
            "secure-file-share",
        ] {
            let reason = refusal(text);
            assert!(reason.starts_with("must not be the username"), "{text}: {reason}");
            assert!(reason.ends_with("three or four unrelated words make a good one"));
        }
        for text in ["marianne2026", "marianne likes tea", "secure file sharing"] {
            assert!(choose(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_name_of_two_letters_does_not_forbid_the_passwords_that_have_it() {
        let name = Username::parse("an").unwrap();
        let email = EmailAddress::parse("o@example.com").unwrap();
        assert!(Password::choose("banana boat", &name, &email).is_ok());
        assert!(Password::choose("___an____", &name, &email).is_err(), "nothing else");
    }

    proptest! {
        #[test]
        fn any_text_at_all_is_accepted_or_refused_without_a_panic(text in ".{0,300}") {
            if let Ok(password) = choose(&text) {
                prop_assert!((8..=256).contains(&password.form().chars().count()));
            }
            let short = text.chars().count() <= 256;
            prop_assert!(!short || Password::present(&text).is_ok());
        }
    }
}
