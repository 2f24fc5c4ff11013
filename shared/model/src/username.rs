//! The names of accounts.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{
    GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton,
};

use crate::{EmailAddress, Invalid, Role};

/// 2 to 64 letters, digits and `._+-`, in Normalization Form C. Two names that differ only in case
/// are one name. There is no `@`, so that no name looks like somebody's address.
///
/// Letters of any script, but none that would let one user pass for another. Each character is one
/// that Unicode Technical Standard #39 allows in identifiers (section 3.1), a name is "Highly
/// Restrictive" (section 5.2: one script, or Latin with those of Chinese, Japanese or Korean), and
/// a name in other letters does not look like one in ASCII (section 4). No name but that of a role
/// looks like the role, its accents left out, and none like that of [`Username::of_nobody`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// The name that stands where the name of an account was that was deleted.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self(NOBODY.to_owned())
    }

    /// In characters.
    pub const MIN_LENGTH: usize = 2;
    /// In characters.
    pub const MAX_LENGTH: usize = 64;

    /// Normalises the name, as RFC 8265 (section 3.3) does, so that it is the same however a
    /// keyboard composes its letters.
    ///
    /// # Errors
    /// When the length or a character is outside the rules above.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        // Enough for 64 letters with three accents each; more need not be looked at.
        let name: String = text.chars().take(256).nfc().collect();
        let length = name.chars().count();
        if !(Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&length)
            || !name.chars().all(may_be_in_a_name)
            || name.starts_with(is_combining_mark)
        {
            return Err(Invalid::because(
                "must be 2 to 64 characters: letters, digits and . _ + -",
            ));
        }
        // The plus sign is none of the characters of identifiers, and of no script.
        let restricted = name.replace('+', "");
        if !restricted.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive) {
            return Err(Invalid::because("must not mix letters of several scripts"));
        }
        if looks_like_another(&name) {
            return Err(Invalid::because("looks like another name"));
        }
        Ok(Self(name))
    }

    /// A name for whoever has this address and has chosen none: what of its local part can be in a
    /// name, and five letters made from `random`, so that it is nobody else's.
    #[must_use]
    pub fn for_address(address: &EmailAddress, random: [u8; 5]) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let fits = |character: &char| character.is_ascii() && may_be_in_a_name(*character);
        let mut name: String = address.local_part().chars().filter(fits).collect();
        name.truncate(Self::MAX_LENGTH - random.len() - 1);
        name.push('-');
        let letter = |byte| LETTERS.iter().cycle().nth(usize::from(byte));
        name.extend(random.into_iter().filter_map(letter).copied().map(char::from));
        Self(name)
    }

    /// The name in its owner's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique.
    #[must_use]
    pub fn canonical(&self) -> String {
        // By way of the upper case, which letters such as the two small sigmas share.
        self.0.to_uppercase().to_lowercase().nfc().collect()
    }
}

fn may_be_in_a_name(character: char) -> bool {
    let of_a_word = character.is_alphanumeric() || is_combining_mark(character);
    "._+-".contains(character) || (of_a_word && character.identifier_allowed())
}

/// What stands where the name of an account was that was deleted.
const NOBODY: &str = "deleted-account";

