//! The form in which Secrets Manager holds the secrets that keys are derived from.

use serde::Deserialize;
use share_model::Invalid;

/// The secret in use, and those before it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredSecrets {
    pub(crate) current: String,
    #[serde(default)]
    pub(crate) previous: Vec<String>,
}

impl StoredSecrets {
    /// Reads `{"current": "…", "previous": ["…"]}`, or one bare secret.
    ///
    /// # Errors
    /// When an object is another one.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
                .map_err(|_| Invalid::because("must be {\"current\": …, \"previous\": […]}"))
        } else {
            Ok(Self { current: text.to_owned(), previous: Vec::new() })
        }
    }
}
