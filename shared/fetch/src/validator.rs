//! What tells whether a file is still the same.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, ETAG, LAST_MODIFIED};
use share_model::Invalid;

/// What tells whether a file is still the same byte for byte: a strong `ETag`, or a date that is
/// as good (RFC 9110, section 8.8). It is the value of `If-Range`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator(String);

impl Validator {
    /// Reads what [`as_str`](Self::as_str) gave.
    ///
    /// # Errors
    /// When it is neither a strong entity tag nor an HTTP date.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let date = httpdate::parse_http_date(text).is_ok();
        if date || is_strong_tag(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::because("must be a strong entity tag or an HTTP date"))
    }

    /// The text to be stored, which is the header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The strong `ETag`, else `Last-Modified` when the file had been unchanged for a second or
    /// more: a file that changes twice within a second keeps its date (section 8.8.2.2).
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(tag) = text(ETAG).filter(|tag| is_strong_tag(tag)) {
            return Some(Self(tag.to_owned()));
        }
        let modified_text = text(LAST_MODIFIED)?;
        let modified = httpdate::parse_http_date(modified_text).ok()?;
        let sent = httpdate::parse_http_date(text(DATE)?).ok()?;
        let age = sent.duration_since(modified).ok()?;
        (age >= Duration::from_secs(1)).then(|| Self(modified_text.to_owned()))
    }

    /// Whether an answer's headers say that the file is another one. Without the header that the
    /// validator came from they say nothing.
    pub(crate) fn is_contradicted_by(&self, headers: &HeaderMap) -> bool {
        let name = if is_strong_tag(&self.0) { ETAG } else { LAST_MODIFIED };
        headers.get(name).is_some_and(|value| value.as_bytes() != self.0.as_bytes())
    }
}

/// A weak tag, `W/"…"`, says only that two files serve the same purpose.
fn is_strong_tag(text: &str) -> bool {
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .is_some_and(|tag| tag.bytes().all(|b| b == 0x21 || (0x23..0x7f).contains(&b)))
}
