//! Errors as they travel: problem details (RFC 9457).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An error, sent as `application/problem+json`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Always `about:blank`: the title says no more than the status; `code` does (RFC 9457,
    /// section 4.2.1).
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for people.
    pub detail: String,
    /// What went wrong, for programs. Stable.
    pub code: String,
    /// The request, as in the log.
    pub request_id: String,
    /// With `second_factor_required` and `second_factor_enrolment_required`: what to send with the
    /// next request. Good for five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// With `invalid_field`: what is wrong with each field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What it must be.
    pub message: String,
}
