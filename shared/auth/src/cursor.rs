//! Where the next page of the file list begins, in a form that its holder cannot change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_model::{FileId, Invalid, rfc3339_millis};

use crate::SigningKeys;

/// The last file of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageCursor {
    /// Its identity.
    pub file: FileId,
    /// When it was uploaded, by which the list is sorted.
    #[serde(with = "rfc3339_millis")]
    pub uploaded_at: Timestamp,
}

/// Keeps these MACs apart from the signatures of access tokens.
const PURPOSE: &[u8] = b"page cursor\0";

impl PageCursor {
    /// The text for the `cursor` parameter: base64url of the content, a dot, base64url of its MAC.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an id and a time always serialize")]
    pub fn seal(&self, keys: &SigningKeys) -> String {
        let content = serde_json::to_vec(self).expect("a cursor serializes");
        let tag = keys.mac(&[PURPOSE, &content].concat());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(content), URL_SAFE_NO_PAD.encode(tag))
    }

    /// # Errors
    /// When the text is not one that [`PageCursor::seal`] gave with one of these keys.
    pub fn open(text: &str, keys: &SigningKeys) -> Result<Self, Invalid> {
        let open = || {
            let (content, tag) = text.split_once('.')?;
            let content = URL_SAFE_NO_PAD.decode(content).ok()?;
            let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
            let genuine = keys.is_mac(&[PURPOSE, &content].concat(), &tag);
            genuine.then(|| serde_json::from_slice(&content).ok()).flatten()
        };
        open().ok_or_else(|| Invalid::because("must be a cursor from a Link header of this list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> SigningKeys {
        SigningKeys::parse("0123456789abcdef0123456789abcdef").unwrap()
    }

    proptest! {
        #[test]
        fn a_cursor_survives_its_text_and_any_change_is_noticed(
            millis in 0_i64..4_000_000_000_000, random: [u8; 10], place: prop::sample::Index,
            other in "[A-Za-z0-9_.-]",
        ) {
            let at = Timestamp::from_millisecond(millis).unwrap();
            let cursor = PageCursor { file: FileId::new(at, random), uploaded_at: at };
            let text = cursor.seal(&keys());
            prop_assert_eq!(PageCursor::open(&text, &keys()).unwrap(), cursor);
            let place = place.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(place..=place, &other);
            prop_assert_eq!(PageCursor::open(&changed, &keys()).is_ok(), changed == text);
        }

        #[test]
        fn any_text_at_all_is_refused_without_a_panic(text in ".{0,80}") {
            prop_assert!(PageCursor::open(&text, &keys()).is_err());
        }
    }
}
