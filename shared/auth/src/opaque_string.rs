//! The form in which a password is hashed, so that it does not matter which keyboard it was typed
//! with: the profile `OpaqueString` of RFC 8265, section 4.2.
//!
//! The profile also refuses what the `FreeformClass` of RFC 8264 leaves out. Of that we refuse what
//! nobody can type into one line, and accept the rest: unassigned characters, because those of
//! tomorrow's keyboards are unassigned in today's tables; and ignorable ones, because keyboards put
//! them into emoji. The crate `precis-profiles` decides by Unicode 6.3 of 2013 and so refuses every
//! emoji since.

use unicode_normalization::UnicodeNormalization;

/// Every space is U+0020, in Normalization Form C. Case and width are kept.
///
/// `None` when it is empty, or has a character that controls or ends a line.
pub(crate) fn opaque_string(text: &str) -> Option<String> {
    let form: String = text.chars().map(|it| if is_space(it) { ' ' } else { it }).nfc().collect();
    (!form.is_empty() && !form.chars().any(is_control)).then_some(form)
}

/// The characters of Unicode's category Zs.
fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Controls (Cc) and the separators of lines and paragraphs (Zl, Zp).
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(text: &str) -> Option<String> {
        opaque_string(text)
    }

    #[test]
    fn the_examples_of_rfc_8265() {
        // Section 4.3, table 3.
        for (text, becomes) in [
            ("correct horse battery staple", Some("correct horse battery staple")),
            ("Correct Horse Battery Staple", Some("Correct Horse Battery Staple")),
            ("πßå", Some("πßå")),
            ("Jack of ♦s", Some("Jack of ♦s")),
            ("foo\u{1680}bar", Some("foo bar")),
            ("", None),
            ("my cat is a \tby", None),
        ] {
            assert_eq!(form(text).as_deref(), becomes, "{text:?}");
        }
    }

    #[test]
    fn every_space_is_an_ascii_space_and_what_looks_like_none_is_kept() {
        let spaces = "\u{20}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\
            \u{2007}\u{2008}\u{2009}\u{200a}\u{202f}\u{205f}\u{3000}";
        assert_eq!(form(spaces), Some(" ".repeat(17)));
        for kept in ["\u{200b}", "\u{200d}", "\u{ad}", "\u{feff}", "\u{180e}"] {
            assert_eq!(form(kept).as_deref(), Some(kept), "{kept:?}");
        }
    }

    #[test]
    fn what_was_composed_is_composed_and_width_and_case_are_kept() {
        assert_eq!(form("Zu\u{308}rich"), Some("Zürich".to_owned()));
        assert_eq!(form("\u{212b}"), Some("Å".to_owned()));
        assert_eq!(form("ＡＢＣ ﬁ"), Some("ＡＢＣ ﬁ".to_owned()));
        assert_eq!(form("❤\u{fe0f} 👩\u{200d}🚀 🫠"), Some("❤\u{fe0f} 👩\u{200d}🚀 🫠".to_owned()));
    }

    #[test]
    fn what_controls_or_ends_a_line_is_refused() {
        for text in
            ["a\0", "\ta", "a\nb", "a\r", "\u{7f}", "\u{85}", "\u{9f}", "\u{2028}", "\u{2029}"]
        {
            assert_eq!(form(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form_however_the_text_was_composed(text in "\\PC{0,30}") {
            let composed = form(&text);
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(form(&decomposed), composed.clone());
            if let Some(composed) = composed {
                prop_assert_eq!(form(&composed), Some(composed));
            }
        }
    }
}
