//! A content that its holder can read and cannot change: base64url of it, a dot, base64url of its
//! MAC.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::SigningKeys;

/// The text of `content`, good for this purpose only.
pub(crate) fn seal(content: &[u8], purpose: &[u8], keys: &SigningKeys) -> String {
    let tag = keys.mac(&[purpose, content].concat());
    format!("{}.{}", URL_SAFE_NO_PAD.encode(content), URL_SAFE_NO_PAD.encode(tag))
}

/// The content of a text that [`seal`] made for this purpose with one of these keys; `None` for any
/// other text.
pub(crate) fn open(text: &str, purpose: &[u8], keys: &SigningKeys) -> Option<Vec<u8>> {
    let (content, tag) = text.split_once('.')?;
    let content = URL_SAFE_NO_PAD.decode(content).ok()?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    keys.is_mac(&[purpose, content.as_slice()].concat(), &tag).then_some(content)
}
