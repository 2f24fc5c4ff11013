//! `Content-Disposition` for downloads (RFC 6266, RFC 8187).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::FileName;

/// Everything but `attr-char` of RFC 8187, section 3.2.1.
const NOT_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header value that makes a browser save the file under `name` and never show it.
///
/// `filename` is an ASCII stand-in for old programs; `filename*` is the exact name.
#[must_use]
pub fn attachment(name: &FileName) -> String {
    let stand_in: String = name
        .as_str()
        .chars()
        .map(
            |c| if c.is_ascii() && !c.is_ascii_control() && !"\"\\%".contains(c) { c } else { '_' },
        )
        .collect();
    let exact = utf8_percent_encode(name.as_str(), NOT_ATTR_CHAR);
    format!("attachment; filename=\"{stand_in}\"; filename*=UTF-8''{exact}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    #[test]
    fn an_umlaut_and_a_quote_are_kept_in_the_exact_name() {
        let name = FileName::parse("Ü \"x\".pdf").unwrap();
        assert_eq!(
            attachment(&name),
            "attachment; filename=\"_ _x_.pdf\"; filename*=UTF-8''%C3%9C%20%22x%22.pdf"
        );
    }

    proptest! {
        #[test]
        fn any_name_gives_a_legal_header_from_which_the_name_can_be_read(text in "\\PC{1,60}") {
            prop_assume!(FileName::parse(&text).is_ok());
            let header = attachment(&FileName::parse(&text).unwrap());
            prop_assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(header.matches('"').count(), 2);
            let (_, exact) = header.rsplit_once("''").unwrap();
            prop_assert_eq!(percent_decode_str(exact).decode_utf8().unwrap(), text);
        }
    }
}
