//! The second factor: an authenticator app, and recovery codes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::LoggedIn;

/// The body of `totp_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpRequest {
    /// The account's password. Left out when the bearer is an enrolment challenge, which somebody
    /// has got for the password just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub password: Option<String>,
}

/// The answer of `totp_create`. It is shown once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TotpCreated {
    /// The secret of the authenticator app, base32 (RFC 4648) without padding, to be typed.
    pub secret: String,
    /// The same as an address that the app reads from a QR code.
    pub uri: String,
}

/// The body of `totp_confirm`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpConfirmation {
    /// The six digits that the app shows.
    #[schemars(length(max = 64))]
    pub code: String,
    /// Whether the refresh token, if there is one, is to be a cookie, for browsers.
    #[serde(default)]
    pub cookie: bool,
}

/// The body of `recovery_codes_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorCode {
    /// The six digits that the app shows, or a recovery code.
    #[schemars(length(max = 64))]
    pub code: String,
}

/// The body of `totp_delete`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpRemoval {
    /// The account's password.
    #[schemars(length(min = 1, max = 256))]
    pub password: String,
    /// The six digits that the app shows, or a recovery code.
    #[schemars(length(max = 64))]
    pub code: String,
}

/// The answer of `totp_confirm` and `recovery_codes_create`. The codes are shown once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryCodesIssued {
    /// Ten codes, each good once in place of the app's.
    pub recovery_codes: Vec<String>,
    /// When the bearer was an enrolment challenge: what a login answers with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<LoggedIn>,
}
