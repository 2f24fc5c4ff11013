//! Where the next page of a list begins, in a form that its holder cannot change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use share_model::Invalid;

use crate::{SigningKeys, sealed_text};

/// The key of the last record of a page, its attributes by their names in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageCursor(pub BTreeMap<String, String>);

/// Keeps these MACs apart from the signatures of access tokens.
const PURPOSE: &[u8] = b"page cursor\0";

impl PageCursor {
    /// The text for the `cursor` parameter: base64url of the content, a dot, base64url of its MAC.
    /// It is good for this `list` only.
    #[must_use]
    #[expect(clippy::expect_used, reason = "texts always serialize")]
    pub fn seal(&self, list: &str, keys: &SigningKeys) -> String {
        let content = serde_json::to_vec(self).expect("a cursor serializes");
        sealed_text::seal(&content, &purpose(list), keys)
    }

    /// # Errors
    /// When the text is not one that [`PageCursor::seal`] gave for this list with one of these
    /// keys.
    pub fn open(text: &str, list: &str, keys: &SigningKeys) -> Result<Self, Invalid> {
        sealed_text::open(text, &purpose(list), keys)
            .and_then(|content| serde_json::from_slice(&content).ok())
            .ok_or_else(|| Invalid::because("must be a cursor from a Link header of this list"))
    }
}

fn purpose(list: &str) -> Vec<u8> {
    [PURPOSE, list.as_bytes(), b"\0"].concat()
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
            key: BTreeMap<String, String>, place: prop::sample::Index, other in "[A-Za-z0-9_.-]",
        ) {
            let cursor = PageCursor(key);
            let text = cursor.seal("files", &keys());
            prop_assert_eq!(PageCursor::open(&text, "files", &keys()).unwrap(), cursor);
            let place = place.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(place..=place, &other);
            let opened = PageCursor::open(&changed, "files", &keys());
            prop_assert_eq!(opened.is_ok(), changed == text);
        }

        #[test]
        fn a_cursor_of_one_list_is_refused_by_another(key: BTreeMap<String, String>) {
            let text = PageCursor(key).seal("files", &keys());
            prop_assert!(PageCursor::open(&text, "links", &keys()).is_err());
        }

        #[test]
        fn any_text_at_all_is_refused_without_a_panic(text in ".{0,80}") {
            prop_assert!(PageCursor::open(&text, "files", &keys()).is_err());
        }
    }
}