fn looks_like_another(name: &str) -> bool {
    let without_marks = |text: &str| -> String {
        skeleton(text).filter(|character| !is_combining_mark(*character)).collect()
    };
    let lower = name.to_lowercase();
    let looks_like = |other: &str| {
        let bare = without_marks(other);
        without_marks(name) == bare || without_marks(&lower) == bare
    };
    let looks_like_role = |role: &Role| lower != role.as_str() && looks_like(role.as_str());
    let ascii = |text: &str| skeleton(text).all(|character| character.is_ascii());
    (!name.is_ascii() && (ascii(name) || ascii(&lower)))
        || Role::ALL.iter().any(looks_like_role)
        || looks_like(NOBODY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_keeps_its_spelling_and_has_a_unique_form_in_lower_case() {
        let name = Username::parse("Marianne.S").unwrap();
        assert_eq!((name.as_str(), name.canonical().as_str()), ("Marianne.S", "marianne.s"));
    }

    #[test]
    fn username_length_is_checked_at_one_below_at_and_one_above() {
        for letter in ["a", "é", "e\u{301}", "字"] {
            let of_length = |length| Username::parse(&letter.repeat(length)).is_ok();
            assert_eq!([1, 2, 64, 65].map(of_length), [false, true, true, false], "{letter}");
        }
        assert!(Username::parse(&"a".repeat(1_000_000)).is_err());
    }

    #[test]
    fn a_name_is_the_same_however_its_letters_are_composed() {
        let name = Username::parse("Zoe\u{308}").unwrap();
        assert_eq!(name, Username::parse("Zo\u{eb}").unwrap());
        assert_eq!(name.as_str(), "Zo\u{eb}");
    }

    #[test]
    fn names_of_many_scripts_are_names_in_any_case() {
        for (name, canonical) in [
            ("Jürgen_7", "jürgen_7"),
            ("A.b_c+d-e9", "a.b_c+d-e9"),
            ("Ольга", "ольга"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("οδυσσευσ", "οδυσσευς"),
            ("STRASSE", "strasse"),
            ("straße", "strasse"),
            ("कृष्ण", "कृष्ण"),
            ("日本語テスト", "日本語テスト"),
            ("Toshiba東芝", "toshiba東芝"),
            ("admin", "admin"),
        ] {
            let name = Username::parse(name).unwrap();
            assert_eq!(name.canonical(), canonical, "{name:?}");
        }
    }

    #[test]
    fn names_that_can_be_mistaken_for_others_are_refused() {
        for (name, why) in [
            ("someone@example.org", "letters, digits"),
            ("a b", "letters, digits"),
            ("a/b", "letters, digits"),
            ("admin\u{200b}", "letters, digits"),
            ("ad\u{ad}min", "letters, digits"),
            ("\u{202e}nimda", "letters, digits"),
            ("\u{301}ab", "letters, digits"),
            ("\u{ff41}dmin", "letters, digits"),   // full width
            ("\u{1d41a}dmin", "letters, digits"),  // mathematical
            ("\u{430}dmin", "several scripts"),    // Cyrillic and Latin
            ("p\u{3b1}ypal", "several scripts"),   // Greek and Latin
            ("\u{430}\u{3b1}", "several scripts"), // Cyrillic and Greek
            ("\u{5d0}\u{430}", "several scripts"), // Hebrew and Cyrillic
            ("\u{43e}\u{440}\u{455}", "another"),  // all Cyrillic, like ops
            ("\u{41e}\u{420}\u{405}", "another"),  // and in upper case
            ("adm\u{ed}n", "another"),
            ("\u{d3}ps", "another"),
            ("cIient", "another"), // a capital i for an l
            ("adrnin", "another"), // r and n for an m
            ("deleted-account", "another"),
            ("Deleted-Account", "another"),
            ("de1eted-account", "another"), // a one for an l
        ] {
            let refusal = Username::parse(name).unwrap_err();
            assert!(refusal.0.contains(why), "{name}: {refusal:?}");
        }
        for role in ["client", "CLIENT", "Admin", "ops"] {
            assert!(Username::parse(role).is_ok(), "{role} is no other name");
        }
    }

    #[test]
    fn a_name_for_an_address_is_what_fits_of_its_local_part_and_five_letters() {
        let long = format!("{}@example.org", "a".repeat(64));
        for (address, random, name) in [
            ("anna.b+c@example.org", [0, 1, 2, 31, 32], "anna.b+c-abc9a"),
            ("o'neil/x=y@example.org", [0; 5], "oneilxy-aaaaa"),
            ("{}@example.org", [0; 5], "-aaaaa"),
            ("ops@example.org", [255; 5], "ops-99999"),
            (&long, [0; 5], &format!("{}-aaaaa", "a".repeat(58))),
        ] {
            let name_of = Username::for_address(&EmailAddress::parse(address).unwrap(), random);
            assert_eq!(name_of.as_str(), name);
        }
    }

    proptest! {
        #[test]
        fn a_name_for_an_address_is_a_name(
            local in "[a-z0-9!#$%&'*+/=^_`{|}~-]{1,64}", random: [u8; 5],
        ) {
            let address = EmailAddress::parse(&format!("{local}@example.org")).unwrap();
            let name = Username::for_address(&address, random);
            prop_assert_eq!(Username::parse(name.as_str()), Ok(name));
        }

        #[test]
        fn every_name_of_the_alphabet_is_accepted_and_compared_without_case(
            name in "[A-Za-z0-9._+-]{2,64}",
        ) {
            let lower = Username::parse(&name.to_lowercase()).unwrap();
            let upper = Username::parse(&name.to_uppercase()).unwrap();
            prop_assert_eq!(lower.canonical(), upper.canonical());
        }

        #[test]
        fn an_accepted_name_never_holds_a_control_character_or_space(text in ".{0,80}|\\w{2,64}") {
            if let Ok(name) = Username::parse(&text) {
                let clean = |c: char| !c.is_control() && !c.is_whitespace() && c != '@';
                prop_assert!(name.as_str().chars().all(clean));
                prop_assert_eq!(Username::parse(name.as_str()), Ok(name.clone()), "normalised");
                let canonical = Username(name.canonical());
                prop_assert_eq!(canonical.canonical(), name.canonical());
            }
        }
    }
}
